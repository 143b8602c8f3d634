package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"net"
	"time"

	"github.com/aistrale/aistrale/providers/mock"
)

const mockUsage = "usage: aistrale mock [--listen 127.0.0.1:9100] [--calls 64] [--tls-cert FILE --tls-key FILE]"

// mockDrain is how long the emulator waits for its clients when it is told to stop.
const mockDrain = 5 * time.Second

// runMock serves the provider emulator until the context ends.
func runMock(ctx context.Context, env environment, args []string) error {
	flags := flag.NewFlagSet("mock", flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:9100", "the address to serve on")
	calls := flags.Int("calls", 64, "how many requests /calls remembers")
	cert := flags.String("tls-cert", "", "a PEM file with the certificate to show: then it speaks TLS")
	key := flags.String("tls-key", "", "a PEM file with the certificate's key")
	if err := env.parse(flags, args, mockUsage); err != nil {
		return helped(err)
	}
	if *calls < 0 || (*cert == "") != (*key == "") {
		return usagef("%s", mockUsage)
	}
	if *calls == 0 {
		*calls = -1
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", *listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	url := "http://" + listener.Addr().String()
	if *cert != "" {
		pair, err := tls.LoadX509KeyPair(*cert, *key)
		if err != nil {
			return errors.Join(fmt.Errorf("--tls-cert, --tls-key: %w", err), listener.Close())
		}
		listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12})
		url = "https://" + listener.Addr().String()
	}
	server := mock.New(mock.Options{Calls: *calls})
	if _, err := fmt.Fprintf(env.Stdout, "the provider emulator listens on %s\n  %s  %s  %s  %s\n",
		url, url+mock.OpenAIPath, url+mock.AnthropicPath, url+mock.GeminiPath, url+"/bill"); err != nil {
		return errors.Join(err, listener.Close())
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), mockDrain)
	defer cancel()
	if err := server.Shutdown(drain); err != nil {
		return err
	}
	return <-served
}

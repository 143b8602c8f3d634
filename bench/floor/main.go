// Command floor is the least a Go proxy can do: it reads nothing it carries. What the gateway
// costs is told as a ratio to it.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"io"
	"log"
	"os"
	"time"

	"github.com/valyala/fasthttp"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:9200", "address to serve")
	upstream := flag.String("upstream", "127.0.0.1:9100", "address to pass requests on to")
	cert := flag.String("cert", "", "PEM file of the certificate to show; with it clients and the upstream are spoken to by TLS")
	key := flag.String("key", "", "PEM file of its key")
	ca := flag.String("ca", "", "PEM file of the authority that the upstream's certificate is by")
	flag.Parse()
	log.SetOutput(os.Stderr)
	client := &fasthttp.HostClient{
		Addr: *upstream, MaxConns: 65536, StreamResponseBody: true, NoDefaultUserAgentHeader: true,
		ReadBufferSize: 16 << 10, WriteBufferSize: 16 << 10, DisablePathNormalizing: true,
	}
	server := &fasthttp.Server{
		Handler:            func(ctx *fasthttp.RequestCtx) { pass(ctx, client, *upstream) },
		MaxRequestBodySize: 64 << 20, ReadBufferSize: 16 << 10, IdleTimeout: time.Minute, NoDefaultServerHeader: true,
	}
	if *cert == "" {
		log.Fatal(server.ListenAndServe(*listen))
	}
	trusted := x509.NewCertPool()
	pem, err := os.ReadFile(*ca)
	if err != nil || !trusted.AppendCertsFromPEM(pem) {
		log.Fatalf("-ca %s has no certificate: %v", *ca, err)
	}
	client.IsTLS, client.TLSConfig = true, &tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS13, ServerName: "localhost"}
	log.Fatal(server.ListenAndServeTLS(*listen, *cert, *key))
}

// pass hands the request on as it is and relays the answer as it comes.
func pass(ctx *fasthttp.RequestCtx, client *fasthttp.HostClient, host string) {
	req, resp := &ctx.Request, fasthttp.AcquireResponse()
	req.SetHost(host)
	if err := client.Do(req, resp); err != nil {
		fasthttp.ReleaseResponse(resp)
		ctx.Error("upstream: "+err.Error(), fasthttp.StatusBadGateway)
		return
	}
	resp.Header.CopyTo(&ctx.Response.Header)
	length := resp.Header.ContentLength()
	ctx.Response.ImmediateHeaderFlush = length < 0
	ctx.SetBodyStream(&body{resp: resp, stream: resp.BodyStream()}, length)
}

// body is the upstream's answer; each Read is written and flushed at once.
type body struct {
	resp   *fasthttp.Response
	stream io.Reader
}

func (b *body) Read(p []byte) (int, error) {
	if b.stream == nil {
		return 0, io.EOF
	}
	return b.stream.Read(p)
}

// Close gives the upstream's connection back.
func (b *body) Close() error {
	if b.resp == nil {
		return errors.New("closed already")
	}
	err := b.resp.CloseBodyStream()
	fasthttp.ReleaseResponse(b.resp)
	b.resp = nil
	return err
}

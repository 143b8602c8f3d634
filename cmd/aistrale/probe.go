package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

const healthUsage = `usage: aistrale health [URL]
       Asks a running gateway whether it takes traffic; for images without a shell. Without a URL:
       http://127.0.0.1:8081/readyz.`

const (
	healthURL  = "http://127.0.0.1:8081/readyz"
	healthWait = 3 * time.Second
	healthText = 4 << 10 // of the answer, to be shown
)

// runHealth asks once, and fails where the answer is not 200.
func runHealth(ctx context.Context, env environment, args []string) error {
	flags := flag.NewFlagSet("health", flag.ContinueOnError)
	if err := env.parseSome(flags, args, healthUsage); err != nil {
		return helped(err)
	}
	url := healthURL
	switch flags.NArg() {
	case 0:
	case 1:
		url = flags.Arg(0)
	default:
		return usagef("%s", healthUsage)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return usagef("%s\n%s", err, healthUsage)
	}
	client := http.Client{Timeout: healthWait}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(io.LimitReader(resp.Body, healthText))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s: %s", url, resp.Status, strings.TrimSpace(string(said)))
	}
	_, err = env.Stdout.Write(said)
	return err
}

package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestRunMock(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	out, in := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- runMock(ctx, environment{Stdout: in}, []string{"--listen", "127.0.0.1:0"})
		in.Close()
	}()
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	go io.Copy(io.Discard, lines)
	_, url, ok := strings.Cut(strings.TrimSpace(line), "listens on ")
	if !ok {
		t.Fatalf("it said %q", line)
	}
	f := func(path, want string) {
		t.Helper()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer any")
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if body, err := io.ReadAll(res.Body); err != nil || !strings.Contains(string(body), want) {
			t.Errorf("%s: %s %v", path, body, err)
		}
	}
	f("/openai/v1/models", `"id":"gpt"`)
	f("/bill", `"nano_usd":0`)
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestRunMock_Usage(t *testing.T) {
	t.Parallel()
	f := func(args ...string) {
		t.Helper()
		var usage *usageError
		if err := runMock(context.Background(), environment{Stdout: io.Discard}, args); !errors.As(err, &usage) {
			t.Errorf("%q: %v", args, err)
		}
	}
	f("--nothing")
	f("more")
	f("--calls", "-1")
	if err := runMock(context.Background(), environment{Stdout: io.Discard}, []string{"--listen", "nowhere:x"}); err == nil || !strings.Contains(err.Error(), "--listen") {
		t.Errorf("a bad address: %v", err)
	}
}

package main_test

import (
	"crypto/tls"
	"io"
	"net"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// realtimeFolder holds the script of OpenAI's client for sessions, and the lock file of what it
// needs.
var realtimeFolder = filepath.Join("testdata", "clients", "realtime")

func TestRealtimeClient(t *testing.T) {
	t.Parallel()
	needNode(t)
	r := start(t, "")
	r.url = "https://" + encrypted(t, strings.TrimPrefix(r.url, "http://")) // the client knows no other
	runNode(t, r, realtimeFolder, "clients.mjs", 4)
	var calls int64
	for _, line := range r.mock.Bill() {
		calls += line.Calls
	}
	if calls != 2 {
		t.Errorf("%d replies were made, want 2", calls)
	}
}

// encrypted takes TLS off for an address. It gives its own.
func encrypted(t *testing.T, address string) string {
	t.Helper()
	lender := httptest.NewTLSServer(nil)
	t.Cleanup(lender.Close)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: lender.TLS.Certificates, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	var open sync.WaitGroup
	t.Cleanup(func() { _ = l.Close(); open.Wait() })
	open.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			open.Go(func() { splice(c, address) })
		}
	})
	return l.Addr().String()
}

// splice joins a connection to an address until either ends.
func splice(c net.Conn, address string) {
	defer c.Close()
	to, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer to.Close()
	done := make(chan struct{})
	go func() { defer close(done); _, _ = io.Copy(to, c); _ = to.Close() }()
	_, _ = io.Copy(c, to)
	_ = c.Close()
	<-done
}

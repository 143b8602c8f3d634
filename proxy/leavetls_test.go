package proxy

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/internal/edge"
	"github.com/aistrale/aistrale/internal/edge/edgetest"
	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

// alsoOn has the gateway serve a second listener until the test ends, and gives its address.
func (g *testGateway) alsoOn(t *testing.T, wrap func(net.Listener) net.Listener) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := NewServer(g.Gateway, ServerOptions{MaxHeader: 16 << 10, MaxBody: 1 << 20, Concurrency: 256, Read: 20 * time.Second, Idle: 20 * time.Second, Logger: testLog{t}})
	done := make(chan error, 1)
	go func() { done <- server.Serve(wrap(l)) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
		g.draining.Store(false)
	})
	return l.Addr().String()
}

// securedBy speaks TLS with a certificate of ca's.
func securedBy(t *testing.T, ca *edgetest.Authority) func(net.Listener) net.Listener {
	t.Helper()
	var o edge.TLSOptions
	o.CertFile, o.KeyFile = ca.Write(t, t.TempDir(), "gateway", time.Hour)
	secured, err := edge.NewTLS(o, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return secured.Listener
}

func dialTLS(t *testing.T, address string, ca *edgetest.Authority) *tls.Conn {
	t.Helper()
	raw, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = raw.Close() })
	return clientOf(raw, ca)
}

func clientOf(raw net.Conn, ca *edgetest.Authority) *tls.Conn {
	return tls.Client(raw, &tls.Config{RootCAs: ca.Pool(), ServerName: "localhost"})
}

func stagedRequest(body string) string {
	return fmt.Sprintf("POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer %s\r\ncontent-length: %d\r\n\r\n%s", keyNumber(0), len(body), body)
}

// However a client leaves under TLS, its upstream call ends at once, though the upstream stays
// silent for ever.
func TestGateway_ClientsThatLeaveUnderTLS(t *testing.T) {
	reached, left := make(chan struct{}, 1), make(chan struct{}, 1)
	silent := func(w http.ResponseWriter, r *http.Request, body string) {
		reached <- struct{}{}
		hangs(w, r, body)
		left <- struct{}{}
	}
	s := newStage(t, func(w http.ResponseWriter, r *http.Request, body string) {
		if strings.Contains(body, "begin") {
			begins(eventRole+eventHi, silent)(w, r, body)
			return
		}
		silent(w, r, body)
	}, well)
	g := newStagedGateway(t, &policy.Alias{Targets: []policy.Target{{Provider: "one", Model: "m"}}}, []*Account{s.account(t, "one", "c")})
	ca := edgetest.NewAuthority(t)
	at := g.alsoOn(t, securedBy(t, ca))
	pipelined := func(c *tls.Conn) { _, _ = c.Write([]byte("GET /v1/mo")) }
	for _, way := range []struct {
		name  string
		leave func(*tls.Conn)
	}{
		{"close_notify and FIN", func(c *tls.Conn) { _ = c.Close() }},
		{"FIN alone", func(c *tls.Conn) { _ = c.NetConn().Close() }},
		{"half closed", func(c *tls.Conn) { _ = c.CloseWrite(); _ = c.NetConn().(*net.TCPConn).CloseWrite() }},
		{"RST", func(c *tls.Conn) { _ = c.NetConn().(*net.TCPConn).SetLinger(0); _ = c.NetConn().Close() }},
		{"FIN with a pipelined request pending", func(c *tls.Conn) { pipelined(c); _ = c.Close() }},
		{"RST with a pipelined request pending", func(c *tls.Conn) {
			pipelined(c)
			_ = c.NetConn().(*net.TCPConn).SetLinger(0)
			_ = c.NetConn().Close()
		}},
	} {
		for _, body := range []string{itWhole, itStream, strings.Replace(itStream, `"hi"`, `"begin"`, 1)} {
			c := dialTLS(t, at, ca)
			if _, err := io.WriteString(c, stagedRequest(body)); err != nil {
				t.Fatal(err)
			}
			<-reached
			began := time.Now()
			way.leave(c)
			select {
			case <-left:
			case <-time.After(20 * time.Second):
				t.Fatalf("%s, %s: the upstream call goes on", way.name, body)
			}
			took := time.Since(began)
			if rec := g.records.next(t); rec.Outcome != storage.OutcomeClientGone || rec.Status != statusClientGone {
				t.Errorf("%s, %s: outcome %s, status %d: %s", way.name, body, rec.Outcome, rec.Status, rec.Err)
			}
			t.Logf("%s: the upstream call ended %s after", way.name, took)
		}
	}
}

// Requests that come together, in one record of TLS, are all answered and in their order.
func TestGateway_PipelinedUnderTLS(t *testing.T) {
	s := newStage(t, well, well)
	g := newStagedGateway(t, &policy.Alias{Targets: []policy.Target{{Provider: "one", Model: "m"}}}, []*Account{s.account(t, "one", "c")})
	ca := edgetest.NewAuthority(t)
	c := dialTLS(t, g.alsoOn(t, securedBy(t, ca)), ca)
	if _, err := io.WriteString(c, stagedRequest(itWhole)+stagedRequest(itStream)+stagedRequest(itWhole)); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	for _, want := range []string{"application/json", "text/event-stream", "application/json"} {
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("content-type"), want) || !strings.Contains(string(body), "hi") {
			t.Errorf("%v: %d %s\n%s", err, resp.StatusCode, resp.Header, body)
		}
	}
	for range 3 {
		if rec := g.records.next(t); rec.Outcome != storage.OutcomeOK {
			t.Errorf("outcome %s: %s", rec.Outcome, rec.Err)
		}
	}
}

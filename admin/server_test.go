package admin

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aistrale/aistrale/storage"
)

func TestServer(t *testing.T) {
	ready := false
	s := NewServer(Options{
		Metrics:      http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, "m 1\n") }),
		MetricsToken: storage.NewSecret("secret"), Ready: func() bool { return ready },
		API: http.NotFoundHandler(),
	})
	f := func(method, path, auth, local string, want int) {
		t.Helper()
		r := httptest.NewRequest(method, path, nil)
		r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, &net.TCPAddr{IP: net.ParseIP(local)}))
		if auth != "" {
			r.Header.Set("authorization", auth)
		}
		w := httptest.NewRecorder()
		s.http.Handler.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s %s %q on %s: %d, want %d", method, path, auth, local, w.Code, want)
		}
	}
	f("GET", "/healthz", "", "10.0.0.1", 200)
	f("GET", "/readyz", "", "10.0.0.1", 503)
	ready = true
	f("GET", "/readyz", "", "10.0.0.1", 200)
	f("GET", "/metrics", "", "127.0.0.1", 200)
	f("GET", "/metrics", "", "::1", 200)
	f("GET", "/metrics", "", "10.0.0.1", 401)
	f("GET", "/metrics", "Bearer wrong", "10.0.0.1", 401)
	f("GET", "/metrics", "secret", "10.0.0.1", 401)
	f("GET", "/metrics", "Bearer secret", "10.0.0.1", 200)
	f("POST", "/metrics", "Bearer secret", "10.0.0.1", 405)
	f("GET", "/admin/v1/keys", "", "127.0.0.1", 404)
}

// A connection on which nobody asks is no reason to fail.
func TestServer_ShutdownWithAnIdleConnection(t *testing.T) {
	s := NewServer(Options{API: http.NotFoundHandler(), Metrics: http.NotFoundHandler(), Ready: func() bool { return true }})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	idle, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = idle.Close() }()
	if resp, err := http.Get("http://" + l.Addr().String() + "/healthz"); err != nil { // the idle one has been taken by now
		t.Fatal(err)
	} else if err := resp.Body.Close(); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Shutdown(ctx); err != nil {
		t.Errorf("shutdown: %v", err)
	}
	if err := <-served; err != nil {
		t.Errorf("serve: %v", err)
	}
	if n, err := idle.Read(make([]byte, 1)); err == nil {
		t.Errorf("the idle connection still stands: %d bytes", n)
	}
}

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

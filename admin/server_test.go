package admin

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

func TestServer(t *testing.T) {
	ready := false
	s := NewServer(Options{
		Metrics:      http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, "m 1\n") }),
		MetricsToken: storage.NewSecret("secret"), Ready: func() bool { return ready },
		API: http.NotFoundHandler(),
	})
	host := "localhost:8081"
	f := func(method, path, auth, local string, want int) {
		t.Helper()
		r := httptest.NewRequest(method, path, nil)
		r.Host = host
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
	for _, host = range []string{"127.0.0.1:8081", "[::1]:8081", "LOCALHOST"} {
		f("GET", "/metrics", "", "127.0.0.1", 200)
	}
	for _, host = range []string{"rebound.example.com:8081", "10.0.0.1", "127.0.0.1.example.com", "localhost.evil"} {
		f("GET", "/metrics", "", "127.0.0.1", 401)
		f("GET", "/metrics", "Bearer secret", "127.0.0.1", 200)
	}
}

// A proxy on this machine calls on loopback for people who are elsewhere.
func TestServer_MetricsBehindAProxy(t *testing.T) {
	s := NewServer(Options{
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, "m 1\n") }), MetricsToken: storage.NewSecret("secret"),
		Ready: func() bool { return true }, API: http.NotFoundHandler(),
	})
	for _, header := range []string{"X-Forwarded-For", "Forwarded"} {
		r := httptest.NewRequest("GET", "/metrics", nil)
		r.Host = "localhost"
		r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, &net.TCPAddr{IP: net.ParseIP("127.0.0.1")}))
		r.Header.Set(header, "for=192.0.2.1")
		w := httptest.NewRecorder()
		s.http.Handler.ServeHTTP(w, r)
		if w.Code != 401 {
			t.Errorf("%s: %d", header, w.Code)
		}
	}
}

// No answer of the control plane, whatever was asked, may be kept, framed, loaded or guessed at by
// a browser, or read by another site's page.
func TestServer_Headers(t *testing.T) {
	s := NewServer(Options{
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, "m 1\n") }), Ready: func() bool { return true },
		API: NewAPI(APIOptions{Version: "test", Log: slog.New(slog.DiscardHandler), Now: time.Now}),
	})
	wants := map[string]string{
		"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
		"Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'", "Access-Control-Allow-Origin": "",
	}
	for _, ask := range []string{
		"GET /metrics", "GET /healthz", "GET /readyz", "POST /readyz", "GET /", "GET /nothing", "GET /admin/v1/openapi.json", "GET /admin/v1/users",
		"POST /admin/v1/users", "GET /admin/v1/nothing", "TRACE /admin/v1/users", "OPTIONS /admin/v1/users", "TRACE /healthz", "POST /admin/v1/session",
		"GET /admin/v1/../../etc/passwd", "GET //evil.example.com/%2e%2e",
	} {
		method, path, _ := strings.Cut(ask, " ")
		for _, proto := range []string{"", "https"} {
			r := httptest.NewRequest(method, path, strings.NewReader("{}"))
			r.Header.Set("origin", "https://evil.example.com")
			r.Header.Set("cookie", "a=canary")
			r.Header.Set("x-forwarded-proto", proto)
			w := httptest.NewRecorder()
			s.http.Handler.ServeHTTP(w, r)
			for name, want := range wants {
				if got := w.Header().Get(name); got != want {
					t.Errorf("%s: %s is %q, want %q", ask, name, got, want)
				}
			}
			if got := w.Header().Get("strict-transport-security"); (got != "") != (proto == "https") {
				t.Errorf("%s by %q: strict-transport-security %q", ask, proto, got)
			}
			if to := w.Header().Get("location"); strings.Contains(to, "//") {
				t.Errorf("%s redirects to %s", ask, to)
			}
			if w.Body.Len() > 0 && w.Header().Get("content-type") == "" {
				t.Errorf("%s: a body of no type", ask)
			}
			if (method == "TRACE" || method == "OPTIONS") && w.Code < 400 || strings.Contains(w.Body.String(), "canary") {
				t.Errorf("%s: %d %s", ask, w.Code, w.Body)
			}
		}
	}
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

// Whoever asks drop by drop is cut off, whether it is the head or the body that stalls.
func TestServer_Slow(t *testing.T) {
	t.Parallel() // for a body huma gives five seconds, whatever the server says
	s := NewServer(Options{
		Metrics: http.NotFoundHandler(), Ready: func() bool { return true },
		API: NewAPI(APIOptions{Version: "test", Log: slog.New(slog.DiscardHandler), Now: time.Now}),
	})
	if h := s.http; h.ReadHeaderTimeout == 0 || h.ReadTimeout == 0 || h.WriteTimeout == 0 || h.IdleTimeout == 0 || h.MaxHeaderBytes == 0 {
		t.Errorf("something is without a bound: %+v", h)
	}
	s.http.ReadHeaderTimeout, s.http.ReadTimeout = 100*time.Millisecond, 200*time.Millisecond
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.Serve(l) }()
	defer func() { _ = s.Shutdown(t.Context()) }()
	for name, text := range map[string]string{
		"nothing": "", "half a line": "POST /admin", "half a head": "POST /admin/v1/session HTTP/1.1\r\nHost: x\r\n",
		"half a body":  "POST /admin/v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"name\":",
		"a huge head":  "GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 2*maxHeader) + "\r\n\r\n",
		"a huge path":  "GET /" + strings.Repeat("x", 2*maxHeader) + " HTTP/1.1\r\nHost: x\r\n\r\n",
		"many headers": "GET /healthz HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X: y\r\n", maxHeader) + "\r\n",
	} {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(time.Minute))
		_, _ = io.WriteString(conn, text) // who has seen enough may close before the end
		answer, err := io.ReadAll(conn)
		var late net.Error
		if errors.As(err, &late) && late.Timeout() || strings.HasPrefix(string(answer), "HTTP/1.1 2") {
			t.Errorf("%s: %v, %.100q", name, err, answer)
		}
		_ = conn.Close()
	}
}

// Who asks is who asks behind trusted proxies, and who may not come is told nothing.
func TestServer_Clients(t *testing.T) {
	networks := func(all ...string) func() storage.Networks {
		var out storage.Networks
		for _, text := range all {
			n, err := storage.ParseNetwork(text)
			do(t, err)
			out = append(out, n)
		}
		return func() storage.Networks { return out }
	}
	seen := ""
	api := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen, _, _ = net.SplitHostPort(r.RemoteAddr)
		answer(w, 200, "ok\n")
	})
	o := Options{
		API: api, Metrics: api, Ready: func() bool { return true },
		Trusted: networks("10.0.0.1"), Allow: networks("192.0.2.0/24", "2001:db8::1"),
	}
	f := func(path, peer, forwarded string, want int, client string) {
		t.Helper()
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.RemoteAddr = peer
		if forwarded != "" {
			r.Header.Set("x-forwarded-for", forwarded)
		}
		seen = ""
		w := httptest.NewRecorder()
		NewServer(o).http.Handler.ServeHTTP(w, r)
		if w.Code != want || seen != client {
			t.Errorf("%s from %s for %q: %d to %q, want %d to %q", path, peer, forwarded, w.Code, seen, want, client)
		}
		if w.Code == http.StatusForbidden && (w.Body.String() != "forbidden\n" || w.Header().Get("cache-control") != "no-store") {
			t.Errorf("refused with %q, %v", w.Body.String(), w.Header())
		}
	}
	f("/admin/v1/keys", "192.0.2.7:1", "", 200, "192.0.2.7")
	f("/admin/v1/keys", "[::ffff:192.0.2.7]:1", "", 200, "192.0.2.7")
	f("/admin/v1/keys", "[2001:db8::1]:1", "", 200, "2001:db8::1")
	f("/admin/v1/keys", "192.0.2.7:1", "10.9.9.9", 200, "192.0.2.7")
	f("/admin/v1/keys", "10.0.0.1:1", "192.0.2.8", 200, "192.0.2.8")
	f("/metrics", "10.0.0.1:1", "192.0.2.8", 200, "192.0.2.8")
	// Others get nothing, whatever they say, and the proxy itself nothing for itself.
	f("/admin/v1/keys", "198.51.100.1:1", "192.0.2.7", 403, "")
	f("/admin/v1/keys", "10.0.0.1:1", "192.0.2.7, 198.51.100.1", 403, "")
	f("/admin/v1/keys", "10.0.0.1:1", "", 403, "")
	f("/admin/v1/keys", "@", "", 403, "") // a socket without an address
	f("/metrics", "198.51.100.1:1", "", 403, "")
	f("/nothing", "198.51.100.1:1", "", 403, "")
	// Probes are answered, and no more than a word.
	f("/healthz", "198.51.100.1:1", "", 200, "")
	f("/readyz", "198.51.100.1:1", "", 200, "")
	f("/readyz?verbose", "198.51.100.1:1", "", 403, "")
	o.Allow = networks()
	f("/admin/v1/keys", "198.51.100.1:1", "192.0.2.7", 200, "198.51.100.1")
}

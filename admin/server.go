// Package admin is the control plane: its own listener with metrics, health and the API of
// users, keys and all else that people manage. It must never touch a request of the data plane.
package admin

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/aistrale/aistrale/internal/edge"
	"github.com/aistrale/aistrale/storage"
)

// Options are what the control plane shows.
type Options struct {
	Metrics http.Handler
	// MetricsToken, where it is set, is asked for on connections that do not come in on
	// loopback.
	MetricsToken storage.Secret
	Ready        func() bool
	// Trusted are the proxies whose word on who the client is counts, Allow is who may come, where
	// it is not empty. nil functions are nobody and everybody.
	Trusted, Allow func() storage.Networks
	Parts          func() []Part // what /readyz?verbose shows; nil: nothing
	API            http.Handler  // of /admin/v1
	Log            *slog.Logger  // of connections that fail, for who debugs; nil: nowhere
}

// maxHeader bounds a request's head in bytes.
const maxHeader = 32 << 10

// Server is the control plane's listener.
type Server struct{ http *http.Server }

// NewServer makes the control plane.
func NewServer(o Options) *Server {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", withToken(o.MetricsToken, o.Metrics))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "ok\n") })
	mux.HandleFunc("GET /readyz", o.readyz)
	mux.HandleFunc("GET /debug/pprof/{name...}", debugPprof(o.API))
	mux.Handle(prefix+"/", o.API)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Server{http: &http.Server{
		ErrorLog: slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
		Handler:  unrendered(allowed(o, mux)), MaxHeaderBytes: maxHeader, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute, IdleTimeout: time.Minute,
	}}
}

// allowed puts the client's own address in the place of the connection's, and keeps out who may not
// come from it. Only probes are answered whoever asks, with a word.
func allowed(o Options, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, _ := netip.ParseAddrPort(r.RemoteAddr) // of another kind of connection it is nobody's
		client := peer.Addr().Unmap()
		if o.Trusted != nil {
			client = edge.Client(o.Trusted(), client, r.Header.Values)
		}
		if o.Allow != nil {
			only := o.Allow()
			probe := r.URL.RawQuery == "" && (r.URL.Path == "/healthz" || r.URL.Path == "/readyz")
			if len(only) > 0 && !only.Contain(client) && !probe {
				answer(w, http.StatusForbidden, "forbidden\n")
				return
			}
		}
		if client != peer.Addr() {
			asked := *r
			asked.RemoteAddr = netip.AddrPortFrom(client, 0).String()
			r = &asked
		}
		next.ServeHTTP(w, r)
	})
}

// readyz says whether the node takes traffic, and with ?verbose how each part does: as JSON to
// who asks for it.
func (o *Options) readyz(w http.ResponseWriter, r *http.Request) {
	status, text := http.StatusOK, "ok\n"
	if !o.Ready() {
		status, text = http.StatusServiceUnavailable, "not ready\n"
	}
	if o.Parts == nil || !r.URL.Query().Has("verbose") {
		answer(w, status, text)
		return
	}
	parts := o.Parts()
	for i := range parts {
		parts[i].Error = "" // whoever can reach the listener can read this
	}
	if !strings.Contains(r.Header.Get("accept"), "application/json") {
		answer(w, status, text+lines(parts))
		return
	}
	w.Header().Set("content-type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(readiness{status == http.StatusOK, parts}) // a prober that has left needs no answer
}

// readiness is what /readyz?verbose says as JSON.
type readiness struct {
	Ready bool   `json:"ready"`
	Parts []Part `json:"parts"`
}

// Serve takes connections from l until Shutdown.
func (s *Server) Serve(l net.Listener) error {
	if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Shutdown lets the requests under way finish, and ends what is left with ctx: a browser keeps
// connections on which it never asks.
func (s *Server) Shutdown(ctx context.Context) error {
	if err := s.http.Shutdown(ctx); err != nil {
		return s.http.Close()
	}
	return nil
}

// unrendered gives every answer what all of the control plane's have: a browser may not keep it,
// frame it, or take it for anything but what it says that it is.
func unrendered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("cache-control", "no-store")
		h.Set("x-content-type-options", "nosniff")
		h.Set("content-security-policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("referrer-policy", "no-referrer")
		// Who lies about the second keeps nobody but himself to TLS.
		if r.TLS != nil || strings.EqualFold(r.Header.Get("x-forwarded-proto"), "https") {
			h.Set("strict-transport-security", "max-age=31536000; includeSubDomains")
		}
		next.ServeHTTP(w, r)
	})
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("content-type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // a prober that has left needs no answer
}

// withToken asks for the token where one is set.
func withToken(token storage.Secret, next http.Handler) http.Handler {
	if token.Empty() {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, ok := strings.CutPrefix(r.Header.Get("authorization"), "Bearer ")
		if !local(r) && (!ok || subtle.ConstantTimeCompare([]byte(given), []byte(token.Reveal())) != 1) {
			w.Header().Set("www-authenticate", "Bearer")
			answer(w, http.StatusUnauthorized, "metrics_token is needed\n")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// local reports whether the connection came in on an address that only this machine has, and
// meant it: no proxy stands in front, and no name of somebody else's leads a browser here.
func local(r *http.Request) bool {
	at, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if !ok || !at.IP.IsLoopback() || r.Header.Get("x-forwarded-for") != "" || r.Header.Get("forwarded") != "" {
		return false
	}
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "" || strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
}

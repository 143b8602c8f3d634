package main

import (
	"context"
	"crypto/subtle"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// control is the control plane's listener: metrics and health now, the admin API later.
type control struct{ http *http.Server }

func newControl(s *service) *control {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", guardMetrics(s.config.MetricsToken, s.telemetry.Handler()))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answerPlain(w, http.StatusOK, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !s.gateway.Ready() {
			answerPlain(w, http.StatusServiceUnavailable, "not ready\n")
			return
		}
		answerPlain(w, http.StatusOK, "ok\n")
	})
	return &control{http: &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: time.Minute}}
}

func answerPlain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("content-type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // a prober that has left needs no answer
}

// guardMetrics asks for the token where one is set.
func guardMetrics(token storage.Secret, next http.Handler) http.Handler {
	if token.Empty() {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, ok := strings.CutPrefix(r.Header.Get("authorization"), "Bearer ")
		if !ok || subtle.ConstantTimeCompare([]byte(given), []byte(token.Reveal())) != 1 {
			w.Header().Set("www-authenticate", "Bearer")
			answerPlain(w, http.StatusUnauthorized, "metrics_token is needed\n")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (c *control) serve(l net.Listener) error {
	if err := c.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (c *control) shutdown() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	return c.http.Shutdown(ctx)
}

package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/valyala/fasthttp"
)

// ServerOptions are the settings of the gateway's listener.
type ServerOptions struct {
	MaxHeader   int
	MaxBody     int
	Concurrency int           // connections served at once
	Read        time.Duration // a request must have come within
	Idle        time.Duration // of a kept-alive connection
	Logger      fasthttp.Logger
}

// Server is the gateway's listener.
type Server struct {
	gateway *Gateway
	http    *fasthttp.Server
}

// NewServer serves g.
func NewServer(g *Gateway, o ServerOptions) *Server {
	return &Server{gateway: g, http: &fasthttp.Server{
		Handler:                      g.Handle,
		ErrorHandler:                 g.refuseEarly,
		ReadTimeout:                  o.Read,
		IdleTimeout:                  o.Idle,
		WriteTimeout:                 0, // one deadline for a whole stream would cut it; writes have their own
		ReadBufferSize:               o.MaxHeader,
		MaxRequestBodySize:           o.MaxBody,
		Concurrency:                  o.Concurrency,
		StreamRequestBody:            true,
		CloseOnShutdown:              true,
		DisablePreParseMultipartForm: true,
		NoDefaultServerHeader:        true,
		NoDefaultContentType:         true,
		SecureErrorLogMessage:        true,
		Logger:                       o.Logger,
	}}
}

// Serve takes connections from l until Shutdown.
func (s *Server) Serve(l net.Listener) error { return s.http.Serve(&clients{l, s.gateway.watch}) }

// Connections counts those of clients that are open.
func (s *Server) Connections() int { return int(s.http.GetOpenConnectionsCount()) }

// Shutdown takes no new request and lets those under way finish. Where ctx ends first they are
// cancelled, and it waits for that.
func (s *Server) Shutdown(ctx context.Context) error {
	s.gateway.Leave()
	err := s.http.ShutdownWithContext(ctx)
	if err == nil {
		err = s.sessions(ctx)
	}
	if err == nil || !errors.Is(err, ctx.Err()) {
		return err
	}
	s.gateway.Abort()
	err = nil
	if !comes(5*time.Second, func() bool { return s.gateway.OpenFlights() == 0 }) {
		err = fmt.Errorf("drain_timeout has passed, and %d requests did not end when cancelled", s.gateway.OpenFlights())
	}
	// A request ends before the last of its answer has been written. Those that are only kept
	// alive are not waited for long.
	const none = -1 // the library takes one off, for a listener that has closed by now
	comes(250*time.Millisecond, func() bool { return s.http.GetOpenConnectionsCount() <= none })
	return err
}

// sessions waits for conversations, whose connections are the library's no more.
func (s *Server) sessions(ctx context.Context) error {
	for s.gateway.OpenFlights() > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
	return nil
}

// comes waits for a condition, and reports whether it came in time. The library's own Shutdown
// waits but once.
func comes(within time.Duration, met func() bool) bool {
	late := time.NewTimer(within)
	defer late.Stop()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for !met() {
		select {
		case <-again.C:
		case <-late.C:
			return false
		}
	}
	return true
}

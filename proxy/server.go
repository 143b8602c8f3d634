package proxy

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/aistrale/aistrale/providers"
)

// ServerOptions are the settings of the gateway's listener.
type ServerOptions struct {
	MaxHeader   int
	MaxBody     int
	Concurrency int           // connections served at once
	Read        time.Duration // a request must have come within
	Idle        time.Duration // of a kept-alive connection
	Logger      fasthttp.Logger
	Face        providers.Face
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
		ErrorHandler:                 refuseEarly(o.Face),
		ReadTimeout:                  o.Read,
		IdleTimeout:                  o.Idle,
		WriteTimeout:                 0, // one deadline for a whole stream would cut it; writes have their own
		ReadBufferSize:               o.MaxHeader,
		MaxRequestBodySize:           o.MaxBody,
		Concurrency:                  o.Concurrency,
		TCPKeepalive:                 true,
		TCPKeepalivePeriod:           15 * time.Second,
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
func (s *Server) Serve(l net.Listener) error { return s.http.Serve(l) }

// Shutdown takes no new request and lets those under way finish. Where ctx ends first they are
// cancelled, and it waits for that.
func (s *Server) Shutdown(ctx context.Context) error {
	s.gateway.draining.Store(true)
	err := s.http.ShutdownWithContext(ctx)
	if err == nil || !errors.Is(err, ctx.Err()) {
		return err
	}
	s.gateway.Abort()
	err = s.gateway.ended(5 * time.Second)
	s.flushed(250 * time.Millisecond)
	return err
}

// flushed waits until every connection has closed: a request ends before the last of its answer
// has been written. It does not wait long for those that are only kept alive.
func (s *Server) flushed(within time.Duration) {
	late := time.NewTimer(within)
	defer late.Stop()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	const none = -1 // the library takes one off, for a listener that has closed by now
	for s.http.GetOpenConnectionsCount() > none {
		select {
		case <-again.C:
		case <-late.C:
			return
		}
	}
}

package proxy

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"

	"github.com/aistrale/aistrale/internal/outbound"
)

// dialer connects to an upstream by whichever of its addresses answers first. The TLS handshake
// is part of connecting and of its time limit, and so is a proxy on the way. All of it has a stack
// of its own: on that of the request it would double it, for as long as a stream is open.
func dialer(secure bool, serverName string, way *outbound.Way) func(string, time.Duration) (net.Conn, error) {
	config := way.TLS(serverName)
	config.ClientSessionCache = tls.NewLRUClientSessionCache(256)
	dial := func(addr string, timeout time.Duration) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		c, err := way.Dial(ctx, "tcp", addr)
		if err != nil || !secure {
			return c, err
		}
		t := tls.Client(c, config)
		if err := t.HandshakeContext(ctx); err != nil {
			_ = c.Close()
			return nil, err
		}
		return t, nil
	}
	return func(addr string, timeout time.Duration) (c net.Conn, err error) {
		var dialled sync.WaitGroup
		dialled.Go(func() { c, err = dial(addr, timeout) })
		dialled.Wait()
		return c, err
	}
}

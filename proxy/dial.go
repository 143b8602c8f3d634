package proxy

import (
	"context"
	"crypto/tls"
	"net"
	"time"

	"github.com/aistrale/aistrale/internal/outbound"
)

// dialer connects to an upstream by whichever of its addresses answers first. The TLS handshake
// is part of connecting and of its time limit, and so is a proxy on the way.
func dialer(secure bool, serverName string, way *outbound.Way) func(string, time.Duration) (net.Conn, error) {
	config := way.TLS(serverName)
	config.ClientSessionCache = tls.NewLRUClientSessionCache(256)
	return func(addr string, timeout time.Duration) (net.Conn, error) {
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
}

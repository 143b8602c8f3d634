package proxy

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"

	"github.com/aistrale/aistrale/internal/outbound"
)

// dial connects to an address within a time.
type dial = func(addr string, timeout time.Duration) (net.Conn, error)

// dialer connects to an upstream by whichever of its addresses answers first. The TLS handshake
// is part of connecting and of its time limit, and so is a proxy on the way.
func dialer(secure bool, serverName string, way *outbound.Way) dial {
	config := way.TLS(serverName)
	config.ClientSessionCache = tls.NewLRUClientSessionCache(256)
	return onOwnStack(func(addr string, timeout time.Duration) (net.Conn, error) {
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
	})
}

// onOwnStack has a connection made by a goroutine that ends with that: on the stack of a request
// it would double it, for as long as a stream is open. What breaks there breaks the request, not
// the process.
func onOwnStack(connect dial) dial {
	return func(addr string, timeout time.Duration) (c net.Conn, err error) {
		var connected sync.WaitGroup
		var broke any
		connected.Go(func() {
			defer func() { broke = recover() }()
			c, err = connect(addr, timeout)
		})
		connected.Wait()
		if broke != nil {
			panic(broke)
		}
		return c, err
	}
}

package proxy

import (
	"context"
	"crypto/tls"
	"net"
	"time"
)

// dialer connects to an upstream by whichever of its addresses answers first. The TLS handshake
// is part of connecting and of its time limit.
func dialer(secure bool, serverName string) func(string, time.Duration) (net.Conn, error) {
	plain := &net.Dialer{KeepAlive: 15 * time.Second}
	if !secure {
		return func(addr string, timeout time.Duration) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(context.Background(), timeout)
			defer cancel()
			return plain.DialContext(ctx, "tcp", addr)
		}
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: serverName, ClientSessionCache: tls.NewLRUClientSessionCache(256)}
	wrapped := &tls.Dialer{NetDialer: plain, Config: config}
	return func(addr string, timeout time.Duration) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		return wrapped.DialContext(ctx, "tcp", addr)
	}
}

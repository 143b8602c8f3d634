//go:build !unix

package proxy

import "net"

// stale cannot be told here without reading; a stale connection fails its first read instead.
func stale(net.Conn) bool { return false }

// hungUp cannot be told either.
func hungUp(net.Conn) bool { return false }

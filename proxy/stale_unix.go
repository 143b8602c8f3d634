//go:build unix

package proxy

import (
	"errors"
	"net"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// stale reports whether an idle connection was closed by its peer or has bytes that nobody
// asked for; either way its next answer could not be trusted.
func stale(c net.Conn) bool {
	_, err := peek(c)
	return !errors.Is(err, unix.EAGAIN)
}

// hungUp reports whether the peer has closed a connection, and every byte of its was read.
func hungUp(c net.Conn) bool {
	n, err := peek(c)
	return n == 0 && !errors.Is(err, unix.EAGAIN)
}

// peek looks for a byte without taking it or waiting for it. Of a connection that does not show
// its socket it says that none is there.
func peek(c net.Conn) (n int, err error) {
	sc, ok := socketOf(c).(syscall.Conn)
	if !ok {
		return 0, unix.EAGAIN
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return 0, err
	}
	g := glances.Get().(*glance)
	defer glances.Put(g)
	if closed := raw.Control(g.look); closed != nil {
		return 0, closed
	}
	return max(g.n, 0), g.err
}

// glance is room for one peek, kept for others: each request on a pooled connection takes one.
type glance struct {
	one  [1]byte
	n    int
	err  error
	look func(fd uintptr)
}

var glances = sync.Pool{New: func() any {
	g := &glance{}
	g.look = func(fd uintptr) {
		g.n, g.err = peekAt(fd, &g.one)
	}
	return g
}}

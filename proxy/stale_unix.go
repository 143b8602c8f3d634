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
// asked for; either way its next answer could not be trusted. A connection that does not show its
// socket is not stale.
func stale(c net.Conn) bool {
	g := glances.Get().(*glance)
	defer glances.Put(g)
	return atSocket(c, g.look) != nil || g.found
}

// hungUp reports whether the peer has closed a connection, and every byte of its was read.
func hungUp(c net.Conn) bool {
	n, err := 0, error(unix.EAGAIN)
	closed := atSocket(c, func(fd uintptr) {
		n, _, err = unix.Recvfrom(int(fd), make([]byte, 1), unix.MSG_PEEK|unix.MSG_DONTWAIT)
	})
	return closed != nil || n <= 0 && !errors.Is(err, unix.EAGAIN)
}

// atSocket does something with a connection's socket, where it shows one.
func atSocket(c net.Conn, do func(fd uintptr)) error {
	sc, ok := socketOf(c).(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return err
	}
	return raw.Control(do)
}

// glance is room for one look at a socket, kept for others: each request on a pooled connection
// takes one.
type glance struct {
	ask   [1]unix.PollFd
	found bool // something to read, the end of it included
	look  func(fd uintptr)
}

var glances = sync.Pool{New: func() any {
	g := &glance{}
	g.look = func(fd uintptr) {
		g.ask[0] = unix.PollFd{Fd: int32(fd), Events: unix.POLLIN}
		n, err := unix.Poll(g.ask[:], 0)
		g.found = n != 0 || err != nil
	}
	return g
}}

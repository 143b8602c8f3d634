//go:build unix

package proxy

import (
	"errors"
	"net"
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
	var one [1]byte
	closed := raw.Control(func(fd uintptr) {
		n, _, err = unix.Recvfrom(int(fd), one[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
	})
	if closed != nil {
		return 0, closed
	}
	return max(n, 0), err
}

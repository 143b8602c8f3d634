//go:build unix

package proxy

import (
	"crypto/tls"
	"errors"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// stale reports whether an idle connection was closed by its peer or has bytes that nobody
// asked for; either way its next answer could not be trusted.
func stale(c net.Conn) bool {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	sc, ok := c.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return true
	}
	var got error
	var one [1]byte
	err = raw.Control(func(fd uintptr) {
		_, _, got = unix.Recvfrom(int(fd), one[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
	})
	return err != nil || !errors.Is(got, unix.EAGAIN)
}

//go:build unix && !linux

package proxy

import "golang.org/x/sys/unix"

// peekAt looks for a byte on a socket without waiting.
func peekAt(fd uintptr, one *[1]byte) (n int, err error) {
	n, _, err = unix.Recvfrom(int(fd), one[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
	return n, err
}

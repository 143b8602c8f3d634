package proxy

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// peekAt looks for a byte on a socket without waiting. It is not told to the runtime, which for so
// short a call would cost more than the call.
func peekAt(fd uintptr, one *[1]byte) (n int, err error) {
	r, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(one)), 1, unix.MSG_PEEK|unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return -1, errno
	}
	return int(r), nil
}

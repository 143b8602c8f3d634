// Package durable has what was written to files survive a power cut.
package durable

import (
	"errors"
	"os"
	"runtime"
	"syscall"
	_ "unsafe" // for go:linkname
)

// Sync makes what was written to a file durable, and its length; not its times (fdatasync). It
// waits for the disk without a processor of the runtime's: the runtime takes that from a usual
// system call only when it has looked twice, and on one core nobody is served until then.
func Sync(f *os.File) error {
	defer runtime.KeepAlive(f)
	for {
		errno := dataSync(f.Fd())
		if errno == 0 {
			return nil
		}
		if !errors.Is(errno, syscall.EINTR) {
			return os.NewSyscallError("fdatasync", errno)
		}
	}
}

// dataSync is fdatasync between the two calls that the runtime has around a system call which it
// knows to block. Its stack must not move meanwhile, so all that it calls must be nosplit.
//
//go:nosplit
//go:norace
func dataSync(fd uintptr) syscall.Errno {
	enterBlocking()
	_, _, errno := syscall.RawSyscall(syscall.SYS_FDATASYNC, fd, 0, 0)
	exitBlocking()
	return errno
}

// The runtime keeps both for programs outside of it: https://go.dev/issue/67401.

//go:linkname enterBlocking runtime.entersyscallblock
func enterBlocking()

//go:linkname exitBlocking runtime.exitsyscall
func exitBlocking()

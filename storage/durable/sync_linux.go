// Package durable has what was written to files survive a power cut.
package durable

import (
	"errors"
	"os"
	"runtime"
	"syscall"
	"unsafe" // for go:linkname, and the address of mapped memory

	"golang.org/x/sys/unix"
)

// Sync makes what was written to a file durable, and its length; not its times (fdatasync). It
// waits for the disk without a processor of the runtime's: the runtime takes that from a usual
// system call only when it has looked twice, and on one core nobody is served until then.
func Sync(f *os.File) error {
	defer runtime.KeepAlive(f)
	return os.NewSyscallError("fdatasync", blocking(syscall.SYS_FDATASYNC, f.Fd(), 0, 0))
}

// Populate has the pages of a mapped stretch, which is not empty, there and writable, and waits in
// the same way (MADV_POPULATE_WRITE).
func Populate(mapped []byte) error {
	at := uintptr(unsafe.Pointer(unsafe.SliceData(mapped))) //nolint:gosec // not the collector's memory: it stays where it is
	return os.NewSyscallError("madvise", blocking(syscall.SYS_MADVISE, at, uintptr(len(mapped)), unix.MADV_POPULATE_WRITE))
}

func blocking(call, a, b, c uintptr) error {
	for {
		errno := withoutProcessor(call, a, b, c)
		if errno == 0 {
			return nil
		}
		if !errors.Is(errno, syscall.EINTR) {
			return errno
		}
	}
}

// withoutProcessor is a system call between the two calls that the runtime has around one which it
// knows to block. Its stack must not move meanwhile, so all that it calls must be nosplit.
//
//go:nosplit
//go:norace
func withoutProcessor(call, a, b, c uintptr) syscall.Errno {
	enterBlocking()
	_, _, errno := syscall.RawSyscall(call, a, b, c)
	exitBlocking()
	return errno
}

// The runtime keeps both for programs outside of it: https://go.dev/issue/67401.

//go:linkname enterBlocking runtime.entersyscallblock
func enterBlocking()

//go:linkname exitBlocking runtime.exitsyscall
func exitBlocking()

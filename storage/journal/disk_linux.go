package journal

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// allocate sets blocks aside beyond the file's end, so that a full disk is noticed now and not
// when a record needs them. A file system that cannot goes without.
func allocate(f *os.File, size int64) error {
	if size == 0 {
		return nil
	}
	err := fallocate(f, unix.FALLOC_FL_KEEP_SIZE, 0, size)
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) {
		return nil
	}
	return err
}

// fallocate sets a stretch of a file aside. Unless mode keeps its length, the file is at least so
// long then, and never shorter than it was.
func fallocate(f *os.File, mode uint32, from, size int64) error {
	for {
		err := unix.Fallocate(int(f.Fd()), mode, from, size)
		if !errors.Is(err, unix.EINTR) {
			return os.NewSyscallError("fallocate", err)
		}
	}
}

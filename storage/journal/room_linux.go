package journal

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/aistrale/aistrale/storage/durable"
)

// room is a segment's file as memory. What is put there is in the kernel's cache of the file, as
// after a write: the end of the process loses none of it, and fsync makes it durable. A system
// call for each record would cost three times the rest of it.
//
// Only a stretch that was prepared is used, whose pages are there and dirty already: so a page
// fault, in which the runtime would wait for the disk without knowing it, is left to prepare.
type room struct {
	bytes []byte
	aside int64        // set aside up to here, by prepare, which one calls at a time
	ready atomic.Int64 // prepared up to here, 0 during a sync, which makes all pages clean
}

// newRoom maps a file that is to grow to size. Where the file system is not known to keep
// mapped pages and writes in one cache, there is no room.
func newRoom(f *os.File, size int64) *room {
	var about unix.Statfs_t
	if err := unix.Fstatfs(int(f.Fd()), &about); err != nil || !slices.Contains([]int64{
		unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.F2FS_SUPER_MAGIC,
		unix.TMPFS_MAGIC, unix.OVERLAYFS_SUPER_MAGIC,
	}, int64(about.Type)) { //nolint:unconvert // its size differs between architectures
		return new(room)
	}
	bytes, err := unix.Mmap(int(f.Fd()), 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return new(room)
	}
	return &room{bytes: bytes}
}

// stretch is how much the file grows at once: to grow takes longer than the pages do.
const stretch = 256 << 10

// prepare makes ready what lies between two offsets. It grows the file, whose end is zeroed so
// until records are there. What cannot be made ready is written in the other way.
func (r *room) prepare(f *os.File, from, to int64) {
	page, most := int64(os.Getpagesize()), int64(len(r.bytes))
	from, to = from/page*page, min((to+page-1)/page*page, most)
	if from >= to {
		return
	}
	if to > r.aside {
		// Others may have written past that in the meantime: to set the length would cut their records off.
		grown := min(max(to, from+stretch), most)
		if fallocate(f, 0, from, grown-from) != nil {
			return
		}
		r.aside = grown
	}
	if durable.Populate(r.bytes[from:to]) == nil {
		r.ready.Store(to)
	}
}

// rest leaves all to be written in the other way, until it is prepared anew.
func (r *room) rest() { r.ready.Store(0) }

// put copies b to where it is ready, page by page, so that n is what the file has of it even
// where the disk no longer gives a page; ok is false where it is not ready.
func (r *room) put(b []byte, off int64) (n int, ok bool, err error) {
	if off+int64(len(b)) > r.ready.Load() {
		return 0, false, nil
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			if _, fault := p.(interface{ Addr() uintptr }); !fault {
				panic(p)
			}
			r.rest()
			err = fmt.Errorf("%w: %v", errPage, p)
		}
	}()
	for page := os.Getpagesize(); n < len(b); {
		at := off + int64(n)
		n += copy(r.bytes[at:min(at-at%int64(page)+int64(page), int64(len(r.bytes)))], b[n:])
	}
	return n, true, nil
}

var errPage = errors.New("the disk gives no page for it")

// end unmaps the room, and cuts off what is zeroed after the records.
func (r *room) end(f *os.File, size int64) error {
	if r.bytes == nil {
		return nil
	}
	r.rest()
	bytes := r.bytes
	r.bytes = nil
	return errors.Join(os.NewSyscallError("munmap", unix.Munmap(bytes)), f.Truncate(size))
}

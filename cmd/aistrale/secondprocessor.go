package main

import (
	"context"
	"runtime"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/journal"
)

// secondProcessor is a ledger whose writes have a processor of Go's runtime beside the one that
// serves requests, where it has one only: the kernel then shares out the core, which the runtime
// would leave for milliseconds to a commit, and to a system call that waits for the disk. It has
// one writer at a time.
type secondProcessor struct {
	journal.Ledger
	chosen bool // GOMAXPROCS in the environment says how many there are
}

func (l secondProcessor) Write(ctx context.Context, entries []storage.Entry) error {
	if runtime.GOMAXPROCS(0) == 1 {
		runtime.GOMAXPROCS(2)
		defer l.putBack()
	}
	return l.Ledger.Write(ctx, entries)
}

// putBack leaves the number to the runtime again, which follows what the system gives.
func (l secondProcessor) putBack() {
	if l.chosen {
		runtime.GOMAXPROCS(1)
		return
	}
	runtime.SetDefaultGOMAXPROCS()
}

package journal

import (
	"errors"
	"sync"

	"github.com/aistrale/aistrale/storage"
)

var errClosed = errors.New("the journal is closed")

// frames are records, encoded before the journal's mutex is taken.
type frames struct {
	bytes []byte
	of    []frame
}

type frame struct {
	end    int // in bytes
	opened bool
}

var framePool = sync.Pool{New: func() any { return &frames{bytes: make([]byte, 0, 2048), of: make([]frame, 0, 4)} }}

func (f *frames) encode(seed uint32, entries []*storage.Entry) {
	f.bytes, f.of = f.bytes[:0], f.of[:0]
	for _, e := range entries {
		f.bytes = appendRecord(f.bytes, seed, e)
		f.of = append(f.of, frame{end: len(f.bytes), opened: e.State == storage.EntryOpened})
	}
}

// dropOpened keeps the settled records only.
func (f *frames) dropOpened() {
	from, to, kept := 0, 0, f.of[:0]
	for _, r := range f.of {
		if !r.opened {
			to += copy(f.bytes[to:], f.bytes[from:r.end])
			kept = append(kept, frame{end: to})
		}
		from = r.end
	}
	f.bytes, f.of = f.bytes[:to], kept
}

func (f *frames) settled() (n int) {
	for _, r := range f.of {
		if !r.opened {
			n++
		}
	}
	return n
}

// Append writes the entries, and returns when no end of the process can lose them (with
// SyncAlways, no power cut either). Whatever is not opened is settled: it will be shipped.
//
// Where the disk takes no records and the policy is deny, the error wraps ErrUnavailable, and
// what was to be opened must not be sent. Settled entries are then tried all the same, those
// beside opened ones too; those that can't be kept are told to Options.Lost. Where the policy is
// to continue, there is no error.
func (j *Journal) Append(entries ...*storage.Entry) error {
	f := framePool.Get().(*frames)
	defer framePool.Put(f)
	f.encode(j.seed, entries)
	wait, lost, err := j.write(f)
	if lost > 0 {
		j.o.Lost(lost)
	}
	if wait != nil {
		<-wait.done
		if wait.err != nil && err == nil {
			err = wait.err
			j.void(entries)
		}
	}
	if err == nil || j.o.Continue {
		return nil
	}
	return unavailable(err)
}

// write puts the records into the current segment. It gives the fsync to wait for, if any.
func (j *Journal) write(f *frames) (wait *round, lost int, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		j.lose(f.settled(), errClosed)
		return nil, f.settled(), errClosed
	}
	if j.trouble.err != nil && !j.o.Continue {
		before := len(f.of)
		if f.dropOpened(); len(f.of) < before {
			err = j.trouble.err
		}
	}
	if len(f.of) == 0 {
		return nil, 0, err
	}
	if failed := j.put(f.bytes); failed != nil {
		lost = len(f.of)
		if !j.o.Continue {
			lost = f.settled() // what is not sent is not lost
		}
		j.lose(lost, failed)
		return nil, lost, failed
	}
	if n := f.settled(); n > 0 {
		j.owed.Add(int64(n))
		if j.asleep.Load() {
			signal(j.wake)
		}
	}
	if j.o.Sync == SyncAlways {
		wait = j.round
	}
	return wait, 0, err
}

// void takes back the opened ones among entries that were written and then refused, so that
// nobody is charged for what was not sent.
func (j *Journal) void(entries []*storage.Entry) {
	if j.o.Continue {
		return
	}
	var b []byte
	for _, e := range entries {
		if e.State == storage.EntryOpened {
			b = appendRecord(b, j.seed, &storage.Entry{RequestID: e.RequestID, Attempt: e.Attempt, State: stateVoid})
		}
	}
	if len(b) == 0 {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.closed {
		_ = j.put(b) // where it fails, the attempt is charged as lost; the disk is in trouble already
	}
}

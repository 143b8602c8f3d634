package journal

import (
	"errors"
	"os"
	"sync/atomic"

	"github.com/aistrale/aistrale/storage"
)

// heldSegments is how many shipped segments may wait for an older one, which an attempt that is
// still under way holds. They are removed in their order, so that the settled entry of an opened
// one that is still there is there too. Past that many (64 MiB) room counts for more: then, if
// the process dies, such an attempt may be shipped as lost once more, which the ledger has in a
// better form already and does not take.
const heldSegments = 16

// source is a run that is shipped: this process's own, or a dead one.
type source struct {
	run     *run
	tail    *tail
	lag     *atomic.Int64
	extents []extent
	open    map[attempt]place // opened and not settled
	opens   map[int]int       // so many of them, by segment
	taken   int64             // entries in the shipper's batch
	saved   place

	live *Journal // nil for a dead run

	shipped place   // dead: what is settled before it is in the ledger
	lost    []place // dead: of opened entries that nothing settles; found when it was adopted
	owed    int64   // dead: entries still to be shipped
	read    bool    // dead: nothing more is to come
	failed  int     // tries in a row to read an opened entry again
}

func newLive(j *Journal) *source {
	s := &source{run: j.run, lag: &j.owed, live: j, open: map[attempt]place{}, opens: map[int]int{}}
	s.tail = newTail(j.run, func(from place, bytes int64, _ bool) { j.shipper.damaged(j.run, from, bytes, true) })
	return s
}

// adopt reads a dead run through once, to know what is owed.
func adopt(r *run, s *shipper) (*source, error) {
	src := &source{run: r, lag: &s.adopted, open: map[attempt]place{}, opens: map[int]int{}, shipped: readPosition(r)}
	src.tail = newTail(r, func(from place, bytes int64, atEnd bool) {
		if !from.before(src.shipped) {
			s.damaged(r, from, bytes, !atEnd)
		}
	})
	defer src.tail.close()
	var err error
	if src.extents, err = r.extents(); err != nil {
		return nil, err
	}
	for {
		rec, where, ok, err := src.tail.next(src.extents)
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		src.note(rec, where)
		switch {
		case !isSettled(rec):
		case where.before(src.shipped):
			s.inherit(rec)
		default:
			src.owed++
		}
	}
	for _, where := range src.open {
		src.lost = append(src.lost, where)
	}
	sortPlaces(src.lost)
	src.owed += int64(len(src.lost))
	src.lag.Add(src.owed)
	told := src.tail.at
	src.tail = newTail(r, func(from place, bytes int64, _ bool) {
		if told.before(from) { // what is damaged before was told above
			s.damaged(r, from, bytes, true)
		}
	})
	src.tail.at = src.shipped
	return src, nil
}

// note keeps count of the opened entries.
func (s *source) note(rec record, where place) {
	if was, ok := s.open[rec.of]; ok {
		delete(s.open, rec.of)
		s.opens[was.seq]--
	}
	if rec.state == storage.EntryOpened {
		s.open[rec.of] = where
		s.opens[where.seq]++
	}
}

// refresh sees what was written since.
func (s *source) refresh() {
	if s.live != nil {
		s.extents = s.live.written(s.extents[:0])
	}
}

// next gives the next record to be shipped; lost where it is an opened one.
func (s *source) next() (rec record, lost, ok bool, err error) {
	for {
		rec, where, ok, err := s.tail.next(s.extents)
		if err != nil {
			return rec, false, false, err
		}
		if !ok {
			break
		}
		if s.live != nil {
			s.note(rec, where)
		}
		if isSettled(rec) {
			return rec, false, true, nil
		}
	}
	for len(s.lost) > 0 {
		rec, err = s.tail.recordAt(s.lost[0])
		if s.failed++; err != nil && s.failed < readTries {
			return rec, false, false, err
		}
		if err != nil {
			s.tail.skipped(s.lost[0], headSize, false)
		}
		s.failed, s.lost = 0, s.lost[1:]
		if err == nil {
			return rec, true, true, nil
		}
	}
	s.read = s.live == nil
	return rec, false, false, nil
}

// delivered notes that all that was taken is in the ledger, and lets go of what is not needed.
func (s *source) delivered() error {
	s.lag.Add(-s.taken)
	s.owed -= s.taken
	s.taken = 0
	var err error
	if s.saved != s.tail.at {
		s.saved = s.tail.at
		err = writePosition(s.run, s.saved)
	}
	if s.live == nil {
		return err
	}
	s.live.caughtUp(s.tail.at)
	return errors.Join(err, s.live.reap(s.tail.at.seq, s.opens))
}

// finish removes a dead run that is shipped.
func (s *source) finish() error {
	s.tail.close()
	s.lag.Add(-s.owed) // what damage took since it was counted
	return s.run.remove()
}

// caughtUp sets the lag right where all was shipped, and damage took some that had been counted.
func (j *Journal) caughtUp(at place) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if n := len(j.segs); n > 0 && at == (place{seq: j.segs[n-1].seq, off: j.segs[n-1].size}) {
		j.owed.Store(0)
	}
}

// written lists how far the segments of this run are written.
func (j *Journal) written(into []extent) []extent {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, s := range j.segs {
		into = append(into, extent{seq: s.seq, size: s.size})
	}
	return into
}

// reap removes segments before seq, all of which are shipped, from which no attempt is open.
func (j *Journal) reap(seq int, opens map[int]int) error {
	var gone []int
	j.mu.Lock()
	kept, held := j.segs[:0], 0
	for _, s := range j.segs {
		switch {
		case s.seq >= seq:
			kept = append(kept, s)
		case opens[s.seq] > 0, 0 < held && held < heldSegments:
			kept = append(kept, s)
			held++
		default:
			gone = append(gone, s.seq)
		}
	}
	clear(j.segs[len(kept):])
	j.segs = kept
	j.mu.Unlock()
	var err error
	for _, s := range gone {
		delete(opens, s)
		if failed := os.Remove(j.run.segment(s)); failed != nil && !errors.Is(failed, os.ErrNotExist) {
			err = errors.Join(err, failed)
		}
	}
	return err
}

package journal

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// round is one fsync that all who wrote before it began wait for.
type round struct {
	done chan struct{}
	err  error // set before done is closed
}

func newRound() *round { return &round{done: make(chan struct{})} }

func (j *Journal) noteDirty(s *segment) {
	if s.dirty || j.o.Sync == SyncNever {
		return
	}
	s.dirty = true
	j.dirty = append(j.dirty, s)
	signal(j.kick)
}

var errDistrusted = errors.New("an earlier one of the file failed")

// syncLoop makes durable what was written: at once, or after the interval. Where the disk fails,
// it waits before it tries again.
func (j *Journal) syncLoop() {
	for ended := false; !ended; {
		select {
		case <-j.done:
			ended = true
		case <-j.kick:
			if j.o.Sync == SyncInterval {
				ended = !j.sleep(j.o.pace.sync)
			}
		}
		if err := j.syncRound(); err != nil && !ended {
			ended = !j.sleep(j.o.pace.retry)
			signal(j.kick)
		}
	}
	_ = j.syncRound()
}

// unsynced is a segment as it was when its fsync began.
type unsynced struct {
	*segment
	upto int64
}

// syncRound makes durable what is written now. After a failed fsync the kernel may have dropped
// the pages and call a later one a success, so such a file is given up: its records are written
// anew to another one, which gets a second try.
func (j *Journal) syncRound() error {
	j.mu.Lock()
	r := j.round
	j.round = newRound() // whoever writes from now on waits for the next one
	dirty := j.takeDirty()
	j.mu.Unlock()
	failed, err := j.syncFiles(dirty)
	if failed != nil {
		j.mu.Lock()
		dirty = j.takeDirty()
		j.mu.Unlock()
		var again error
		failed, again = j.syncFiles(dirty)
		err = errors.Join(err, failed, again)
	}
	r.err = err
	close(r.done)
	return err
}

func (j *Journal) takeDirty() []unsynced {
	taken, written := make([]unsynced, len(j.dirty)), int64(0)
	for i, s := range j.dirty {
		s.dirty, s.syncing = false, true
		taken[i] = unsynced{s, s.size}
		written += s.size - s.synced
	}
	j.ahead = min(max(2*written, leastAhead), j.o.bytes)
	j.dirty = j.dirty[:0]
	return taken
}

// syncFiles gives why an fsync failed, and in err why the records were not written anew.
func (j *Journal) syncFiles(dirty []unsynced) (failed, err error) {
	for _, s := range dirty {
		why := errDistrusted
		if !s.failed { // this goroutine alone says so
			began := time.Now()
			why = s.file.Sync()
			j.o.Synced(time.Since(began))
			if why == nil {
				j.prepare(s.segment)
			}
		}
		j.mu.Lock()
		s.syncing = false
		if why == nil {
			s.synced = s.upto
			if s.segment != j.cur && !s.dirty {
				why = s.close()
			}
		}
		if why != nil {
			failed = fmt.Errorf("fsync: %w", why)
			err = errors.Join(err, j.distrust(s.segment, failed))
		}
		j.mu.Unlock()
	}
	return failed, err
}

// leastAhead is how many bytes are prepared at least for records that come before the next fsync;
// else it is twice what the last one had.
const leastAhead = 16 << 10

// prepare makes ready what follows the records of a segment, where it is still written to.
func (j *Journal) prepare(s *segment) {
	if j.o.Sync != SyncInterval { // else the fsync is what a record costs, or there is none
		return
	}
	j.mu.Lock()
	from, to, current := s.size, s.size+j.ahead, s == j.cur
	j.mu.Unlock()
	if current { // s.syncing keeps it open
		s.file.Prepare(from, to)
	}
}

// distrust gives a segment up whose fsync failed, and writes what it may lose to another one,
// before anything else is written: so the order stays. Where that fails, it is kept, and the next
// round tries again: as long as the machine runs, its records are there and are read. An entry
// that is so shipped twice counts once.
func (j *Journal) distrust(s *segment, why error) error {
	j.mark(why)
	j.dirty = slices.DeleteFunc(j.dirty, func(d *segment) bool { return d == s })
	s.failed, s.dirty = true, true
	var err error
	if s == j.cur {
		err = j.rotate()
	}
	if err == nil {
		err = j.rewrite(s)
	}
	if err != nil {
		j.dirty = append(j.dirty, s)
		return err
	}
	s.dirty = false
	_ = s.close() // that a file which failed fails again says nothing new
	return nil
}

// rewrite puts what was not made durable of s into the current segment.
func (j *Journal) rewrite(s *segment) error {
	b := make([]byte, s.size-s.synced)
	if _, err := s.file.ReadAt(b, s.synced); err != nil {
		j.o.Log.Error("records can't be read again after a failed fsync", "segment", s.seq, "err", err)
	}
	settled, whole := 0, 0
	for whole < len(b) {
		r, ok := parseRecord(b[whole:], j.seed)
		if !ok { // whole records only were written, so the disk lost the rest already
			break
		}
		if isSettled(r) {
			settled++
		}
		whole += r.size
	}
	if whole == 0 {
		return nil
	}
	if err := j.put(b[:whole]); err != nil {
		return err
	}
	j.owed.Add(int64(settled))
	return nil
}

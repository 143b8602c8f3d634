package journal

import (
	"errors"
	"fmt"
	"os"
	"time"
)

var errNoRoom = errors.New("no room for another segment")

// segment is one file of records. Its fields are under the journal's mutex.
type segment struct {
	seq    int
	file   file
	size   int64 // whole records only
	synced int64
	dirty  bool // written since the last fsync began

	syncing bool
	failed  bool // its fsync did, and what it may lose is not written anew yet
	closed  bool
}

func (s *segment) close() error {
	if s.closed {
		return nil
	}
	s.closed = true
	return s.file.Close()
}

// write appends b, whole or not at all. What a failing write did leave is zeroed, so that a
// record is never found that was refused.
func (s *segment) write(b []byte) error {
	n, err := s.file.WriteAt(b, s.size)
	if err != nil {
		if n > 0 {
			_, _ = s.file.WriteAt(make([]byte, n), s.size)
		}
		return err
	}
	s.size += int64(len(b))
	return nil
}

func (j *Journal) newSegment(size int64) (*segment, error) {
	j.lastSeq++
	f, err := j.o.disk.create(j.run.segment(j.lastSeq), size)
	if err != nil {
		return nil, err
	}
	return &segment{seq: j.lastSeq, file: f}, nil
}

// put writes records to the current segment, or where that is full or fails to the next one.
func (j *Journal) put(b []byte) error {
	var err error
	for range 2 {
		if j.cur == nil || j.cur.size > 0 && j.cur.size+int64(len(b)) > j.o.bytes {
			if err := j.rotate(); err != nil {
				return err
			}
		}
		if err = j.cur.write(b); err == nil {
			j.noteDirty(j.cur)
			return nil
		}
		err = fmt.Errorf("write: %w", err)
		j.retire()
		j.mark(err)
	}
	return err
}

// rotate takes the spare segment, or makes one where there was no time to. On a failing disk it
// tries that once a second, without setting room aside: what is still to be settled may fit.
func (j *Journal) rotate() error {
	next := j.spare
	j.spare = nil
	if next == nil {
		size := j.o.bytes
		if j.trouble.err != nil {
			if now := time.Now(); now.Sub(j.tried) < j.o.pace.retry {
				return errors.Join(errNoRoom, j.trouble.err)
			}
			j.tried, size = time.Now(), 0
		}
		var err error
		if next, err = j.newSegment(size); err != nil {
			j.mark(err)
			signal(j.needRoom)
			return err
		}
	}
	j.retire()
	j.cur = next
	j.segs = append(j.segs, next)
	signal(j.needRoom)
	return nil
}

// retire ends writing to the current segment. Where something is to be made durable yet, the
// next fsync closes it.
func (j *Journal) retire() {
	if j.cur != nil && !j.cur.dirty && !j.cur.syncing {
		_ = j.cur.close()
	}
	j.cur = nil
}

// makeRoom keeps a spare segment ready. A full disk is so noticed while the current segment
// still has room for what is to be settled.
func (j *Journal) makeRoom() {
	for {
		select {
		case <-j.done:
			return
		case <-j.needRoom:
		}
		if j.failing() && !j.sleep(j.o.pace.retry) {
			return
		}
		for !j.madeRoom() {
			if !j.sleep(j.o.pace.retry) {
				return
			}
		}
	}
}

func (j *Journal) madeRoom() bool {
	j.mu.Lock()
	if j.spare != nil {
		j.mu.Unlock()
		return true
	}
	j.lastSeq++
	seq, ahead := j.lastSeq, j.ahead
	j.mu.Unlock()
	path := j.run.segment(seq)
	f, err := j.o.disk.create(path, j.o.bytes)
	if err == nil && j.o.Sync == SyncInterval {
		f.Prepare(0, ahead)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if err != nil {
		j.mark(err)
		return false
	}
	if seq < j.lastSeq { // a later one was made meanwhile, and segments are read in their order
		_ = errors.Join(f.Close(), os.Remove(path))
		return false
	}
	j.spare = &segment{seq: seq, file: f}
	j.heal()
	return true
}

func (j *Journal) failing() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.trouble.err != nil
}

// sleep reports false where the journal ends meanwhile.
func (j *Journal) sleep(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-j.done:
		return false
	case <-t.C:
		return true
	}
}

// signal wakes who waits for c, if it is not woken already.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

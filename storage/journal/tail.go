package journal

import (
	"errors"
	"io"
	"os"
	"sort"
)

// extent is how far a segment is written.
type extent struct {
	seq  int
	size int64
}

const (
	tailBuffer = 4 * maxPayload
	pageSize   = 4096
	// readTries is how often the disk may fail to give a stretch before what it does give is
	// taken and the rest counts as damaged.
	readTries = 4
)

// tail reads a run's records in their order, past whatever is damaged.
type tail struct {
	run  *run
	seed uint32
	at   place // of the next record
	// skipped is told of every stretch of bytes that are no record; atEnd where nothing follows
	// in that segment.
	skipped func(from place, bytes int64, atEnd bool)

	file   *os.File
	seq    int    // of file
	buf    []byte // what was read of it
	from   int64  // offset of buf
	damage int64  // bytes passed over, directly before at
	blank  bool   // all of them are zero
	failed int    // reads in a row
}

func newTail(r *run, skipped func(place, int64, bool)) *tail {
	return &tail{run: r, seed: seedOf(r.id), skipped: skipped}
}

// next gives the next record within the extents and its place; ok is false at their end.
func (t *tail) next(extents []extent) (r record, where place, ok bool, err error) {
	for {
		i := sort.Search(len(extents), func(i int) bool { return extents[i].seq >= t.at.seq })
		if i == len(extents) {
			return r, t.at, false, nil
		}
		x := extents[i]
		if x.seq > t.at.seq {
			t.at = place{seq: x.seq}
		}
		if t.at.off >= x.size {
			t.tellDamage(true)
			if i == len(extents)-1 {
				return r, t.at, false, nil
			}
			t.at = place{seq: extents[i+1].seq}
			continue
		}
		b, err := t.window(x)
		if errors.Is(err, os.ErrNotExist) { // removed by hand
			t.damage, t.at.off = x.size-t.at.off, x.size
			continue
		}
		if err != nil {
			return r, t.at, false, err
		}
		if r, ok = t.scan(b, x); ok {
			t.tellDamage(false)
			where = t.at
			t.at.off += int64(r.size)
			return r, where, true, nil
		}
	}
}

// scan looks in b, which begins at t.at, for the first record, and moves t.at to it or to where
// one may still begin.
func (t *tail) scan(b []byte, x extent) (r record, ok bool) {
	last := len(b)
	if t.at.off+int64(len(b)) < x.size {
		last = len(b) - headSize - maxPayload // what begins later may end after b
	}
	off := 0
	for ; off < last; off++ {
		if r, ok = parseRecord(b[off:], t.seed); ok {
			break
		}
		t.blank = (t.blank || t.damage+int64(off) == 0) && b[off] == 0
	}
	t.at.off += int64(off)
	t.damage += int64(off)
	return r, ok
}

// tellDamage does not tell of zeros at the end: those are room that was made for records.
func (t *tail) tellDamage(atEnd bool) {
	if t.damage > 0 && !(atEnd && t.blank) {
		t.skipped(place{seq: t.at.seq, off: t.at.off - t.damage}, t.damage, atEnd)
	}
	t.damage, t.blank = 0, false
}

// window gives the segment's bytes from t.at on: to its end, or more than the longest record.
func (t *tail) window(x extent) ([]byte, error) {
	if err := t.open(x.seq); err != nil {
		return nil, err
	}
	have := t.from + int64(len(t.buf)) - t.at.off
	if t.at.off < t.from || have <= 0 || have < headSize+maxPayload+1 && t.at.off+have < x.size {
		if err := t.read(t.at.off, min(tailBuffer, x.size-t.at.off)); err != nil {
			return nil, err
		}
	}
	return t.buf[t.at.off-t.from:], nil
}

func (t *tail) open(seq int) error {
	if t.file != nil && t.seq == seq {
		return nil
	}
	t.close()
	f, err := os.Open(t.run.segment(seq))
	if err != nil {
		return err
	}
	t.file, t.seq = f, seq
	return nil
}

func (t *tail) close() {
	if t.file != nil {
		_ = t.file.Close()
	}
	t.file, t.buf, t.from = nil, t.buf[:0], 0
}

func (t *tail) read(off, size int64) error {
	if t.buf == nil {
		t.buf = make([]byte, 0, tailBuffer)
	}
	t.buf, t.from = t.buf[:size], off
	n, err := t.file.ReadAt(t.buf, off)
	switch {
	case err == nil:
	case errors.Is(err, io.EOF): // a file that became shorter is damaged like one that was overwritten
		clear(t.buf[n:])
	case t.failed < readTries:
		t.failed++
		t.buf = t.buf[:0]
		return err
	default:
		t.readPages(off)
	}
	t.failed = 0
	return nil
}

// readPages reads around pages that the disk does not give. They are as good as zeroed.
func (t *tail) readPages(off int64) {
	for at := 0; at < len(t.buf); at += pageSize {
		page := t.buf[at:min(at+pageSize, len(t.buf))]
		if n, err := t.file.ReadAt(page, off+int64(at)); err != nil {
			clear(page[n:])
		}
	}
}

// recordAt reads one record again. It does not move the tail.
func (t *tail) recordAt(p place) (record, error) {
	f, err := os.Open(t.run.segment(p.seq))
	if err != nil {
		return record{}, err
	}
	b := make([]byte, headSize+maxPayload)
	n, err := f.ReadAt(b, p.off)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	r, ok := parseRecord(b[:n], t.seed)
	if err == nil && !ok {
		err = errors.New("the record is damaged")
	}
	return r, errors.Join(err, f.Close())
}

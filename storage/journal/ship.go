package journal

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// Ledger takes settled entries. It must not keep the slice, and must be idempotent on (day,
// request id, attempt, revision): after a crash, or an error, entries are written again.
type Ledger interface {
	Write(ctx context.Context, entries []storage.Entry) error
}

// shipper brings what is settled to the ledger: the only way there.
type shipper struct {
	o       Options
	ledger  Ledger
	sources []*source // the dead runs, then this one
	batch   []storage.Entry
	left    []storage.Entry // of dead runs, to be told of when the ledger has the batch
	own     *atomic.Int64
	adopted atomic.Int64 // settled entries of dead runs that are not in the ledger
	looked  time.Time    // for dead runs
	seen    map[string]bool

	shipped  int
	wrote    time.Time // the ledger, for the last time
	fails    int       // writes in a row
	stuck    atomic.Pointer[error]
	suspects map[entryKey]int
}

func newShipper(o Options, own *atomic.Int64) *shipper {
	return &shipper{o: o, own: own, seen: map[string]bool{}, suspects: map[entryKey]int{}}
}

// Ship brings settled entries to the ledger, until ctx ends: this run's, and those of dead runs.
// A ledger that fails is tried again for as long as it takes. Flush, with a context of its own,
// then ships what was settled last.
func (j *Journal) Ship(ctx context.Context, ledger Ledger) error {
	j.shipMu.Lock()
	defer j.shipMu.Unlock()
	s := j.shipper
	s.ledger = ledger
	for ctx.Err() == nil {
		s.adopt()
		n, err := s.step(ctx)
		switch {
		case err != nil:
			s.pause(ctx)
		case n < j.o.Batch:
			j.idle(ctx)
		}
	}
	return nil
}

// Flush ships what is settled when it is called, this run's and dead ones'. It tries until ctx
// ends; what is not shipped then stays for the next process.
func (j *Journal) Flush(ctx context.Context, ledger Ledger) error {
	j.shipMu.Lock()
	defer j.shipMu.Unlock()
	j.shipper.ledger = ledger
	return j.shipper.drain(ctx, 0)
}

// idle waits until something is settled, and then for more of it: not for long where the last
// write was long ago, so that who makes a call and asks what it cost finds it.
func (j *Journal) idle(ctx context.Context) {
	j.asleep.Store(true)
	defer j.asleep.Store(false)
	look := time.NewTimer(j.o.pace.adopt)
	defer look.Stop()
	if j.owed.Load() == 0 {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
			return
		case <-j.wake:
		}
	}
	j.asleep.Store(false)
	wait(ctx, j.shipper.gathers())
}

// gathers says how long a settled entry waits for others.
func (s *shipper) gathers() time.Duration {
	return max(s.o.Wait-time.Since(s.wrote), s.o.Wait/25)
}

// drain ships all there is; tries is how many writes in a row may fail, 0 for any number. What
// can't be read it tries a few times only.
func (s *shipper) drain(ctx context.Context, tries int) error {
	s.looked = time.Time{}
	s.adopt()
	for unread := 0; ; {
		n, err := s.step(ctx)
		if err == nil && n == 0 {
			return nil
		}
		if err == nil {
			continue
		}
		if n == 0 {
			unread++
		}
		if ctx.Err() != nil || unread > 2*readTries || tries > 0 && s.fails >= tries {
			return err
		}
		s.pause(ctx)
	}
}

// step ships one batch, and says how many entries it had.
func (s *shipper) step(ctx context.Context) (n int, err error) {
	unread := s.fill()
	n = len(s.batch)
	if n == 0 && unread != nil {
		return 0, unread
	}
	if n > 0 {
		if err := s.write(ctx, s.batch); err != nil {
			if ctx.Err() == nil {
				s.trouble(err)
			}
			return n, s.isolate(ctx, err)
		}
		s.shipped += n
		s.wrote = time.Now()
		s.well()
	}
	return n, s.delivered()
}

// well notes that nothing is left of what could not be written.
func (s *shipper) well() {
	if s.fails > 0 {
		s.o.Log.Info("the ledger takes usage again", "lag", s.lag())
	}
	s.fails = 0
	s.stuck.Store(nil)
	clear(s.suspects)
}

// fill takes records from the sources until the batch is full. One that can't be read holds up
// no other.
func (s *shipper) fill() (unread error) {
	var breath storage.Breath
	owed := int(s.lag())
	for _, src := range s.sources {
		src.refresh()
		for len(s.batch) < s.o.Batch {
			rec, lost, ok, err := src.next()
			if err != nil {
				s.sayOnce(src.run.dir, "a journal can't be read", err)
				unread = err
			}
			if err != nil || !ok {
				break
			}
			s.take(src, rec, lost)
			if len(s.batch)%32 == 0 {
				breath.Take(owed)
			}
		}
	}
	return unread
}

func (s *shipper) take(src *source, rec record, lost bool) {
	src.taken++
	s.batch = append(s.batch, storage.Entry{})
	e := &s.batch[len(s.batch)-1]
	if err := e.Parse(rec.entry); err != nil {
		s.batch = s.batch[:len(s.batch)-1]
		s.damaged(src.run, src.tail.at, int64(rec.size), true)
	} else if lost {
		*e = e.Lost()
	}
	if src.live == nil && len(s.batch) > 0 {
		s.left = append(s.left, s.batch[len(s.batch)-1])
	}
}

// inherit notes a record of a dead run that the ledger has already: others may not know it.
func (s *shipper) inherit(rec record) {
	var e storage.Entry
	if err := e.Parse(rec.entry); err == nil {
		s.left = append(s.left, e)
	}
}

func (s *shipper) write(ctx context.Context, entries []storage.Entry) error {
	ctx, cancel := context.WithTimeout(ctx, s.o.pace.writeTime)
	defer cancel()
	return s.ledger.Write(ctx, entries)
}

// delivered ends a batch: all of it is in the ledger, or refused.
func (s *shipper) delivered() error {
	clear(s.batch)
	s.batch = s.batch[:0]
	told := s.tell()
	var err error
	s.sources = slices.DeleteFunc(s.sources, func(src *source) bool {
		err = errors.Join(err, src.delivered())
		if src.read && told {
			err = errors.Join(err, src.finish())
		}
		return src.read && told
	})
	if err != nil {
		s.o.Log.Warn("a shipped journal can't be tidied up", "err", err)
	}
	return nil
}

// tell hands on what dead runs left, and reports whether nothing is left to be told.
func (s *shipper) tell() bool {
	if len(s.left) == 0 {
		return true
	}
	if err := s.o.Adopted(s.left); err != nil {
		s.sayOnce(s.o.Dir+"/left", "what a dead process left cannot be handed on yet", err)
		return false
	}
	s.left = nil
	return true
}

// adopt takes over the runs of processes that died, now and then.
func (s *shipper) adopt() {
	if time.Since(s.looked) < s.o.pace.adopt {
		return
	}
	s.looked = time.Now()
	dead, err := deadRuns(s.o.Dir)
	if err != nil {
		s.sayOnce(s.o.Dir, "journals of dead processes can't be looked for", err)
	}
	for _, r := range dead {
		src, err := s.adoptRun(r)
		if err != nil {
			s.sayOnce(r.dir, "the journal of a dead process can't be adopted yet", err)
			_ = r.leave()
			continue
		}
		s.o.Log.Info("adopting the journal of a dead process", "run", r.id, "owed", src.owed, "unsettled", len(src.lost))
		s.o.Took(int(src.owed))
		s.sources = slices.Insert(s.sources, max(0, len(s.sources)-1), src)
	}
}

func (s *shipper) adoptRun(r *run) (*source, error) {
	if name, err := r.foreign(); err != nil || name != "" {
		return nil, errors.Join(err, errors.New("a newer release made "+name))
	}
	return adopt(r, s)
}

func (s *shipper) lag() int64 {
	n := s.adopted.Load()
	if s.own != nil {
		n += s.own.Load()
	}
	return n
}

// settled reports whether this run owes nothing: all was read and shipped, and nothing is open.
func (s *shipper) settled() bool {
	src := s.sources[len(s.sources)-1]
	src.refresh()
	last := src.tail.at
	for _, x := range src.extents {
		last = place{seq: x.seq, off: x.size}
	}
	return len(s.batch) == 0 && len(src.open) == 0 && !src.tail.at.before(last)
}

// close leaves the dead runs that are not finished to whoever comes next.
func (s *shipper) close() (err error) {
	for _, src := range s.sources {
		src.tail.close()
		if src.live == nil {
			err = errors.Join(err, src.run.leave())
		}
	}
	s.sources = nil
	return err
}

// trouble says once that shipping fails.
func (s *shipper) trouble(err error) {
	s.stuck.Store(&err)
	if s.fails++; s.fails == 1 {
		s.o.Log.Warn("the ledger takes no usage; it is kept and shipped later", "lag", s.lag(), "err", err)
	}
}

// sayOnce says what keeps being wrong with a folder, once.
func (s *shipper) sayOnce(dir, what string, err error) {
	if !s.seen[dir] {
		s.seen[dir] = true
		s.o.Log.Warn(what, "folder", dir, "err", err)
	}
}

// damaged tells of bytes that are no record. Where others follow, at least one was lost there;
// at the end it is mostly the record that was being written when the process died.
func (s *shipper) damaged(r *run, from place, bytes int64, lost bool) {
	level := slog.LevelInfo
	if lost {
		level = slog.LevelError
		s.o.Lost(1)
	}
	s.o.Log.Log(context.Background(), level, "skipped damaged bytes of the journal", "run", r.id, "segment", from.seq, "offset", from.off, "bytes", bytes)
}

// pause waits after a failure, longer each time.
func (s *shipper) pause(ctx context.Context) {
	d := s.o.pace.maxWait
	if n := s.fails - 1; n < 16 {
		d = min(d, s.o.pace.backoff<<max(0, n))
	}
	wait(ctx, d/2+rand.N(d/2+1)) //nolint:gosec // nodes must only not stay in step
}

func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

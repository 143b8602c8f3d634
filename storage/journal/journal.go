// Package journal keeps a note of every attempt in local append-only files, before it is sent
// and before its reply ends, and ships what is settled to a ledger. It must never lose a record
// without counting it, and never make a request wait for a database.
package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// ErrUnavailable is wrapped where the disk takes no record and journal.on_error is deny: the
// request must not be sent.
var ErrUnavailable = fmt.Errorf("%w: the journal's disk takes no records", storage.ErrLedgerUnavailable)

// SyncPolicy says when records are made to survive a power cut. They survive the end of the
// process, however it ends, in any case.
type SyncPolicy string

// The policies.
const (
	SyncInterval SyncPolicy = "interval" // at most SyncEvery after they were written
	SyncAlways   SyncPolicy = "always"   // before Append returns
	SyncNever    SyncPolicy = "never"    // when the operating system likes
)

// SyncEvery is the interval of SyncInterval.
const SyncEvery = 100 * time.Millisecond

// Options say how a journal is kept. Only Dir must be set.
type Options struct {
	Dir  string     // made where it is missing; several processes may share it
	Sync SyncPolicy // "" is SyncInterval
	// Continue lets requests go on where the disk takes no records; else they are denied.
	Continue bool
	Log      *slog.Logger
	// Lost is called with the number of records that could not be kept, or that damage on the
	// disk or a ledger's refusal took, from any goroutine.
	Lost func(n int)
	// Adopted is told what processes that died had settled lately, and what they did not live to
	// settle, when the ledger has it. It may be told of an entry again, and is after an error: until
	// it has taken all, the dead one's journal stays. It must not keep the slice.
	Adopted func(entries []storage.Entry) error
	// Synced is told how long each fsync took, and Took how many records of a dead run are brought
	// to the ledger in its place.
	Synced func(took time.Duration)
	Took   func(n int)
	// Batch is the most entries that are written to the ledger at once, and Wait how long after a
	// write the next one comes at the earliest: storage.FullBatch, 500 ms. A row of a large batch costs the
	// ledger a fraction of what one of a small batch does.
	Batch int
	Wait  time.Duration

	disk  disk
	pace  pace
	bytes int64 // of a segment
}

// pace holds the times that tests shorten.
type pace struct {
	sync      time.Duration // fsync at most so late
	retry     time.Duration // a failing disk is tried again
	adopt     time.Duration // dead runs are looked for
	backoff   time.Duration // the first wait for a ledger that fails, doubled each time
	maxWait   time.Duration // the longest
	writeTime time.Duration // for one batch
	sayAgain  time.Duration // between two log lines about lost records
}

func (o Options) filled() (Options, error) {
	switch o.Sync {
	case "":
		o.Sync = SyncInterval
	case SyncInterval, SyncAlways, SyncNever:
	default:
		return o, fmt.Errorf("journal.fsync: %q is none of always, interval and never", o.Sync)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Lost == nil {
		o.Lost = func(int) {}
	}
	if o.Adopted == nil {
		o.Adopted = func([]storage.Entry) error { return nil }
	}
	if o.Synced == nil {
		o.Synced = func(time.Duration) {}
	}
	if o.Took == nil {
		o.Took = func(int) {}
	}
	if o.Batch <= 0 {
		o.Batch = storage.FullBatch
	}
	if o.Wait <= 0 {
		o.Wait = 500 * time.Millisecond
	}
	if o.disk == nil {
		o.disk = osDisk{}
	}
	if o.bytes == 0 {
		o.bytes = 4 << 20
	}
	if o.pace == (pace{}) {
		o.pace = pace{
			sync: SyncEvery, retry: time.Second, adopt: 3 * time.Second, sayAgain: 10 * time.Second,
			backoff: 100 * time.Millisecond, maxWait: 10 * time.Second, writeTime: 30 * time.Second,
		}
	}
	return o, nil
}

// Journal is one process's. It is safe for concurrent use.
type Journal struct {
	o    Options
	run  *run
	seed uint32

	mu      sync.Mutex
	cur     *segment // takes the records; nil where it failed
	spare   *segment // the next one, with its room set aside; nil where that failed
	segs    []*segment
	dirty   []*segment // written since their last fsync
	round   *round     // the fsync that covers what is written now
	lastSeq int
	ahead   int64 // so many bytes are prepared in a segment
	trouble trouble
	toldAt  time.Time // when trouble was last logged
	tried   time.Time // when a failing disk was last asked for a segment
	closed  bool

	owed     atomic.Int64 // settled records of this run that are not in the ledger
	asleep   atomic.Bool  // the shipper waits for a settled record
	wake     chan struct{}
	kick     chan struct{} // there is something to fsync
	needRoom chan struct{} // there is no spare segment
	done     chan struct{}
	wg       sync.WaitGroup

	shipMu  sync.Mutex
	shipper *shipper
}

// Open makes a new run under o.Dir. Runs of dead processes there are adopted by Ship.
func Open(o Options) (*Journal, error) {
	o, err := o.filled()
	if err != nil {
		return nil, err
	}
	if err := makeDir(o.Dir); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	r, err := newRun(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	j := &Journal{
		o: o, run: r, seed: seedOf(r.id), round: newRound(), ahead: leastAhead,
		wake: make(chan struct{}, 1), kick: make(chan struct{}, 1), needRoom: make(chan struct{}, 1),
		done: make(chan struct{}),
	}
	j.shipper = newShipper(o, &j.owed)
	j.shipper.sources = []*source{newLive(j)}
	// The first segment is made here, so that a full disk is known before the first request.
	first, err := j.newSegment(o.bytes)
	if err != nil {
		j.mark(err)
		j.needRoom <- struct{}{}
	} else {
		j.spare = first
	}
	j.wg.Go(j.makeRoom)
	if o.Sync != SyncNever {
		j.wg.Go(j.syncLoop)
	}
	return j, nil
}

// Lag counts the settled records that are not in the ledger yet: of this run, and of those that
// were adopted.
func (j *Journal) Lag() int64 { return j.owed.Load() + j.shipper.adopted.Load() }

// Stands says how many bytes of records this run has on disk, and whether the disk takes none now.
func (j *Journal) Stands() (bytes int64, failing bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, s := range j.segs {
		bytes += s.size
	}
	return bytes, j.trouble.err != nil
}

// Close ends the journal, after Ship has returned. It removes the run's folder where nothing is
// owed; else the next process adopts it.
func (j *Journal) Close() error {
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		return nil
	}
	j.closed = true
	close(j.done)
	j.mu.Unlock()
	j.wg.Wait()

	j.shipMu.Lock()
	defer j.shipMu.Unlock()
	settled := j.shipper.settled()
	err := j.closeSegments()
	err = errors.Join(err, j.shipper.close())
	if settled {
		return errors.Join(err, j.run.remove())
	}
	return errors.Join(err, j.run.leave())
}

// closeSegments leaves no spare behind, which may hold room that others need.
func (j *Journal) closeSegments() (err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, s := range j.segs {
		err = errors.Join(err, s.close())
	}
	if j.spare != nil {
		err = errors.Join(err, j.spare.close(), os.Remove(j.run.segment(j.spare.seq)))
		j.spare = nil
	}
	return err
}

// Adopt ships what dead processes left under dir, once, and says how many entries. It gives up
// where the ledger fails, and what is not shipped stays. adopted is as in Options, or nil.
func Adopt(ctx context.Context, dir string, ledger Ledger, adopted func([]storage.Entry) error) (shipped int, err error) {
	return adoptAll(ctx, Options{Dir: dir, Adopted: adopted}, ledger, 1)
}

// AdoptAll is Adopt that tries until the ledger has it or ctx ends.
func AdoptAll(ctx context.Context, o Options, ledger Ledger) (shipped int, err error) {
	return adoptAll(ctx, o, ledger, 0)
}

func adoptAll(ctx context.Context, o Options, ledger Ledger, tries int) (shipped int, err error) {
	o.Dir = filepath.Clean(o.Dir)
	if o, err = o.filled(); err != nil {
		return 0, err
	}
	s := newShipper(o, nil)
	s.ledger = ledger
	err = s.drain(ctx, tries)
	return s.shipped, errors.Join(err, s.close())
}

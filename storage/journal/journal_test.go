package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// quick are the times that tests run by.
func quick() pace {
	return pace{
		sync: time.Millisecond, retry: time.Millisecond, adopt: time.Millisecond, sayAgain: time.Millisecond,
		backoff: time.Millisecond, maxWait: 4 * time.Millisecond, writeTime: time.Minute,
	}
}

func quickOptions(dir string) Options {
	return Options{Dir: dir, Batch: 500, Wait: time.Millisecond, pace: quick()}
}

func open(t testing.TB, o Options) *Journal {
	t.Helper()
	j, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

// shelf is a ledger in memory. fail, if set, is asked before each write.
type shelf struct {
	mu      sync.Mutex
	rows    map[attempt]storage.Entry
	writes  int
	again   int // entries that it had already
	biggest int
	fail    func(entries []storage.Entry) error
	changed chan struct{}
}

func newShelf() *shelf {
	return &shelf{rows: map[attempt]storage.Entry{}, changed: make(chan struct{}, 1)}
}

func (s *shelf) Write(_ context.Context, entries []storage.Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer signal(s.changed)
	s.writes++
	s.biggest = max(s.biggest, len(entries))
	if s.fail != nil {
		if err := s.fail(entries); err != nil {
			return err
		}
	}
	for i := range entries {
		of := attempt{entries[i].RequestID, entries[i].Attempt}
		if _, ok := s.rows[of]; ok {
			s.again++
			continue
		}
		s.rows[of] = entries[i]
	}
	return nil
}

func (s *shelf) failWith(f func([]storage.Entry) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = f
}

// settled gives the rows that are not lost ones.
func (s *shelf) count(state storage.EntryState) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.rows {
		if e.State == state {
			n++
		}
	}
	return n
}

// until waits for the shelf to hold what is wanted.
func (s *shelf) until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for !ok() {
		select {
		case <-s.changed:
		case <-time.After(time.Millisecond):
		case <-deadline:
			t.Fatalf("%s: not reached", what)
		}
	}
}

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

func opened(id uuid.UUID) *storage.Entry {
	return &storage.Entry{
		RequestID: id, Attempt: 1, Revision: 1, State: storage.EntryOpened, Time: time.UnixMicro(1755950000123456).UTC(),
		Series: storage.Series{Workspace: "default", Project: "default", Key: "k3x9a8bq", Provider: "mock", Model: "gpt"},
		Bound:  storage.Bound{Input: 100, Output: 4096},
	}
}

func settled(id uuid.UUID) *storage.Entry {
	e := opened(id)
	e.State, e.Final, e.Outcome, e.Status, e.UpstreamStatus = storage.EntrySettled, true, storage.OutcomeOK, 200, 200
	e.Lines = []providers.Normal{{InputUncached: 19, Output: 42}}
	e.UsageRaw = []byte(`{"prompt_tokens":19,"completion_tokens":42,"total_tokens":61}`)
	e.CostNano, e.PriceID, e.Duration = 103_000, "mock/gpt@2026-01-01#0badcafe", 120*time.Millisecond
	return e
}

func appendAll(t testing.TB, j *Journal, entries ...*storage.Entry) {
	t.Helper()
	for _, e := range entries {
		if err := j.Append(e); err != nil {
			t.Fatal(err)
		}
	}
}

func flush(t testing.TB, j *Journal, l Ledger) {
	t.Helper()
	if err := j.Flush(t.Context(), l); err != nil {
		t.Fatal(err)
	}
}

// abandon leaves the run as a process that was killed does: nothing is tidied up.
func abandon(j *Journal) {
	j.mu.Lock()
	j.closed = true
	close(j.done)
	j.mu.Unlock()
	j.wg.Wait()
	_ = j.shipper.close()
	_ = j.run.leave()
}

func folders(t testing.TB, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestJournal_ShipsWhatIsSettled(t *testing.T) {
	dir, ledger := t.TempDir(), newShelf()
	j := open(t, quickOptions(dir))
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = j.Ship(ctx, ledger) })
	const n = 3000
	var want []*storage.Entry
	for range n {
		e := settled(newID())
		want = append(want, e)
		appendAll(t, j, opened(e.RequestID), e)
	}
	stop()
	wg.Wait()
	flush(t, j, ledger)
	if j.Lag() != 0 {
		t.Errorf("lag %d", j.Lag())
	}
	for _, e := range want {
		if got := ledger.rows[attempt{e.RequestID, 1}]; got.CostNano != e.CostNano || string(got.UsageRaw) != string(e.UsageRaw) {
			t.Fatalf("%s: got %+v", e.RequestID, got)
		}
	}
	if len(ledger.rows) != n || ledger.again != 0 || ledger.biggest > 500 {
		t.Errorf("%d rows of %d, %d twice, batches of up to %d", len(ledger.rows), n, ledger.again, ledger.biggest)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if left := folders(t, dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// Segments go when they are shipped and no attempt in them is open.
func TestJournal_RemovesShippedSegments(t *testing.T) {
	o := quickOptions(t.TempDir())
	o.bytes = 4 << 10
	j, ledger := open(t, o), newShelf()
	long := newID()
	appendAll(t, j, opened(long))
	var most int
	for range 40 {
		for range 20 {
			id := newID()
			appendAll(t, j, opened(id), settled(id))
		}
		flush(t, j, ledger)
		segments, err := j.run.extents()
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, len(segments))
	}
	if most > heldSegments+3 {
		t.Errorf("%d segments are held for one open attempt", most)
	}
	appendAll(t, j, settled(long))
	flush(t, j, ledger)
	segments, err := j.run.extents()
	if err != nil {
		t.Fatal(err)
	}
	if len(segments) > 2 { // the current one and the spare
		t.Errorf("%d segments are left where nothing is open", len(segments))
	}
}

func TestJournal_CloseKeepsWhatIsOwed(t *testing.T) {
	f := func(what string, entries ...*storage.Entry) {
		t.Helper()
		dir := t.TempDir()
		j := open(t, quickOptions(dir))
		appendAll(t, j, entries...)
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		if len(folders(t, dir)) != 1 {
			t.Errorf("%s: the folder is gone", what)
		}
		ledger := newShelf()
		if n, err := Adopt(t.Context(), dir, ledger, nil); n != 1 || err != nil || len(folders(t, dir)) != 0 {
			t.Errorf("%s: adopted %d, %v; left: %v", what, n, err, folders(t, dir))
		}
	}
	id := newID()
	f("settled", opened(id), settled(id))
	f("opened", opened(id))
}

func TestJournal_AppendAfterClose(t *testing.T) {
	var lost int
	o := quickOptions(t.TempDir())
	o.Lost = func(n int) { lost += n }
	j := open(t, o)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if err := j.Append(opened(newID())); !errors.Is(err, ErrUnavailable) || lost != 0 {
		t.Errorf("opened: %v, %d lost", err, lost)
	}
	if err := j.Append(settled(newID())); !errors.Is(err, ErrUnavailable) || lost != 1 {
		t.Errorf("settled: %v, %d lost", err, lost)
	}
}

func TestOpen_Refuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f := func(o Options) {
		t.Helper()
		if j, err := Open(o); err == nil {
			_ = j.Close()
			t.Error("no error")
		}
	}
	f(Options{Dir: filepath.Join(file, "journal")})
	f(Options{Dir: t.TempDir(), Sync: "sometimes"})
}

// Many appenders, one shipper, small segments: each is there once.
func TestJournal_Concurrent(t *testing.T) {
	for _, policy := range []SyncPolicy{SyncInterval, SyncAlways, SyncNever} {
		t.Run(string(policy), func(t *testing.T) {
			o := quickOptions(t.TempDir())
			o.Sync, o.bytes = policy, 32<<10
			j, ledger := open(t, o), newShelf()
			ctx, stop := context.WithCancel(t.Context())
			var shipping, appending sync.WaitGroup
			shipping.Go(func() { _ = j.Ship(ctx, ledger) })
			ids := make([][]uuid.UUID, 8)
			for w := range ids {
				appending.Go(func() {
					for range 200 {
						id := newID()
						ids[w] = append(ids[w], id)
						if err := errors.Join(j.Append(opened(id)), j.Append(settled(id))); err != nil {
							t.Error(err)
						}
					}
				})
			}
			appending.Wait()
			stop()
			shipping.Wait()
			flush(t, j, ledger)
			for _, id := range slices.Concat(ids...) {
				if ledger.rows[attempt{id, 1}].State != storage.EntrySettled {
					t.Fatalf("%s is missing", id)
				}
			}
			if len(ledger.rows) != 1600 || ledger.again != 0 || j.Lag() != 0 {
				t.Errorf("%d rows, %d twice, lag %d", len(ledger.rows), ledger.again, j.Lag())
			}
		})
	}
}

// A ledger that is away holds up nothing but itself.
func TestJournal_LedgerAway(t *testing.T) {
	j, ledger := open(t, quickOptions(t.TempDir())), newShelf()
	ledger.fail = func([]storage.Entry) error { return errors.New("connection refused") }
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = j.Ship(ctx, ledger) })
	for range 1200 {
		id := newID()
		appendAll(t, j, opened(id), settled(id))
	}
	ledger.until(t, "several tries", func() bool {
		ledger.mu.Lock()
		defer ledger.mu.Unlock()
		return ledger.writes > 10
	})
	if j.Lag() != 1200 {
		t.Errorf("lag %d", j.Lag())
	}
	ledger.failWith(nil)
	ledger.until(t, "all shipped", func() bool { return ledger.count(storage.EntrySettled) == 1200 })
	stop()
	wg.Wait()
	flush(t, j, ledger)
	if j.Lag() != 0 {
		t.Errorf("lag %d", j.Lag())
	}
}

func ExampleJournal_Append() {
	dir, err := os.MkdirTemp("", "journal")
	if err != nil {
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	j, err := Open(Options{Dir: dir})
	if err != nil {
		return
	}
	id := uuid.MustParse("0198c2a4-7d1e-7b3c-9a55-0123456789ab")
	fmt.Println(j.Append(opened(id)), j.Append(settled(id)), j.Lag())
	fmt.Println(j.Flush(context.Background(), newShelf()), j.Lag(), j.Close())
	// Output:
	// <nil> <nil> 1
	// <nil> 0 <nil>
}

package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/storagetest"
)

func journalOn(t testing.TB, s *Store, o JournalOptions) *Journal {
	t.Helper()
	j := NewJournal(s, o)
	t.Cleanup(func() { do(t, j.Close()) })
	return j
}

// openedOf is the entry that is opened before e is settled.
func openedOf(e storage.Entry) *storage.Entry {
	e.State, e.Outcome, e.Final, e.Status, e.Lines, e.UsageRaw = storage.EntryOpened, "", false, 0, nil, nil
	e.Bound = storage.Bound{Input: 1000, Output: 500}
	e.Charge = storage.Charge{CostNano: 7777, Estimated: true}
	return &e
}

func openAttempts(t testing.TB, s *Store) (n int) {
	t.Helper()
	do(t, s.queries.QueryRow(context.Background(), `SELECT count(*) FROM open_attempts`).Scan(&n))
	return n
}

func TestJournal(t *testing.T) {
	s := fresh(t)
	j := journalOn(t, s, JournalOptions{Node: "gw-1", Lost: func(n int) { t.Errorf("%d records lost", n) }})
	entries := entriesAt(noon, 0, 300)
	var wg sync.WaitGroup
	const callers = 20
	for c := range callers {
		wg.Go(func() {
			for i := c; i < len(entries); i += callers {
				e := entries[i]
				if err := errors.Join(j.Append(openedOf(e)), j.Append(&e)); err != nil {
					t.Error(err)
				}
				e = storage.Entry{} // the caller's memory is its own again
			}
		})
	}
	wg.Wait()
	wantUsage(t, s, entries)
	if n := openAttempts(t, s); n != 0 {
		t.Errorf("%d attempts are open after all were settled", n)
	}
	if lag := j.Lag(); lag != 0 {
		t.Errorf("%d records are owed", lag)
	}
}

// A failed attempt is settled with the same call that opens the next one.
func TestJournalTwoAttempts(t *testing.T) {
	s := fresh(t)
	j := journalOn(t, s, JournalOptions{})
	first := entryAt(noon, 1)
	first.Final, first.Outcome, first.Status = false, storage.OutcomeUpstreamError, 500
	second := entryAt(noon, 1)
	second.Attempt = 2
	do(t, j.Append(openedOf(first)))
	do(t, j.Append(&first, openedOf(second)))
	if n := openAttempts(t, s); n != 1 {
		t.Errorf("%d attempts are open, want the second", n)
	}
	do(t, j.Append(&second))
	wantUsage(t, s, []storage.Entry{first, second})
	if n := openAttempts(t, s); n != 0 {
		t.Errorf("%d attempts are open", n)
	}
}

// What a dead gateway left open is settled as lost, once, by whoever lives.
func TestJournalOfTheDead(t *testing.T) {
	s := fresh(t)
	dead := NewJournal(s, JournalOptions{Node: "dead"})
	entries := entriesAt(noon, 0, 12)
	for i := range entries {
		do(t, dead.Append(openedOf(entries[i])))
	}
	do(t, dead.Append(&entries[0]))
	dead.end() // it stops to say that it lives
	dead.done.Wait()

	const soon = 200 * time.Millisecond
	journalOn(t, s, JournalOptions{Node: "a", Dead: soon})
	journalOn(t, s, JournalOptions{Node: "b", Dead: soon})
	until(t, func() bool { return openAttempts(t, s) == 0 })
	want := []storage.Entry{entries[0]}
	for i := 1; i < len(entries); i++ {
		want = append(want, openedOf(entries[i]).Lost())
	}
	wantUsage(t, s, want)
	until(t, func() bool {
		var n int
		do(t, s.queries.QueryRow(t.Context(), `SELECT count(*) FROM instances WHERE node = 'dead'`).Scan(&n))
		return n == 0
	})
}

// An open attempt that the ledger never takes does not keep the others open.
func TestJournalOfTheDeadPoison(t *testing.T) {
	s := fresh(t)
	dead := NewJournal(s, JournalOptions{Node: "dead"})
	good, bad := entryAt(noon, 1), entryAt(noon, 2)
	bad.Attempt = -1
	do(t, dead.Append(openedOf(bad), openedOf(good)))
	dead.end()
	dead.done.Wait()
	var lost atomic.Int64
	journalOn(t, s, JournalOptions{Node: "a", Dead: 200 * time.Millisecond, Lost: func(n int) { lost.Add(int64(n)) }})
	until(t, func() bool { return openAttempts(t, s) == 0 })
	wantUsage(t, s, []storage.Entry{openedOf(good).Lost()})
	if lost.Load() != 1 {
		t.Errorf("%d records lost, want 1", lost.Load())
	}
}

// A gateway that was only taken for dead has the last word.
func TestJournalRevived(t *testing.T) {
	s := fresh(t)
	paused := NewJournal(s, JournalOptions{Node: "paused", Dead: time.Hour})
	t.Cleanup(func() { do(t, paused.Close()) })
	e := entryAt(noon, 1)
	do(t, paused.Append(openedOf(e)))
	journalOn(t, s, JournalOptions{Node: "hasty", Dead: 200 * time.Millisecond})
	until(t, func() bool { return openAttempts(t, s) == 0 })
	do(t, paused.Append(&e))
	do(t, paused.Append(&e)) // as after an answer that got lost
	e.Revision = 2
	wantUsage(t, s, []storage.Entry{e})
}

// until waits for a condition that another goroutine brings about.
func until(t testing.TB, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			t.Fatal("it did not come to pass within a minute")
		case <-again.C:
		}
	}
}

func TestJournalDenies(t *testing.T) {
	server := storagetest.PostgresServer(t)
	s := openAt(t, server.URL)
	var lost atomic.Int64
	j := journalOn(t, s, JournalOptions{Lost: func(n int) { lost.Add(int64(n)) }})
	running := entryAt(noon, 1)
	do(t, j.Append(openedOf(running)))
	server.Kill(t)

	refused, failed := entryAt(noon, 2), entryAt(noon, 3)
	if err := j.Append(openedOf(refused)); !errors.Is(err, storage.ErrLedgerUnavailable) {
		t.Errorf("error %v; want one that wraps ErrLedgerUnavailable", err)
	}
	// Beside an opened one nothing is kept: the caller still has it.
	if err := j.Append(&failed, openedOf(refused)); !errors.Is(err, storage.ErrLedgerUnavailable) || j.Lag() != 0 {
		t.Errorf("error %v and %d records owed; want a refusal of both", err, j.Lag())
	}
	if err := j.Append(&running); !errors.Is(err, storage.ErrLedgerUnavailable) || j.Lag() != 1 {
		t.Errorf("error %v and %d records owed; want that it is said, and owed", err, j.Lag())
	}
	server.Start(t)
	until(t, func() bool { return j.Lag() == 0 })
	after := entryAt(noon, 4)
	do(t, j.Append(openedOf(after)))
	do(t, j.Append(&after))
	wantUsage(t, s, []storage.Entry{running, after})
	if n := openAttempts(t, s); n != 0 || lost.Load() != 0 {
		t.Errorf("%d attempts are open, %d records lost; want none", n, lost.Load())
	}
}

func TestJournalContinues(t *testing.T) {
	server := storagetest.PostgresServer(t)
	s := openAt(t, server.URL)
	var lost atomic.Int64
	j := journalOn(t, s, JournalOptions{Continue: true, backlogMost: 10, Lost: func(n int) { lost.Add(int64(n)) }})
	server.Kill(t)
	entries := entriesAt(noon, 0, 13)
	for i := range entries {
		do(t, j.Append(openedOf(entries[i])))
		do(t, j.Append(&entries[i]))
	}
	if j.Lag() != 10 || lost.Load() != 3 {
		t.Errorf("%d owed and %d lost, want 10 and 3", j.Lag(), lost.Load())
	}
	server.Start(t)
	until(t, func() bool { return j.Lag() == 0 })
	wantUsage(t, s, entries[:10])
}

// An entry that the ledger never takes must not fail those that share its transaction, nor stay
// owed for ever.
func TestJournalPoison(t *testing.T) {
	s := fresh(t)
	var lost atomic.Int64
	j := journalOn(t, s, JournalOptions{Lost: func(n int) { lost.Add(int64(n)) }})
	good, bad := entriesAt(noon, 0, 20), entryAt(noon, 100)
	bad.Attempt = 0
	var wg sync.WaitGroup
	for i := range good {
		wg.Go(func() {
			if err := j.Append(&good[i]); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Go(func() {
		if err := j.Append(&bad); err == nil {
			t.Error("an entry without an attempt was kept")
		}
	})
	wg.Wait()
	wantUsage(t, s, good)
	if lost.Load() != 1 || j.Lag() != 0 {
		t.Errorf("%d lost and %d owed, want 1 and 0", lost.Load(), j.Lag())
	}
}

// The server dies under load, again and again: what Append said was kept is there, once.
func TestJournalKilledServer(t *testing.T) {
	server := storagetest.PostgresServer(t)
	s := openAt(t, server.URL)
	j := journalOn(t, s, JournalOptions{Lost: func(n int) { t.Errorf("%d records lost", n) }})
	var n atomic.Uint64
	var mu sync.Mutex
	var sent []storage.Entry
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				e := entryAt(noon, n.Add(1))
				if j.Append(openedOf(e)) != nil {
					time.Sleep(time.Millisecond) // the client of a refused request tries again
					continue
				}
				_ = j.Append(&e) // kept or owed
				mu.Lock()
				sent = append(sent, e)
				mu.Unlock()
			}
		})
	}
	progress := func(more int) {
		mu.Lock()
		from := len(sent)
		mu.Unlock()
		until(t, func() bool {
			mu.Lock()
			defer mu.Unlock()
			return len(sent) >= from+more
		})
	}
	for range 2 {
		progress(100)
		server.Kill(t)
		server.Start(t)
	}
	progress(100)
	close(stop)
	wg.Wait()
	until(t, func() bool { return j.Lag() == 0 })
	wantUsage(t, s, sent)
	if left := openAttempts(t, s); left != 0 {
		// A refused attempt that was open after all is closed by the next transaction.
		e := entryAt(noon, n.Add(1))
		do(t, j.Append(openedOf(e)))
		do(t, j.Append(&e))
		if left = openAttempts(t, s); left != 0 {
			t.Errorf("%d attempts are open", left)
		}
	}
}

func BenchmarkJournal(b *testing.B) {
	f := func(callers int) {
		b.Run(fmt.Sprintf("%d", callers), func(b *testing.B) {
			s := fresh(b)
			j := journalOn(b, s, JournalOptions{})
			entries := entriesAt(noon, 0, uint64(b.N))
			b.ResetTimer()
			began := cpu(b)
			var wg sync.WaitGroup
			for c := range callers {
				wg.Go(func() {
					for i := c; i < len(entries); i += callers {
						if err := errors.Join(j.Append(openedOf(entries[i])), j.Append(&entries[i])); err != nil {
							b.Error(err)
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64((cpu(b)-began).Microseconds())/float64(b.N), "cpu-us/request")
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
		})
	}
	f(1)
	f(100)
}

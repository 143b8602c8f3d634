package storagetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/aistrale/aistrale/storage"
)

// LedgerStore keeps entries and their roll-ups.
type LedgerStore interface {
	Write(ctx context.Context, entries []storage.Entry) error
	Usage(ctx context.Context, q storage.UsageQuery) ([]storage.UsageSum, error)
	// Entries calls f outside of any transaction; an entry is f's to keep.
	Entries(ctx context.Context, q storage.EntryQuery, f func(*storage.Entry) error) error
	Trim(ctx context.Context, now time.Time, keep storage.Keep) (rows int64, err error)
}

// Ledger tests a LedgerStore. fresh makes an empty one and gives a function that opens it, each
// time as another process would.
func Ledger(t *testing.T, fresh func(t *testing.T) (open func() LedgerStore)) {
	f := func(name string, test func(*testing.T, LedgerStore)) {
		t.Helper()
		t.Run(name, func(t *testing.T) { test(t, fresh(t)()) })
	}
	f("empty", ledgerEmpty)
	f("as it was", ledgerAsItWas)
	f("strange texts", ledgerStrangeTexts)
	f("refused", ledgerRefused)
	f("once", ledgerOnce)
	f("revisions", ledgerRevisions)
	f("negative difference", ledgerNegative)
	f("latest, in order, limited", ledgerLatest)
	f("the newest first", ledgerNewest)
	f("by request", ledgerByRequest)
	f("by time", ledgerByTime)
	f("filters", ledgerFilters)
	f("keys by id and name", ledgerKeys)
	f("tags", ledgerTags)
	f("time buckets", ledgerBuckets)
	f("percentiles", ledgerPercentiles)
	f("few measures", ledgerOnly)
	f("an error of the caller", ledgerCallersError)
	f("writes while it reads", ledgerWritesWhileReading)
	f("big batch", ledgerBigBatch)
	f("trim", ledgerTrim)
	f("reprice", ledgerReprice)
	f("roll-ups are the sums of rows", ledgerProperty)
	t.Run("several writers", func(t *testing.T) { ledgerWriters(t, fresh(t)) })
}

// entryAt makes a settled entry, the n-th of its moment, so long after the start.
func entryAt(after time.Duration, n int) storage.Entry {
	at := start().Add(after)
	return storage.Entry{
		RequestID: idOf(at, n), Attempt: 1, Revision: 1, State: storage.EntrySettled, Final: true, Time: at, Node: "one",
		Series:  storage.Series{Workspace: "default", Project: "default", Key: "abcd1234", KeyName: "ci", Provider: "mock", Model: "gpt"},
		Outcome: storage.OutcomeOK, Status: 200, Charge: storage.Charge{CostNano: 1000, PriceID: "mock/gpt@1"},
		Duration: 10 * time.Millisecond,
	}
}

// idOf is the n-th request id of a moment.
func idOf(at time.Time, n int) (id uuid.UUID) {
	ms := at.UnixMilli()
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	id[6], id[8] = 0x70, 0x80
	id[14], id[15] = byte(n>>8), byte(n)
	id[13] = byte(n >> 16)
	return id
}

// usage asks for sums.
func usage(t *testing.T, s LedgerStore, q storage.UsageQuery) []storage.UsageSum {
	t.Helper()
	sums, err := s.Usage(t.Context(), q)
	do(t, err)
	return sums
}

// total asks for the one sum of all.
func total(t *testing.T, s LedgerStore) storage.Totals {
	t.Helper()
	sums := usage(t, s, storage.UsageQuery{})
	if len(sums) != 1 {
		t.Fatalf("%d sums, want one", len(sums))
	}
	return sums[0].Totals
}

// entriesOf asks for entries.
func entriesOf(t *testing.T, s LedgerStore, q storage.EntryQuery) []storage.Entry {
	t.Helper()
	var all []storage.Entry
	do(t, s.Entries(t.Context(), q, func(e *storage.Entry) error {
		all = append(all, *e)
		return nil
	}))
	return all
}

func wantEntries(t *testing.T, got []storage.Entry, want ...storage.Entry) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d entries, want %d", len(got), len(want))
	}
	for i := range got {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Fatalf("entry %d is\n%+v, want\n%+v", i, got[i], want[i])
		}
	}
}

func ledgerEmpty(t *testing.T, s LedgerStore) {
	do(t, s.Write(t.Context(), nil))
	for _, q := range []storage.UsageQuery{
		{},
		{From: start(), To: start()},
		{From: start().Add(time.Hour), To: start()},
		{From: start(), To: start().Add(time.Hour), Where: []storage.Filter{{Dimension: storage.ByTag, Values: []string{"*"}}}},
	} {
		sums := usage(t, s, q)
		if len(sums) != 1 || sums[0] != (storage.UsageSum{}) {
			t.Fatalf("got %+v; want one sum of nothing", sums)
		}
	}
	sums := usage(t, s, storage.UsageQuery{By: storage.Dimensions(), Per: storage.Hour})
	if len(sums) != 0 {
		t.Fatalf("got %+v; want no sums", sums)
	}
	wantEntries(t, entriesOf(t, s, storage.EntryQuery{}))
	n, err := s.Trim(t.Context(), start(), storage.Keep{Rows: 1, Minutes: 1, Hours: 1, Days: 1})
	do(t, err)
	if n != 0 {
		t.Fatalf("%d rows went", n)
	}
}

func ledgerAsItWas(t *testing.T, s LedgerStore) {
	e := fullEntry()
	lost := entryAt(time.Second, 0).Lost()
	do(t, s.Write(t.Context(), []storage.Entry{e, lost}))
	wantEntries(t, entriesOf(t, s, storage.EntryQuery{}), e, lost)
	sum := total(t, s)
	want := storage.TotalsOf(&e)
	other := storage.TotalsOf(&lost)
	want.Add(&other)
	if sum != want {
		t.Fatalf("got %v, want %v", sum, want)
	}
}

// A list from the newest on goes on behind a request, over pages and days.
func ledgerNewest(t *testing.T, s LedgerStore) {
	var all []storage.Entry
	for i := range 700 {
		e := entryAt(time.Duration(i)*10*time.Minute, 0)
		second := e
		second.Attempt, e.Final = 2, false
		all = append(all, e, second)
	}
	do(t, s.Write(t.Context(), all))
	slices.Reverse(all)
	wantEntries(t, entriesOf(t, s, storage.EntryQuery{Newest: true}), all...)
	wantEntries(t, entriesOf(t, s, storage.EntryQuery{Newest: true, Before: all[601].RequestID.String(), Limit: 5}), all[602:607]...)
	wantEntries(t, entriesOf(t, s, storage.EntryQuery{Newest: true, From: start().Add(10 * time.Minute), To: start().Add(30 * time.Minute)}), all[1394:1398]...)
	if err := s.Entries(t.Context(), storage.EntryQuery{Before: "x"}, func(*storage.Entry) error { return nil }); err == nil {
		t.Error("what is no id was taken for one")
	}
}

// What the entry says stays, and counts, however odd it is.
func ledgerStrangeTexts(t *testing.T, s LedgerStore) {
	texts := []string{`'; DROP TABLE entries; --`, `"quoted" 'and' \escaped\`, "Ärger 漢字 \u202e", "%_*?[a]", strings.Repeat("x", 400)}
	var all []storage.Entry
	for i, text := range texts {
		e := entryAt(time.Duration(i)*time.Millisecond, 0)
		e.Model, e.User, e.Prompt = text, text, text
		all = append(all, e)
	}
	do(t, s.Write(t.Context(), all))
	wantEntries(t, entriesOf(t, s, storage.EntryQuery{}), all...)
	f := func(want int64, filters ...storage.Filter) {
		t.Helper()
		if got := usage(t, s, storage.UsageQuery{Where: filters})[0].Totals[storage.Attempts]; got != want {
			t.Fatalf("%+v counts %d, want %d", filters, got, want)
		}
	}
	for i, text := range texts {
		filter := storage.Filter{Dimension: storage.ByUser, Values: []string{text}}
		f(1, filter)
		wantEntries(t, entriesOf(t, s, storage.EntryQuery{Where: []storage.Filter{filter}}), all[i])
	}
	f(int64(len(texts)))
	f(1, storage.Filter{Dimension: storage.ByPrompt, Values: []string{"Ärger 漢*"}})
	hostile := entryAt(time.Second, 0)
	hostile.Model, hostile.Tags = "nul\x00 and \xff\xfe", []string{"a\x00b"}
	do(t, s.Write(t.Context(), []storage.Entry{hostile}))
	f(int64(len(texts)) + 1)
	if got := len(entriesOf(t, s, storage.EntryQuery{RequestID: hostile.RequestID.String()})); got != 1 {
		t.Fatalf("%d entries", got)
	}
}

func ledgerRefused(t *testing.T, s LedgerStore) {
	f := func(spoil func(*storage.Entry)) {
		t.Helper()
		e := entryAt(0, 1)
		spoil(&e)
		if err := s.Write(t.Context(), []storage.Entry{entryAt(0, 0), e}); err == nil {
			t.Fatalf("%+v was written", e)
		}
	}
	f(func(e *storage.Entry) { e.State = storage.EntryOpened })
	f(func(e *storage.Entry) { e.State = 0 })
	f(func(e *storage.Entry) { e.RequestID = uuid.Nil })
	f(func(e *storage.Entry) { e.Attempt = 0 })
	f(func(e *storage.Entry) { e.Revision = -1 })
	f(func(e *storage.Entry) { e.Revision = 1 << 40 })
	wantEntries(t, entriesOf(t, s, storage.EntryQuery{}))
	if sum := total(t, s); sum != (storage.Totals{}) {
		t.Fatalf("half a batch counts: %v", sum)
	}
	do(t, s.Write(t.Context(), []storage.Entry{entryAt(0, 0)}))
	if n := total(t, s)[storage.Requests]; n != 1 {
		t.Fatalf("%d requests after the refusals, want 1", n)
	}
}

func ledgerOnce(t *testing.T, s LedgerStore) {
	var all []storage.Entry
	for n := range 30 {
		all = append(all, entryAt(time.Duration(n)*time.Second, n))
	}
	do(t, s.Write(t.Context(), all[:20]))
	do(t, s.Write(t.Context(), all[:20]))
	do(t, s.Write(t.Context(), all[10:]))                              // overlapping
	do(t, s.Write(t.Context(), slices.Concat(all[5:9], all, all[:7]))) // within one batch
	other := all[3]
	other.CostNano = 999_999 // the first one counts
	do(t, s.Write(t.Context(), []storage.Entry{other}))
	wantEntries(t, entriesOf(t, s, storage.EntryQuery{}), all...)
	sum := total(t, s)
	if sum[storage.Requests] != 30 || sum[storage.CostNano] != 30_000 {
		t.Fatalf("%d requests for %d, want 30 for 30000", sum[storage.Requests], sum[storage.CostNano])
	}
}

// priced gives a later revision of an entry, at another cost.
func priced(e storage.Entry, revision int, cost int64) storage.Entry {
	e.Revision, e.CostNano, e.PriceID = revision, cost, fmt.Sprintf("mock/gpt@%d", revision)
	return e
}

func ledgerRevisions(t *testing.T, s LedgerStore) {
	first := entryAt(0, 0)
	f := func(want int64, write ...storage.Entry) {
		t.Helper()
		do(t, s.Write(t.Context(), write))
		sum := total(t, s)
		if sum[storage.CostNano] != want || sum[storage.Requests] != 1 || sum[storage.FirstLatency+4] != 1 {
			t.Fatalf("%d requests for %d, want 1 for %d", sum[storage.Requests], sum[storage.CostNano], want)
		}
	}
	f(1000, first)
	f(7000, priced(first, 2, 7000))
	f(7000, priced(first, 2, 7000))
	f(7000, first)
	f(500, priced(first, 5, 500))
	f(500, priced(first, 4, 4), priced(first, 3, 3)) // late ones
	f(8, priced(first, 7, 7), priced(first, 8, 8), priced(first, 6, 6), priced(first, 7, 7))
	got := entriesOf(t, s, storage.EntryQuery{})
	wantEntries(t, got, priced(first, 8, 8))
}

// A correction that takes away all there was leaves nothing behind.
func ledgerNegative(t *testing.T, s LedgerStore) {
	first := entryAt(0, 0)
	first.Tags = []string{"a"}
	do(t, s.Write(t.Context(), []storage.Entry{first}))
	unpriced := first
	unpriced.Revision, unpriced.Charge = 2, storage.Charge{Unpriced: "no price"}
	do(t, s.Write(t.Context(), []storage.Entry{unpriced}))
	for _, by := range [][]storage.Dimension{nil, {storage.ByTag}} {
		sums := usage(t, s, storage.UsageQuery{By: by})
		if len(sums) != 1 || sums[0].Totals[storage.CostNano] != 0 || sums[0].Totals[storage.Unpriced] != 1 || sums[0].Totals[storage.Requests] != 1 {
			t.Fatalf("by %v: %+v", by, sums)
		}
	}
}

func ledgerCallersError(t *testing.T, s LedgerStore) {
	do(t, s.Write(t.Context(), []storage.Entry{entryAt(0, 0), entryAt(0, 1)}))
	enough, calls := errors.New("enough"), 0
	wants(t, s.Entries(t.Context(), storage.EntryQuery{}, func(*storage.Entry) error { calls++; return enough }), enough)
	if calls != 1 {
		t.Fatalf("%d calls, want 1", calls)
	}
}

func ledgerWritesWhileReading(t *testing.T, s LedgerStore) {
	const n = 1200
	var all []storage.Entry
	for i := range n {
		all = append(all, entryAt(time.Duration(i)*time.Millisecond, i))
	}
	do(t, s.Write(t.Context(), all))
	seen := 0
	do(t, s.Entries(t.Context(), storage.EntryQuery{}, func(e *storage.Entry) error {
		seen++
		if seen%100 != 0 {
			return nil
		}
		return s.Write(t.Context(), []storage.Entry{priced(*e, 2, 5)})
	}))
	if seen != n {
		t.Fatalf("saw %d entries, want %d: one for each attempt", seen, n)
	}
}

func ledgerBigBatch(t *testing.T, s LedgerStore) {
	const n = 5000
	all := make([]storage.Entry, n)
	for i := range all {
		all[i] = entryAt(time.Duration(i)*time.Millisecond, i)
		all[i].Model = fmt.Sprintf("model-%d", i%150)
	}
	do(t, s.Write(t.Context(), all))
	wantEntries(t, entriesOf(t, s, storage.EntryQuery{}), all...)
	if sums := usage(t, s, storage.UsageQuery{By: []storage.Dimension{storage.ByModel}}); len(sums) != 150 {
		t.Fatalf("%d models, want 150", len(sums))
	}
	if sum := total(t, s); sum[storage.Requests] != n {
		t.Fatalf("%d requests, want %d", sum[storage.Requests], n)
	}
}

// Several processes that ship the same journals, in batches that overlap.
func ledgerWriters(t *testing.T, open func() LedgerStore) {
	const writers, n = 3, 300
	all := make([]storage.Entry, 0, 2*n)
	for i := range n {
		e := entryAt(time.Duration(i)*100*time.Millisecond, i)
		e.Model, e.Tags = fmt.Sprintf("model-%d", i%7), []string{fmt.Sprintf("tag-%d", i%5)}
		all = append(all, e, priced(e, 2, int64(i)))
	}
	var wg sync.WaitGroup
	for w := range writers {
		s := open()
		wg.Go(func() {
			for i := range len(all) / 20 {
				at := (i*7 + w*5) % (len(all) / 20) * 20 // each in an order of its own
				if err := s.Write(t.Context(), all[at:min(len(all), at+40)]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	wantReference(t, open(), all, storage.UsageQuery{})
	wantReference(t, open(), all, storage.UsageQuery{By: []storage.Dimension{storage.ByTag, storage.ByModel}, Per: storage.Minute})
	if got := len(entriesOf(t, open(), storage.EntryQuery{})); got != n {
		t.Fatalf("%d entries, want %d", got, n)
	}
}

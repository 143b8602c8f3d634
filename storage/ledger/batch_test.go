package ledger

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/aistrale/aistrale/storage"
)

// entry makes one of a moment, with its tags.
func entry(t testing.TB, moment string, n byte, tags ...string) storage.Entry {
	t.Helper()
	id := idAt(at(t, moment))
	id[6], id[8], id[15] = 0x70, 0x80, n
	return storage.Entry{
		RequestID: id, Attempt: 1, Revision: 1, State: storage.EntrySettled, Final: true, Outcome: storage.OutcomeOK,
		Series: storage.Series{Model: "gpt"}, Tags: tags, Charge: storage.Charge{CostNano: 100},
	}
}

func TestOrder(t *testing.T) {
	a, b, c := entry(t, "2026-01-01 00:00:00", 1), entry(t, "2026-01-01 00:00:00", 2), entry(t, "2026-01-01 00:00:01", 0)
	second, again := a, a
	second.Revision, again.CostNano = 2, 7
	ordered, err := Order([]storage.Entry{c, second, b, a, again, c})
	if err != nil {
		t.Fatal(err)
	}
	var got []storage.Entry
	for _, e := range ordered {
		got = append(got, *e)
	}
	want := []storage.Entry{a, second, b, c}
	if !slices.EqualFunc(got, want, func(x, y storage.Entry) bool { return compare(&x, &y) == 0 && x.CostNano == y.CostNano }) {
		t.Fatalf("got %+v, want %+v", got, want)
	}
	a.RequestID = uuid.Nil
	if _, err := Order([]storage.Entry{b, a}); !errors.Is(err, ErrEntry) {
		t.Fatalf("error %v, want %v", err, ErrEntry)
	}
}

// number gives each series its place as its number, from 10 on.
func number(b *Batch) []int64 {
	ids := make([]int64, len(b.Series()))
	for i := range ids {
		ids[i] = int64(10 + i)
	}
	return ids
}

func TestBatch(t *testing.T) {
	var b Batch
	first, second, third := entry(t, "2026-01-01 23:59:10", 1, "a"), entry(t, "2026-01-01 23:59:50", 2), entry(t, "2026-01-02 00:00:00", 3)
	for _, e := range []*storage.Entry{&first, &second, &third} {
		if own := b.Add(e, nil); b.Series()[own] != first.Series {
			t.Fatalf("the entry's own series is %+v", b.Series()[own])
		}
	}
	type sum struct {
		period        storage.Period
		series, start int64
		requests      int64
	}
	var got []sum
	for _, r := range b.Rows(number(&b)) {
		got = append(got, sum{r.Period, r.Series, r.Start, r.Totals[storage.Requests]})
	}
	unix := func(text string) int64 { return at(t, text).Unix() }
	want := []sum{
		{storage.Minute, 10, unix("2026-01-01 23:59:00"), 2},
		{storage.Minute, 10, unix("2026-01-02 00:00:00"), 1},
		{storage.Minute, 11, unix("2026-01-01 23:59:00"), 1},
		{storage.Hour, 10, unix("2026-01-01 23:00:00"), 2},
		{storage.Hour, 10, unix("2026-01-02 00:00:00"), 1},
		{storage.Hour, 11, unix("2026-01-01 23:00:00"), 1},
		{storage.Day, 10, unix("2026-01-01 00:00:00"), 2},
		{storage.Day, 10, unix("2026-01-02 00:00:00"), 1},
		{storage.Day, 11, unix("2026-01-01 00:00:00"), 1},
	}
	if !slices.Equal(got, want) {
		t.Fatalf("got\n%+v, want\n%+v", got, want)
	}
}

// Two series that a full store has as one are one row: an engine may refuse to touch a row twice
// in one statement.
func TestBatchFolded(t *testing.T) {
	var b Batch
	e := entry(t, "2026-01-01 00:00:00", 1, "a", "b")
	b.Add(&e, nil)
	rows := b.Rows([]int64{1, 2, 2})
	if len(rows) != 6 || rows[1].Series != 2 || rows[1].Totals[storage.Requests] != 2 {
		t.Fatalf("got %+v", rows)
	}
}

func TestBatchRevisions(t *testing.T) {
	first := entry(t, "2026-01-01 00:00:00", 1)
	revision := func(n int, cost int64) *storage.Entry {
		e := first
		e.Revision, e.CostNano = n, cost
		return &e
	}
	f := func(known *storage.Entry, requests, cost int64, added ...*storage.Entry) {
		t.Helper()
		var b Batch
		for _, e := range added {
			b.Add(e, known)
		}
		var got storage.Totals
		for _, r := range b.Rows(number(&b)) {
			if r.Period == storage.Day {
				got.Add(&r.Totals)
			}
		}
		if got[storage.Requests] != requests || got[storage.CostNano] != cost {
			t.Errorf("%d requests for %d, want %d for %d", got[storage.Requests], got[storage.CostNano], requests, cost)
		}
	}
	f(nil, 1, 100, &first)
	f(nil, 1, 30, revision(3, 30))
	f(nil, 1, 30, &first, revision(2, 500), revision(3, 30))
	f(&first, 0, -70, revision(3, 30))
	f(&first, 0, -70, revision(2, 500), revision(3, 30))
	f(revision(3, 30), 0, 0, &first, revision(2, 500))
	f(revision(3, 30), 0, 10, &first, revision(2, 500), revision(4, 40))
}

func TestPlain(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if got := plain(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
	f("", "")
	f("Ärger 漢字", "Ärger 漢字")
	f("a\x00b", "a\uFFFDb")
	f("a\xff\xfeb", "a\uFFFDb")
	f(strings.Repeat("x", 256), strings.Repeat("x", 256))
	f(strings.Repeat("x", 9999), strings.Repeat("x", 256))
	f("x"+strings.Repeat("ä", 200), "x"+strings.Repeat("ä", 127))
	f(strings.Repeat("\xff", 600), "\uFFFD")
}

func FuzzPlain(f *testing.F) {
	f.Add("a\x00b\xff")
	f.Add(strings.Repeat("漢", 300))
	f.Fuzz(func(t *testing.T, text string) {
		got := plain(text)
		if len(got) > longest || strings.ContainsRune(got, 0) || strings.ToValidUTF8(got, "?") != got || plain(got) != got {
			t.Fatalf("%q is %q", text, got)
		}
	})
}

func TestIDs(t *testing.T) {
	q := storage.EntryQuery{From: time.UnixMilli(0x1234), To: time.UnixMilli(0x1235).Add(999)}
	from, before, err := IDs(&q)
	if err != nil || from.String() != "00000000-1234-0000-0000-000000000000" || before.String() != "00000000-1235-0000-0000-000000000000" {
		t.Fatalf("from %s before %s, error %v", from, before, err)
	}
	q = storage.EntryQuery{RequestID: "00000000-1234-7000-8000-0000000000ff"}
	from, before, err = IDs(&q)
	if err != nil || from.String() != q.RequestID || before.String() != "00000000-1234-7000-8000-000000000100" {
		t.Fatalf("from %s before %s, error %v", from, before, err)
	}
}

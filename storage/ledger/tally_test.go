package ledger

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// listed is a ledger of a list.
type listed []storage.Entry

func (l listed) Usage(context.Context, storage.UsageQuery) ([]storage.UsageSum, error) {
	return nil, errors.New("roll-ups were asked")
}

func (l listed) Entries(_ context.Context, q storage.EntryQuery, f func(*storage.Entry) error) error {
	for i := range l {
		e := &l[i]
		if e.Began().Before(q.From) || !e.Began().Before(q.To) || !Matches(e, q.Where) {
			continue
		}
		if err := f(e); err != nil {
			return err
		}
	}
	return nil
}

func TestTally(t *testing.T) {
	var all listed
	for i, op := range []string{"chat", "embeddings", "chat", "chat"} {
		e := entry(t, fmt.Sprintf("2026-01-0%d 10:00:30", i+1), byte(i), "a", "b", "a")
		e.Op, e.Status = op, 200+i%2
		all = append(all, e)
	}
	f := func(tally Tally, want ...string) {
		t.Helper()
		tally.From, tally.To = at(t, "2026-01-01 10:00:59"), at(t, "2026-01-04 10:00:01") // rounded outwards
		sums, err := tally.Sums(t.Context(), all)
		if err != nil || len(sums) != len(want) {
			t.Fatalf("%+v, %v, want %q", sums, err, want)
		}
		for i, s := range sums {
			start := ""
			if !s.Start.IsZero() {
				start = s.Start.Format(time.DateOnly)
			}
			if got := fmt.Sprintf("%s %s %v %d", start, s.Tag, s.Facets, s.Totals[storage.Requests]); got != want[i] {
				t.Errorf("%d: %q, want %q", i, got, want[i])
			}
		}
	}
	f(Tally{ByFacets: []Facet{ByOperation}}, "  [chat] 3", "  [embeddings] 1")
	f(Tally{ByFacets: []Facet{ByStatus, ByOperation}}, "  [200 chat] 2", "  [201 chat] 1", "  [201 embeddings] 1")
	f(Tally{Facets: []FacetFilter{{ByOperation, []string{"ch*"}}}}, "  [] 3")
	f(Tally{Facets: []FacetFilter{{ByOperation, []string{"chat"}}, {ByStatus, []string{"201"}}}}, "  [] 1")
	f(Tally{UsageQuery: storage.UsageQuery{By: []storage.Dimension{storage.ByTag}}, ByFacets: []Facet{ByOperation}},
		" a [chat] 3", " a [embeddings] 1", " b [chat] 3", " b [embeddings] 1")
	f(Tally{UsageQuery: storage.UsageQuery{Where: []storage.Filter{{Dimension: storage.ByTag, Values: []string{"*"}}}}, ByFacets: []Facet{ByOperation}},
		"  [chat] 6", "  [embeddings] 2")
	f(Tally{UsageQuery: storage.UsageQuery{Per: storage.Day}, ByFacets: []Facet{ByOperation}},
		"2026-01-01  [chat] 1", "2026-01-02  [embeddings] 1", "2026-01-03  [chat] 1", "2026-01-04  [chat] 1")

	most := Tally{UsageQuery: storage.UsageQuery{Limit: 1, To: at(t, "2026-02-01 00:00:00")}, ByFacets: []Facet{ByOperation}}
	if _, err := most.Sums(t.Context(), all); !errors.Is(err, ErrTooMany) {
		t.Errorf("error %v", err)
	}
	n := 0
	q := storage.EntryQuery{To: at(t, "2026-02-01 00:00:00"), Limit: 2}
	if err := Each(t.Context(), all, q, []FacetFilter{{ByOperation, []string{"chat"}}}, func(*storage.Entry) error { n++; return nil }); err != nil || n != 2 {
		t.Errorf("%d of 2, %v", n, err)
	}
}

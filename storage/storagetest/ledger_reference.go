package storagetest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// wantReference compares the answer to a query with a plain sum over all entries.
func wantReference(t *testing.T, s LedgerStore, all []storage.Entry, q storage.UsageQuery) {
	t.Helper()
	got, want := usage(t, s, q), reference(all, q)
	if len(got) != len(want) {
		t.Fatalf("%+v: %d sums, want %d", q, len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("%+v: sum %d is\n%+v, want\n%+v", q, i, got[i], want[i])
		}
	}
}

// reference answers a query from the entries themselves.
func reference(all []storage.Entry, q storage.UsageQuery) []storage.UsageSum {
	from, to := q.From.Truncate(time.Minute), q.To.Add(time.Minute-1).Truncate(time.Minute)
	sums := make(map[string]*storage.UsageSum)
	if len(q.By) == 0 && q.Per == "" {
		sums[""] = new(storage.UsageSum)
	}
	for _, e := range latestOf(all) {
		if e.Began().Before(from) || !q.To.IsZero() && !e.Began().Before(to) {
			continue
		}
		for _, tag := range fitting(&e, q.Where, slices.Contains(q.By, storage.ByTag)) {
			key := sumOf(&e, tag, &q)
			name := fmt.Sprint(key.Start, key.Series)
			if len(q.By) == 0 && q.Per == "" {
				name = ""
			}
			if sums[name] == nil {
				sums[name] = &key
			}
			totals := storage.TotalsOf(&e)
			sums[name].Totals.Add(&totals)
		}
	}
	var answer []storage.UsageSum
	for _, sum := range sums {
		answer = append(answer, *sum)
	}
	slices.SortFunc(answer, func(a, b storage.UsageSum) int {
		order := a.Start.Compare(b.Start)
		for _, d := range q.By {
			order = cmp.Or(order, strings.Compare(*d.Of(&a.Series), *d.Of(&b.Series)))
		}
		return order
	})
	return answer
}

// sumOf is the sum, still empty, that an entry is counted in.
func sumOf(e *storage.Entry, tag string, q *storage.UsageQuery) (sum storage.UsageSum) {
	series := e.Series
	series.Tag = tag
	for _, d := range q.By {
		*d.Of(&sum.Series) = *d.Of(&series)
		if d == storage.ByKey {
			sum.KeyName = series.KeyName
		}
	}
	if q.Per != "" {
		sum.Start = e.Began().Truncate(q.Per.Length())
	}
	return sum
}

// fitting gives the tags that an entry is counted for: "" where no tag is asked for, none where
// it does not pass.
func fitting(e *storage.Entry, where []storage.Filter, byTag bool) []string {
	tags := []string{""}
	if byTag || slices.ContainsFunc(where, func(f storage.Filter) bool { return f.Dimension == storage.ByTag }) {
		tags = nil
		for _, tag := range e.Tags {
			if tag != "" && !slices.Contains(tags, tag) {
				tags = append(tags, tag)
			}
		}
	}
	return slices.DeleteFunc(tags, func(tag string) bool {
		series := e.Series
		series.Tag = tag
		return slices.ContainsFunc(where, func(f storage.Filter) bool {
			return !slices.ContainsFunc(f.Values, func(value string) bool {
				return like(*f.Dimension.Of(&series), value) || f.Dimension == storage.ByKey && like(series.KeyName, value)
			})
		})
	})
}

func like(text, value string) bool {
	if strings.HasSuffix(value, "*") {
		return strings.HasPrefix(text, value[:len(value)-1])
	}
	return text == value
}

// latestOf gives each attempt's highest revision, in the ledger's order.
func latestOf(all []storage.Entry) []storage.Entry {
	latest := make(map[string]storage.Entry)
	for _, e := range all {
		key := fmt.Sprintf("%s %09d", e.RequestID, e.Attempt)
		if known, ok := latest[key]; !ok || known.Revision < e.Revision {
			latest[key] = e
		}
	}
	var keys []string
	for key := range latest {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	var entries []storage.Entry
	for _, key := range keys {
		entries = append(entries, latest[key])
	}
	return entries
}

package storagetest

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/ledger"
)

// fullEntry has every field.
func fullEntry() storage.Entry {
	e := entryAt(0, 7)
	e.Series = storage.Series{
		Workspace: "default", Project: "search", Key: "abcd1234", KeyName: "ci", User: "ada@example.com",
		Provider: "anthropic", Model: "claude-sonnet-4-5", Prompt: "greeting@3",
	}
	e.Attempt, e.Revision, e.Node = 2, 3, "gateway-1"
	e.Tags = []string{"team=search", "Ärger", "team=search"}
	e.EndUser, e.Metadata, e.ClientID, e.Retry = "eve", `{"a":"b"}`, "mine-1", 2
	e.Credential, e.Asked, e.Served, e.Tier = "main", "fast", "claude-sonnet-4-5-20250929", "priority"
	e.Op, e.Stream, e.Exact = "chat", true, true
	e.Status, e.UpstreamStatus, e.UpstreamID = 200, 429, "req_1"
	e.Outcome, e.Fault, e.Finish = storage.OutcomeBrokenStream, "upstream_error", "end_turn"
	e.Lines = []providers.Normal{
		{InputUncached: 1, CacheRead: 2, CacheWrite5m: 3, CacheWrite1h: 4, Output: 5, Reasoning: 6, AudioIn: 7, AudioOut: 8, Images: 9, Searches: 10, Characters: 11, AudioInMs: 12, AudioOutMs: 13},
		{Model: "claude-haiku", Tier: "batch", Output: 11},
	}
	e.UsageRaw, e.ContentBytes, e.Bound = []byte(`{"input_tokens":1}`), 12, storage.Bound{Input: 13, Output: 14}
	e.Charge = storage.Charge{CostNano: 15, PriceID: "a,b", Estimated: true}
	e.BytesIn, e.BytesOut = 16, 17
	e.FirstByte, e.Overhead, e.Duration = 18*time.Millisecond, 19*time.Microsecond, 20*time.Second
	return e
}

func ledgerLatest(t *testing.T, s LedgerStore) {
	var latest, all []storage.Entry
	for n := range 40 {
		e := entryAt(time.Duration(n/4)*time.Millisecond, n) // four requests in each millisecond
		second := e
		second.Attempt, second.Outcome = 2, storage.OutcomeTimeout
		all = append(all, e, priced(e, 2, 2), priced(e, 3, 3), second)
		latest = append(latest, priced(e, 3, 3), second)
	}
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	do(t, s.Write(t.Context(), all))
	wantEntries(t, entriesOf(t, s, storage.EntryQuery{}), latest...)
	for _, limit := range []int{1, 7, 80, 81} {
		wantEntries(t, entriesOf(t, s, storage.EntryQuery{Limit: limit}), latest[:min(80, limit)]...)
	}
}

func ledgerByRequest(t *testing.T, s LedgerStore) {
	e := entryAt(0, 1)
	again := e
	again.Attempt = 2
	do(t, s.Write(t.Context(), []storage.Entry{entryAt(0, 0), e, again, entryAt(0, 2)}))
	id := e.RequestID.String()
	wantEntries(t, entriesOf(t, s, storage.EntryQuery{RequestID: id}), e, again)
	wantEntries(t, entriesOf(t, s, storage.EntryQuery{RequestID: id, From: start(), To: start().Add(time.Second), Limit: 1}), e)
	wantEntries(t, entriesOf(t, s, storage.EntryQuery{RequestID: id, From: start().Add(time.Second)}))
	wantEntries(t, entriesOf(t, s, storage.EntryQuery{RequestID: id, To: start()}))
	wantEntries(t, entriesOf(t, s, storage.EntryQuery{RequestID: uuid.Max.String()}))
	if err := s.Entries(t.Context(), storage.EntryQuery{RequestID: "nonsense"}, nil); err == nil {
		t.Fatal("nonsense is taken for a request id")
	}
}

func ledgerByTime(t *testing.T, s LedgerStore) {
	var all []storage.Entry
	for n := range 10 {
		all = append(all, entryAt(time.Duration(n)*time.Millisecond, n))
	}
	do(t, s.Write(t.Context(), all))
	at := func(n int) time.Time {
		return start().Truncate(time.Millisecond).Add(time.Duration(n) * time.Millisecond)
	}
	wantEntries(t, entriesOf(t, s, storage.EntryQuery{From: at(3)}), all[3:]...)
	wantEntries(t, entriesOf(t, s, storage.EntryQuery{To: at(3)}), all[:3]...)
	wantEntries(t, entriesOf(t, s, storage.EntryQuery{From: at(3), To: at(5)}), all[3:5]...)
	wantEntries(t, entriesOf(t, s, storage.EntryQuery{From: at(5), To: at(5)}))
}

// seriesMix writes entries of several series and gives what asks for them.
func seriesMix(t *testing.T, s LedgerStore) []storage.Entry {
	t.Helper()
	random := rand.New(rand.NewPCG(5, 6))
	all := randomEntries(random, 120)
	do(t, s.Write(t.Context(), all))
	return all
}

func ledgerFilters(t *testing.T, s LedgerStore) {
	all := seriesMix(t, s)
	f := func(filters ...storage.Filter) {
		t.Helper()
		wantReference(t, s, all, storage.UsageQuery{Where: filters, By: []storage.Dimension{storage.ByProvider, storage.ByModel}})
		wantReference(t, s, all, storage.UsageQuery{Where: filters})
		wantSelected(t, s, all, storage.EntryQuery{Where: filters})
	}
	f(storage.Filter{Dimension: storage.ByModel, Values: []string{"model-1"}})
	f(storage.Filter{Dimension: storage.ByModel, Values: []string{"model-1", "other*"}})
	f(storage.Filter{Dimension: storage.ByModel, Values: []string{"model*"}}, storage.Filter{Dimension: storage.ByProvider, Values: []string{"openai"}})
	f(storage.Filter{Dimension: storage.ByModel, Values: []string{"*"}})
	f(storage.Filter{Dimension: storage.ByModel, Values: []string{"MODEL*"}})
	f(storage.Filter{Dimension: storage.ByModel, Values: []string{"model-_"}})
	f(storage.Filter{Dimension: storage.ByModel, Values: []string{"model%"}})
	f(storage.Filter{Dimension: storage.ByUser, Values: []string{""}})
	f(storage.Filter{Dimension: storage.ByModel})
	f(storage.Filter{Dimension: storage.ByTag, Values: []string{"team=a"}})
	f(storage.Filter{Dimension: storage.ByTag, Values: []string{"team=*"}}, storage.Filter{Dimension: storage.ByModel, Values: []string{"model-2"}})
}

// wantSelected compares the entries of a query with those of all that pass its filters.
func wantSelected(t *testing.T, s LedgerStore, all []storage.Entry, q storage.EntryQuery) {
	t.Helper()
	var want []storage.Entry
	for _, e := range latestOf(all) {
		if len(fitting(&e, q.Where, false)) > 0 {
			want = append(want, e)
		}
	}
	wantEntries(t, entriesOf(t, s, q), want...)
}

func ledgerKeys(t *testing.T, s LedgerStore) {
	a, b, c := entryAt(0, 0), entryAt(0, 1), entryAt(0, 2)
	a.Key, a.KeyName = "aaaaaaaa", "ci"
	b.Key, b.KeyName = "bbbbbbbb", "ci" // a name may have had several keys
	c.Key, c.KeyName = "cccccccc", "aaaaaaaa"
	do(t, s.Write(t.Context(), []storage.Entry{a, b, c}))
	f := func(value string, want ...storage.Entry) {
		t.Helper()
		filters := []storage.Filter{{Dimension: storage.ByKey, Values: []string{value}}}
		wantEntries(t, entriesOf(t, s, storage.EntryQuery{Where: filters}), want...)
		sums := usage(t, s, storage.UsageQuery{Where: filters, By: []storage.Dimension{storage.ByKey}})
		if len(sums) != len(want) {
			t.Fatalf("%d sums for key %s, want %d", len(sums), value, len(want))
		}
		for i, sum := range sums {
			if sum.Key != want[i].Key || sum.KeyName != want[i].KeyName || sum.Totals[storage.Requests] != 1 {
				t.Fatalf("key %s gives %+v", value, sum)
			}
		}
	}
	f("ci", a, b)
	f("bbbbbbbb", b)
	f("aaaaaaaa", a, c)
	f("c*", a, b, c)
	f("d")
}

func ledgerTags(t *testing.T, s LedgerStore) {
	both, one, none := entryAt(0, 0), entryAt(0, 1), entryAt(0, 2)
	both.Tags, one.Tags = []string{"b", "a", "b", ""}, []string{"a"}
	all := []storage.Entry{both, one, none}
	do(t, s.Write(t.Context(), all))
	sums := usage(t, s, storage.UsageQuery{By: []storage.Dimension{storage.ByTag}})
	if len(sums) != 2 || sums[0].Tag != "a" || sums[0].Totals[storage.Requests] != 2 || sums[1].Tag != "b" || sums[1].Totals[storage.Requests] != 1 {
		t.Fatalf("got %+v", sums)
	}
	if n := total(t, s)[storage.Requests]; n != 3 {
		t.Fatalf("%d requests, want 3: tags count nothing twice", n)
	}
	retagged := both
	retagged.Revision, retagged.Tags = 2, []string{"a", "c"}
	do(t, s.Write(t.Context(), []storage.Entry{retagged}))
	wantReference(t, s, append(all, retagged), storage.UsageQuery{By: []storage.Dimension{storage.ByTag}})
}

func ledgerBuckets(t *testing.T, s LedgerStore) {
	all := seriesMix(t, s)
	for _, per := range storage.Periods() {
		for _, by := range [][]storage.Dimension{nil, {storage.ByModel}} {
			wantReference(t, s, all, storage.UsageQuery{Per: per, By: by})
			wantReference(t, s, all, storage.UsageQuery{Per: per, By: by, From: start().Add(-13*time.Hour - 17*time.Second), To: start().Add(31*time.Hour + 12*time.Minute)})
		}
	}
}

// Few measures, and few sums, may be asked for.
func ledgerOnly(t *testing.T, s LedgerStore) {
	all := seriesMix(t, s)
	q := storage.UsageQuery{By: []storage.Dimension{storage.ByModel}, Per: storage.Day}
	want := reference(all, q)
	q.Only = []storage.Measure{storage.CostNano, storage.InputTokens}
	got := usage(t, s, q)
	if len(got) != len(want) {
		t.Fatalf("%d sums, want %d", len(got), len(want))
	}
	for i := range got {
		few := storage.Totals{storage.CostNano: want[i].Totals[storage.CostNano], storage.InputTokens: want[i].Totals[storage.InputTokens]}
		if got[i].Totals != few || got[i].Series != want[i].Series || !got[i].Start.Equal(want[i].Start) {
			t.Fatalf("%+v, want %v", got[i], few)
		}
	}
	q.Limit = 3
	if got := usage(t, s, q); len(got) != 3 {
		t.Fatalf("%d sums, want 3", len(got))
	}
}

func ledgerPercentiles(t *testing.T, s LedgerStore) {
	var all []storage.Entry
	for n := range 100 {
		e := entryAt(time.Duration(n)*time.Second, n)
		e.Duration = time.Duration(n+1) * 10 * time.Millisecond
		all = append(all, e)
	}
	do(t, s.Write(t.Context(), all))
	sum := total(t, s)
	// A bucket is 1.5 times as wide as the one before; what is within is a guess.
	for _, q := range []float64{0.5, 0.95, 0.99} {
		got, want := sum.Latency(q), time.Duration(q*100)*10*time.Millisecond
		if got < want*2/3 || got > want*3/2 {
			t.Errorf("p%v is %v, want about %v", q*100, got, want)
		}
	}
}

func ledgerTrim(t *testing.T, s LedgerStore) {
	now := start().Add(20 * 24 * time.Hour)
	random := rand.New(rand.NewPCG(9, 9))
	var all []storage.Entry
	for n := range 250 {
		e := randomEntry(random, now.Add(-time.Duration(random.Int64N(int64(20*24*time.Hour)))), n)
		all = append(all, e)
	}
	do(t, s.Write(t.Context(), all))
	day := 24 * time.Hour
	keep := storage.Keep{Rows: 5 * day, Minutes: 36 * time.Hour, Hours: 7 * day}
	// A ledger may drop whole days only: of the day in which the border lies all or a part stays.
	from := func(t time.Time) (entries []storage.Entry) {
		for _, e := range latestOf(all) {
			if e.RequestID.String() >= idOf(t, 0).String() {
				entries = append(entries, e)
			}
		}
		return entries
	}
	border := now.Add(-keep.Rows)
	least, most := from(border), from(border.Truncate(day))
	if len(least) == len(most) {
		t.Fatal("no entry lies on the border's day")
	}
	gone, err := s.Trim(t.Context(), now, keep)
	do(t, err)
	kept := least
	if gone == int64(len(all)-len(most)) {
		kept = most
	}
	if want := int64(len(all) - len(kept)); gone != want {
		t.Fatalf("%d rows went, want %d", gone, want)
	}
	wantEntries(t, entriesOf(t, s, storage.EntryQuery{}), kept...)
	gone, err = s.Trim(t.Context(), now, keep)
	do(t, err)
	if gone != 0 {
		t.Fatalf("%d rows went the second time", gone)
	}
	wantEntries(t, entriesOf(t, s, storage.EntryQuery{}), kept...)
	trimmedSums(t, s, all, now)
}

// trimmedSums holds that the sums of rows that went stay, but that what is asked for so far back is
// rounded to what is kept; and that they go with their days.
func trimmedSums(t *testing.T, s LedgerStore, all []storage.Entry, now time.Time) {
	const day = 24 * time.Hour
	wantReference(t, s, all, storage.UsageQuery{})
	wantReference(t, s, all, storage.UsageQuery{By: []storage.Dimension{storage.ByModel}, Per: storage.Day})
	at := func(ago time.Duration) time.Time { return now.Add(-ago) }
	f := func(from, to, wideFrom, wideTo time.Time) {
		t.Helper()
		got := usage(t, s, storage.UsageQuery{From: from, To: to})
		want := reference(all, storage.UsageQuery{From: wideFrom, To: wideTo})
		if got[0].Totals != want[0].Totals {
			t.Fatalf("from %v to %v: %v, want %v", from, to, got[0].Totals, want[0].Totals)
		}
	}
	f(at(10*day), at(9*day), at(10*day).Truncate(day), at(8*day).Truncate(day))
	f(at(5*day), at(4*day), at(5*day).Truncate(time.Hour), at(4*day-time.Hour).Truncate(time.Hour))
	f(at(time.Hour), now, at(time.Hour), now)
	f(at(10*day), at(time.Hour), at(10*day).Truncate(day), at(time.Hour))
	perMinute := usage(t, s, storage.UsageQuery{Per: storage.Minute})
	var sum storage.Totals
	for i := range perMinute {
		sum.Add(&perMinute[i].Totals)
	}
	if want := reference(all, storage.UsageQuery{}); sum != want[0].Totals {
		t.Fatalf("by minute %v, want %v", sum, want[0].Totals)
	}
	_, err := s.Trim(t.Context(), now, storage.Keep{Days: 2 * day})
	do(t, err)
	wantReference(t, s, all, storage.UsageQuery{From: now.Add(-2 * day).Truncate(day)})
	if got, want := total(t, s), reference(all, storage.UsageQuery{From: now.Add(-2 * day).Truncate(day)}); got != want[0].Totals {
		t.Fatalf("%v after days went, want %v", got, want[0].Totals)
	}
}

func ledgerReprice(t *testing.T, s LedgerStore) {
	all := seriesMix(t, s)
	q := storage.EntryQuery{Where: []storage.Filter{{Dimension: storage.ByModel, Values: []string{"model-1"}}}}
	matching := len(entriesOf(t, s, q))
	charge := func(e *storage.Entry) storage.Charge {
		return storage.Charge{CostNano: 5 + e.Bound.Input, PriceID: "new"}
	}
	for _, want := range []int{matching, 0} {
		seen, changed, err := ledger.Reprice(t.Context(), s, q, charge)
		do(t, err)
		if seen != matching || changed != want || matching == 0 {
			t.Fatalf("saw %d, changed %d of %d, want %d", seen, changed, matching, want)
		}
	}
	for _, e := range latestOf(all) {
		if e.Model == "model-1" {
			estimated := e.Charge.Estimated
			e.Charge = charge(&e)
			e.Charge.Estimated = estimated
			e.Revision++
			all = append(all, e)
		}
	}
	wantReference(t, s, all, storage.UsageQuery{By: storage.Dimensions()[:6]})
	wantReference(t, s, all, storage.UsageQuery{By: []storage.Dimension{storage.ByTag}})
	wantSelected(t, s, all, storage.EntryQuery{})
}

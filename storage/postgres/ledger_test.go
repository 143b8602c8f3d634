package postgres

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// noon is when the tests' entries begin.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// idAt gives the n-th request id of a time.
func idAt(t time.Time, n uint64) uuid.UUID {
	var id uuid.UUID
	ms := uint64(t.UnixMilli())
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	id[6], id[8] = 0x70, 0x80
	for i := range 7 {
		id[15-i] = byte(n >> (8 * i))
	}
	return id
}

// entryAt makes the n-th entry of a time: settled, of one attempt.
func entryAt(at time.Time, n uint64) storage.Entry {
	return storage.Entry{
		RequestID: idAt(at, n), Attempt: 1, Revision: 1, State: storage.EntrySettled, Final: true,
		Time: at, Node: "gw-1",
		Series: storage.Series{
			Workspace: "default", Project: "default", Key: "k1234567", KeyName: "ci",
			Provider: "openai", Model: fmt.Sprintf("gpt-%d", n%5),
		},
		Op: "chat", Asked: "fast", Served: "gpt-5-2026-01-01", Status: 200, UpstreamStatus: 200,
		UpstreamID: "req_0123456789abcdef", Outcome: storage.OutcomeOK, Finish: "stop",
		Lines:    []providers.Normal{{InputUncached: 100 + int64(n%7), CacheRead: 10, Output: 20, Reasoning: 5}},
		UsageRaw: []byte(`{"prompt_tokens":110,"completion_tokens":20,"total_tokens":130,"prompt_tokens_details":{"cached_tokens":10}}`),
		Charge:   storage.Charge{CostNano: 1000 + int64(n), PriceID: "openai/gpt-5@2026-01-01#0123abcd"},
		BytesIn:  800, BytesOut: 2000, FirstByte: 210 * time.Millisecond, Overhead: 90 * time.Microsecond,
		Duration: 900 * time.Millisecond,
	}
}

func entriesAt(at time.Time, first, count uint64) []storage.Entry {
	entries := make([]storage.Entry, 0, count)
	for n := range count {
		entries = append(entries, entryAt(at.Add(time.Duration(n)*time.Millisecond), first+n))
	}
	return entries
}

// sumOf adds up entries in plain Go.
func sumOf(entries []storage.Entry) storage.Totals {
	var sum storage.Totals
	for i := range entries {
		t := storage.TotalsOf(&entries[i])
		sum.Add(&t)
	}
	return sum
}

// wantUsage fails the test where the ledger's sum over everything is another, or its rows are.
func wantUsage(t *testing.T, s *Store, want []storage.Entry) {
	t.Helper()
	sums, err := s.Usage(t.Context(), storage.UsageQuery{})
	do(t, err)
	if got := sums[0].Totals; got != sumOf(want) {
		t.Errorf("roll-ups say %v\nwant %v", got, sumOf(want))
	}
	for _, per := range storage.Periods() {
		buckets, err := s.Usage(t.Context(), storage.UsageQuery{Per: per})
		do(t, err)
		var sum storage.Totals
		for i := range buckets {
			sum.Add(&buckets[i].Totals)
		}
		if sum != sumOf(want) {
			t.Errorf("roll-ups by %s say %v\nwant %v", per, sum, sumOf(want))
		}
	}
	var rows []storage.Entry
	do(t, s.Entries(t.Context(), storage.EntryQuery{}, func(e *storage.Entry) error {
		rows = append(rows, *e)
		return nil
	}))
	if len(rows) != len(want) || sumOf(rows) != sumOf(want) {
		t.Errorf("%d rows with %v\nwant %d with %v", len(rows), sumOf(rows), len(want), sumOf(want))
	}
}

func TestWrite(t *testing.T) {
	s := fresh(t)
	entries := entriesAt(noon, 0, 2500) // more than one transaction
	do(t, s.Write(t.Context(), entries[:1500]))
	do(t, s.Write(t.Context(), entries))
	do(t, s.Write(t.Context(), entries))
	wantUsage(t, s, entries)
	var cost string
	do(t, s.queries.QueryRow(context.Background(), `SELECT sum(cost_usd)::text FROM usage WHERE model LIKE 'gpt-%'`).Scan(&cost))
	if want := fmt.Sprintf("%.9f", float64(sumOf(entries)[storage.CostNano])/1e9); cost[:len(want)] != want {
		t.Errorf("the view says %s, want %s", cost, want)
	}
	slices.Reverse(entries)
	do(t, s.Write(t.Context(), entries[:10]))
}

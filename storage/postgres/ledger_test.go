package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/ledger"
	"github.com/aistrale/aistrale/storage/storagetest"
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

// Three gateways ship the same entries, each in batches of its own, while the server dies.
func TestWriteKilledServer(t *testing.T) {
	server := storagetest.PostgresServer(t)
	const nodes, n = 3, 6000
	entries := entriesAt(noon, 0, n)
	for i := range entries {
		entries[i].Tags = []string{fmt.Sprintf("tag-%d", i%3)}
	}
	var done atomic.Int64
	var wg sync.WaitGroup
	for node := range nodes {
		s := openAt(t, server.URL)
		wg.Go(func() {
			mine := slices.Clone(entries)
			rand.New(rand.NewPCG(1, uint64(node))).Shuffle(n, func(i, j int) { mine[i], mine[j] = mine[j], mine[i] })
			for batch := range slices.Chunk(mine, 50+50*node) {
				for err := s.Write(t.Context(), batch); err != nil; err = s.Write(t.Context(), batch) {
					if !errors.Is(err, storage.ErrLedgerUnavailable) {
						t.Error(err)
						return
					}
					time.Sleep(time.Millisecond) // as a shipper waits
				}
				done.Add(int64(len(batch)))
			}
		})
	}
	for part := range int64(2) {
		until(t, func() bool { return done.Load() > (part+1)*nodes*n/4 })
		server.Kill(t)
		server.Start(t)
	}
	wg.Wait()
	wantUsage(t, openAt(t, server.URL), entries)
}

// Clients make up tags and models. A store that has many counts new ones together, but forgets
// no entry and no token.
func TestFullOfSeries(t *testing.T) {
	s := fresh(t)
	s.mostTagged, s.mostUntagged = 3, 4
	entries := entriesAt(noon, 0, 40)
	for i := range entries {
		entries[i].Model = fmt.Sprintf("model-%d", i%10)
		entries[i].Tags = []string{fmt.Sprintf("tag-%d", i)}
	}
	for batch := range slices.Chunk(entries, 7) {
		do(t, s.Write(t.Context(), batch))
	}
	repriced := slices.Clone(entries)
	for i := range repriced {
		repriced[i].Revision, repriced[i].CostNano = 2, 5
	}
	do(t, s.Write(t.Context(), repriced))
	wantUsage(t, s, repriced)
	f := func(by storage.Dimension, most int) {
		t.Helper()
		sums, err := s.Usage(t.Context(), storage.UsageQuery{By: []storage.Dimension{by}})
		do(t, err)
		var all storage.Totals
		other := false
		for i := range sums {
			all.Add(&sums[i].Totals)
			other = other || *by.Of(&sums[i].Series) == ledger.Other
		}
		if len(sums) > most+1 || !other || all != sumOf(repriced) {
			t.Errorf("by %s: %d sums of %v, want at most %d of %v, one of the others", by, len(sums), all, most+1, sumOf(repriced))
		}
	}
	f(storage.ByTag, 3)
	f(storage.ByModel, 4)
}

// Entries of many days, as after a long outage, make their partitions; two nodes at once too.
func TestManyDays(t *testing.T) {
	address := storagetest.Postgres(t)
	var entries []storage.Entry
	for day := range 20 {
		entries = append(entries, entryAt(noon.AddDate(0, 0, -day), uint64(day)), entryAt(noon.AddDate(30, 0, day), uint64(day)))
	}
	var wg sync.WaitGroup
	for range 2 {
		s := openAt(t, address)
		wg.Go(func() {
			if err := s.Write(t.Context(), entries); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	s := openAt(t, address)
	wantUsage(t, s, entries)
	rows, err := s.Trim(t.Context(), noon.AddDate(0, 0, -10), storage.Keep{Rows: 24 * time.Hour})
	do(t, err)
	if rows != 8 { // the days from 19 to 12 before noon's, which ended a day before
		t.Errorf("%d rows went, want 8", rows)
	}
}

// The ledger's rows are no change of nouns.
func TestVersionIgnoresRows(t *testing.T) {
	s := fresh(t)
	j := journalOn(t, s, JournalOptions{})
	before, err := s.Version(t.Context())
	do(t, err)
	e := entryAt(noon, 1)
	do(t, j.Append(openedOf(e)))
	do(t, j.Append(&e))
	_, err = s.Trim(t.Context(), noon, storage.Keep{Rows: time.Hour})
	do(t, err)
	after, err := s.Version(t.Context())
	if err != nil || after != before {
		t.Errorf("the version went from %d to %d, error %v", before, after, err)
	}
	_, err = s.nouns.Exec(t.Context(), `UPDATE keys SET owner = owner`) // by hand
	do(t, err)
	if after, err = s.Version(t.Context()); err != nil || after == before {
		t.Errorf("the version stayed %d after a change by hand, error %v", after, err)
	}
}

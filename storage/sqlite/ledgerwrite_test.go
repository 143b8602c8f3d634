package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/ledger"
)

// exec runs a statement on the ledger's writing connection.
func (l *Ledger) exec(t *testing.T, text string) {
	t.Helper()
	if _, err := l.write.ExecContext(t.Context(), text); err != nil {
		t.Fatal(err)
	}
}

// What a transaction that failed had added is gone: remembering the ids of its series would
// count later entries for others.
func TestWriteRolledBack(t *testing.T) {
	l := freshLedger(t)
	source := steady()
	e := source.entry(source.at)
	e.Model, e.Tags = "first", []string{"a"}
	l.exec(t, `CREATE TRIGGER stop AFTER INSERT ON usage_day BEGIN SELECT RAISE(ABORT, 'staged'); END`)
	if err := l.Write(t.Context(), []storage.Entry{e}); err == nil || !strings.Contains(err.Error(), "staged") {
		t.Fatalf("error %v; want the staged one", err)
	}
	l.exec(t, `DROP TRIGGER stop`)
	other := source.entry(source.at)
	other.Model = "second"
	for _, write := range [][]storage.Entry{{other}, {e}} {
		if err := l.Write(t.Context(), write); err != nil {
			t.Fatal(err)
		}
	}
	wantModels(t, l, "first", "second")
}

// A statement that fails half way leaves its first rows to the transaction, which takes them back.
func TestWriteRolledBack_Rows(t *testing.T) {
	l := freshLedger(t)
	source := steady()
	var entries []storage.Entry
	for i := range 60 {
		entries = append(entries, source.entry(source.at.Add(time.Duration(i)*time.Millisecond)))
	}
	l.exec(t, `CREATE TRIGGER stop BEFORE INSERT ON entries WHEN (SELECT count(*) FROM entries) = 30 BEGIN SELECT RAISE(FAIL, 'staged'); END`)
	if err := l.Write(t.Context(), entries); err == nil || !strings.Contains(err.Error(), "staged") {
		t.Fatalf("error %v; want the staged one", err)
	}
	l.exec(t, `DROP TRIGGER stop`)
	count := func() int { return len(firstColumn(t, l.file, `SELECT attempt FROM entries`)) }
	if rows := count(); rows != 0 {
		t.Fatalf("%d rows of a batch that failed are there", rows)
	}
	if err := l.Write(t.Context(), entries); err != nil || count() != len(entries) {
		t.Fatalf("%d rows, want %d, error %v", count(), len(entries), err)
	}
	if strays := firstColumn(t, l.file, `SELECT "table" FROM pragma_foreign_key_check`); len(strays) > 0 {
		t.Errorf("rows of %v are of series that are not there", strays)
	}
}

// wantModels asks for the models that have one request each.
func wantModels(t *testing.T, l *Ledger, want ...string) {
	t.Helper()
	sums, err := l.Usage(t.Context(), storage.UsageQuery{By: []storage.Dimension{storage.ByModel}})
	if err != nil || len(sums) != len(want) {
		t.Fatalf("got %+v, error %v", sums, err)
	}
	for i := range sums {
		if sums[i].Model != want[i] || sums[i].Totals[storage.Requests] != 1 {
			t.Fatalf("got %+v, want one of %s", sums[i], want[i])
		}
	}
}

func TestWriteCanceled(t *testing.T) {
	l := freshLedger(t)
	source := steady()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	entries := []storage.Entry{source.entry(source.at)}
	if err := l.Write(ctx, entries); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want %v", err, context.Canceled)
	}
	if err := l.Write(t.Context(), entries); err != nil {
		t.Fatal(err)
	}
}

// A shipper must not take a full disk, or another process that holds the file, for the fault of
// an entry.
func TestWriteUnavailable(t *testing.T) {
	l := freshLedger(t)
	source := steady()
	var entries []storage.Entry
	for i := range 2000 {
		entries = append(entries, source.entry(source.at.Add(time.Duration(i)*time.Second)))
	}
	f := func() {
		t.Helper()
		if err := l.Write(t.Context(), entries); !errors.Is(err, storage.ErrLedgerUnavailable) || !strings.Contains(err.Error(), l.path) {
			t.Fatalf("error %v; want one that wraps %v, with the path", err, storage.ErrLedgerUnavailable)
		}
	}
	l.exec(t, `PRAGMA max_page_count = 60`)
	f()
	l.exec(t, `PRAGMA max_page_count = 1000000`)
	l.exec(t, `PRAGMA busy_timeout = 0`)
	other := openLedger(t, l.path)
	tx, err := other.write.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	f()
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := l.Write(t.Context(), entries); err != nil {
			t.Fatal(err)
		}
	}
	sums, err := l.Usage(t.Context(), storage.UsageQuery{})
	if err != nil || sums[0].Totals[storage.Requests] != int64(len(entries)) {
		t.Fatalf("got %v, error %v", sums, err)
	}
	if err := l.file.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.Write(t.Context(), entries); err == nil {
		t.Fatal("written to a closed file")
	}
}

// What is in the file and could not be made durable is for the shipper to write again, and counts
// once then.
func TestWriteNotDurable(t *testing.T) {
	l := freshLedger(t)
	var synchronous string
	if err := l.write.QueryRowContext(t.Context(), `PRAGMA synchronous`).Scan(&synchronous); err != nil {
		t.Fatal(err)
	}
	if !l.loose || synchronous != "1" {
		t.Fatalf("loose %v, synchronous %s: want true and 1, NORMAL, for settle alone to wait for the disk", l.loose, synchronous)
	}
	source := steady()
	entries := []storage.Entry{source.entry(source.at)}
	entries[0].Model = "only"
	wal, aside := l.path+"-wal", l.path+"-aside"
	if err := os.Rename(wal, aside); err != nil {
		t.Fatal(err)
	}
	if err := l.Write(t.Context(), entries); !errors.Is(err, storage.ErrLedgerUnavailable) || !errors.Is(err, errNotDurable) {
		t.Fatalf("error %v; want one that wraps %v", err, storage.ErrLedgerUnavailable)
	}
	if err := os.Rename(aside, wal); err != nil {
		t.Fatal(err)
	}
	if err := l.Write(t.Context(), entries); err != nil {
		t.Fatal(err)
	}
	wantModels(t, l, "only")
}

// A correction of an entry that was trimmed meanwhile must not count it twice.
func TestWriteOrphan(t *testing.T) {
	l := freshLedger(t)
	source := steady()
	first := source.entry(source.at)
	second := first
	second.Revision, second.CostNano = 2, first.CostNano+5
	f := func(cost int64, write ...storage.Entry) {
		t.Helper()
		if err := l.Write(t.Context(), write); err != nil {
			t.Fatal(err)
		}
		sums, err := l.Usage(t.Context(), storage.UsageQuery{})
		if err != nil || sums[0].Totals[storage.Requests] != 1 || sums[0].Totals[storage.CostNano] != cost {
			t.Fatalf("%d requests for %d, want 1 for %d; error %v", sums[0].Totals[storage.Requests], sums[0].Totals[storage.CostNano], cost, err)
		}
	}
	f(first.CostNano, first)
	rows, err := l.Trim(t.Context(), source.at.Add(time.Hour), storage.Keep{Rows: time.Minute})
	if err != nil || rows != 1 {
		t.Fatalf("%d rows went, error %v", rows, err)
	}
	f(first.CostNano, second)

	late := freshLedger(t) // what comes late is whole, and counts
	if _, err := late.Trim(t.Context(), source.at.Add(time.Hour), storage.Keep{Rows: time.Minute}); err != nil {
		t.Fatal(err)
	}
	l = late
	f(second.CostNano, first, second)
}

// Clients choose tags and may choose models: a full ledger counts what is new as other, and
// still finds each entry by its own name.
func TestWriteFull(t *testing.T) {
	l := freshLedger(t)
	l.series.most = 3
	source := steady()
	const n = 8
	var all []storage.Entry
	for i := range n {
		e := source.entry(source.at.Add(time.Duration(i) * time.Second))
		e.Series = storage.Series{Workspace: "default", Model: fmt.Sprintf("model-%d", i)}
		e.Tags = []string{fmt.Sprintf("tag-%d", i)}
		all = append(all, e)
	}
	for _, write := range [][]storage.Entry{all[:2], all[2:], all} {
		if err := l.Write(t.Context(), write); err != nil {
			t.Fatal(err)
		}
	}
	f := func(d storage.Dimension) {
		t.Helper()
		sums, err := l.Usage(t.Context(), storage.UsageQuery{By: []storage.Dimension{d}})
		if err != nil || len(sums) != 4 {
			t.Fatalf("by %s: %d sums, want 3 and the others; error %v", d, len(sums), err)
		}
		var requests int64
		for i := range sums {
			requests += sums[i].Totals[storage.Requests]
			if name := *d.Of(&sums[i].Series); name == ledger.Other && sums[i].Totals[storage.Requests] != n-3 {
				t.Errorf("by %s: %d others, want %d", d, sums[i].Totals[storage.Requests], n-3)
			}
		}
		if requests != n {
			t.Errorf("by %s: %d requests, want %d", d, requests, n)
		}
	}
	f(storage.ByModel)
	f(storage.ByTag)
	found := 0
	q := storage.EntryQuery{Where: []storage.Filter{
		{Dimension: storage.ByModel, Values: []string{"model-7"}}, {Dimension: storage.ByTag, Values: []string{"tag-7"}},
	}}
	if err := l.Entries(t.Context(), q, func(*storage.Entry) error { found++; return nil }); err != nil || found != 1 {
		t.Fatalf("found %d entries, error %v", found, err)
	}
}

// A damaged row is an error that names it, not a wrong sum.
func TestDamagedEntry(t *testing.T) {
	l := freshLedger(t)
	source := steady()
	e := source.entry(source.at)
	if err := l.Write(t.Context(), []storage.Entry{e}); err != nil {
		t.Fatal(err)
	}
	l.exec(t, `UPDATE entries SET entry = x'00'`)
	err := l.Entries(t.Context(), storage.EntryQuery{}, func(*storage.Entry) error { return nil })
	if err == nil || !strings.Contains(err.Error(), e.RequestID.String()) {
		t.Fatalf("error %v; want one that names the entry", err)
	}
	e.Revision = 2
	if err := l.Write(t.Context(), []storage.Entry{e}); err == nil {
		t.Fatal("a difference to a damaged row was counted")
	}
}

// A sum by series reads runs of the key; reading whole tables would take seconds in a year's
// ledger.
func TestUsagePlan(t *testing.T) {
	l := freshLedger(t)
	source := steady()
	q := storage.UsageQuery{From: source.at, To: source.at.AddDate(0, 1, 0), By: []storage.Dimension{storage.ByModel}}
	s := ledger.SelectSums(&q, ledger.Borders{}, mark)
	whole := l.plan(t, s.Text, s.Args...)
	if strings.Contains(whole, "SCAN usage_") || !strings.Contains(whole, "SEARCH usage_day USING PRIMARY KEY (series_id=? AND start>? AND start<?)") {
		t.Fatalf("the plan is\n%s", whole)
	}
}

// A page of entries is a run of the key too, and so is what is trimmed.
func TestEntriesPlan(t *testing.T) {
	l := freshLedger(t)
	for _, newest := range []bool{false, true} {
		p, err := newPages(&storage.EntryQuery{Newest: newest})
		if err != nil {
			t.Fatal(err)
		}
		plan := l.plan(t, p.text, p.from[:], p.before[:], p.at[:], p.attempt)
		if strings.Contains(plan, "SCAN") || strings.Contains(plan, "TEMP B-TREE FOR GROUP BY") {
			t.Errorf("newest %t: the plan is\n%s", newest, plan)
		}
	}
	if plan := l.plan(t, trimText, []byte{1}, trimAtOnce); strings.Contains(plan, "SCAN") || !strings.Contains(plan, "COVERING INDEX") {
		t.Errorf("the plan is\n%s", plan)
	}
}

// plan gives how SQLite goes about a query.
func (l *Ledger) plan(t *testing.T, text string, args ...any) string {
	t.Helper()
	rows, err := l.read.QueryContext(t.Context(), `EXPLAIN QUERY PLAN `+text, args...)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := gather(rows, func(row scanner) (text string, err error) {
		var id, parent, unused int
		return text, row.Scan(&id, &parent, &unused, &text)
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(plan, "\n")
}

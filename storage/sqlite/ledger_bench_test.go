package sqlite

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// BenchmarkLedgerWrite is a row's way from the journal's bytes into the file.
func BenchmarkLedgerWrite(b *testing.B) {
	f := func(keys, models, batch int) {
		b.Run(fmt.Sprintf("series=%d/batch=%d", keys*models, batch), func(b *testing.B) {
			benchmarkLedgerWrite(b, traffic{keys: keys, models: models, at: morning(), random: rand.New(rand.NewPCG(1, 2))}, batch)
		})
	}
	for _, batch := range []int{50, 500, 1000, 2000, 4000} {
		f(1, 1, batch)
		f(20, 10, batch)
	}
}

func benchmarkLedgerWrite(b *testing.B, source traffic, batch int) {
	l := freshLedger(b)
	wires := make([][]byte, 20_000)
	at := source.at
	for i := range wires {
		e := source.entry(at)
		wires[i] = e.Append(nil)
	}
	entries := make([]storage.Entry, batch)
	done, before := 0, cpu(b)
	for b.Loop() {
		for i := range entries {
			entries[i] = storage.Entry{}
			if err := entries[i].Parse(wires[done%len(wires)]); err != nil {
				b.Fatal(err)
			}
			done++
			at = at.Add(50 * time.Microsecond) // 20,000 rows a second
			entries[i].RequestID = source.requestID(at)
		}
		if err := l.Write(b.Context(), entries); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(done)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(done), "cpu-us/row")
}

// cpu is the processor time that this process has taken, of the system too.
func cpu(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// BenchmarkUsage asks for 30 days by model, at whole days and, as "the last 30 days" are, not.
// With AISTRALE_PROVE there are the roll-ups of 10 million rows.
func BenchmarkUsage(b *testing.B) {
	rows := 100_000
	if os.Getenv("AISTRALE_PROVE") != "" {
		rows = 10_000_000
	}
	const days = 31
	l := freshLedger(b)
	source := traffic{keys: 20, models: 10, at: morning().Truncate(24 * time.Hour), random: rand.New(rand.NewPCG(1, 2))}
	loadRollUps(b, l, source, rows, days*24*time.Hour)
	end := source.at.AddDate(0, 0, days)
	f := func(name string, want int, q storage.UsageQuery) {
		b.Run(fmt.Sprintf("rows=%d/%s", rows, name), func(b *testing.B) {
			for b.Loop() {
				sums, err := l.Usage(b.Context(), q)
				if err != nil || len(sums) != want {
					b.Fatalf("%d sums, want %d, error %v", len(sums), want, err)
				}
			}
		})
	}
	byModel := []storage.Dimension{storage.ByModel}
	f("aligned", 10, storage.UsageQuery{From: source.at, To: end.AddDate(0, 0, -1), By: byModel})
	f("unaligned", 10, storage.UsageQuery{From: source.at.Add(10*time.Hour + 29*time.Minute), To: end.Add(-13*time.Hour - 31*time.Minute), By: byModel})
	f("per-day", 300, storage.UsageQuery{From: source.at, To: end.AddDate(0, 0, -1), By: byModel, Per: storage.Day})
	f("one-key", 10, storage.UsageQuery{
		From: source.at.Add(10*time.Hour + 29*time.Minute), To: end, By: byModel,
		Where: []storage.Filter{{Dimension: storage.ByKey, Values: []string{"ci-7"}}},
	})
}

// loadRollUps writes what so many rows make of the roll-ups, by Write's own code but without the
// rows themselves, which no sum reads.
func loadRollUps(b *testing.B, l *Ledger, source traffic, rows int, over time.Duration) {
	b.Helper()
	made, err := prepareLedger(b.Context(), l.write)
	if err != nil {
		b.Fatal(err)
	}
	l.made = made
	const batch = 10_000
	for first := 0; first < rows; first += batch {
		w := ledgerWrite{l: l, ctx: b.Context()}
		for n := first; n < first+batch; n++ {
			e := source.entry(source.at.Add(time.Duration(float64(over) / float64(rows) * float64(n))))
			w.batch.Add(&e, nil)
		}
		err := l.change(b.Context(), func(tx *sql.Tx) (err error) {
			if w.ids, err = l.series.of(w.ctx, tx, w.batch.Series()); err != nil {
				return err
			}
			return w.rollUp(tx)
		})
		if err != nil {
			b.Fatal(err)
		}
		l.series.keep()
	}
}

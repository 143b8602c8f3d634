package sqlite

import (
	"fmt"
	"math/rand/v2"
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
	f(1, 1, 500)
	f(5, 4, 500)
	f(20, 10, 500)
	f(20, 10, 2000)
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

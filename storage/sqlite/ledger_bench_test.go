package sqlite

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// traffic makes entries as a gateway does.
type traffic struct {
	keys, models int
	random       *rand.Rand
}

func (t traffic) entry(at time.Time) storage.Entry {
	key, model := t.random.IntN(t.keys), t.random.IntN(t.models)
	return storage.Entry{
		RequestID: t.requestID(at), Attempt: 1, Revision: 1, State: storage.EntrySettled, Final: true,
		Time: at, Node: "gateway-1",
		Series: storage.Series{
			Workspace: "default", Project: "search", Key: fmt.Sprintf("key%05d", key), KeyName: fmt.Sprintf("ci-%d", key),
			User: "ada@example.com", Provider: "openai", Model: fmt.Sprintf("gpt-%d-mini-2026-01-02", model),
		},
		Credential: "openai", Asked: "fast", Served: "gpt-4o-mini-2024-07-18", Op: "chat", Status: 200, UpstreamStatus: 200,
		UpstreamID: "req_0123456789abcdef0123456789abcdef", Outcome: storage.OutcomeOK, Finish: "stop",
		Lines:    []providers.Normal{{InputUncached: 1000 + t.random.Int64N(1000), CacheRead: 500, Output: t.random.Int64N(500)}},
		UsageRaw: []byte(`{"prompt_tokens":1519,"completion_tokens":342,"total_tokens":1861,"prompt_tokens_details":{"cached_tokens":500,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0}}`),
		Charge:   storage.Charge{CostNano: t.random.Int64N(1_000_000), PriceID: "openai/gpt-4o-mini@2024-07-18#0a1b2c3d"},
		BytesIn:  4096, BytesOut: 2048, ContentBytes: 1500,
		FirstByte: 300 * time.Millisecond, Overhead: 90 * time.Microsecond, Duration: time.Duration(t.random.Int64N(int64(5 * time.Second))),
	}
}

func (t traffic) requestID(at time.Time) (id uuid.UUID) {
	binary.BigEndian.PutUint64(id[:8], uint64(at.UnixMilli())<<16|0x7000|t.random.Uint64N(0x1000))
	binary.BigEndian.PutUint64(id[8:], 1<<63|t.random.Uint64N(1<<62))
	return id
}

// BenchmarkLedgerWrite is a row's way from the journal's bytes into the file.
func BenchmarkLedgerWrite(b *testing.B) {
	f := func(keys, models, batch int) {
		b.Run(fmt.Sprintf("series=%d/batch=%d", keys*models, batch), func(b *testing.B) {
			benchmarkLedgerWrite(b, traffic{keys: keys, models: models, random: rand.New(rand.NewPCG(1, 2))}, batch)
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
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
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

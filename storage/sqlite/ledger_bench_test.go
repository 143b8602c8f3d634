package sqlite

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// traffic makes entries as a gateway does: 20 keys, 10 models, now and then a tag.
func traffic(n int, from time.Time, every time.Duration) []storage.Entry {
	random := rand.New(rand.NewPCG(1, 2))
	entries := make([]storage.Entry, n)
	for i := range entries {
		at := from.Add(time.Duration(i) * every)
		key, model := random.IntN(20), random.IntN(10)
		entries[i] = storage.Entry{
			RequestID: requestID(at, random), Attempt: 1, Revision: 1, State: storage.EntrySettled, Final: true,
			Time: at, Node: "gateway-1",
			Series: storage.Series{
				Workspace: "default", Project: "search", Key: fmt.Sprintf("key%05d", key), KeyName: fmt.Sprintf("ci-%d", key),
				User: "ada@example.com", Provider: "openai", Model: fmt.Sprintf("gpt-%d-mini-2026-01-02", model),
			},
			Credential: "openai", Asked: "fast", Served: "gpt-4o-mini-2024-07-18", Op: "chat", Status: 200, UpstreamStatus: 200,
			UpstreamID: "req_0123456789abcdef0123456789abcdef", Outcome: storage.OutcomeOK, Finish: "stop",
			Lines:    []providers.Normal{{InputUncached: 1000 + random.Int64N(1000), CacheRead: 500, Output: random.Int64N(500)}},
			UsageRaw: []byte(`{"prompt_tokens":1519,"completion_tokens":342,"total_tokens":1861,"prompt_tokens_details":{"cached_tokens":500,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0}}`),
			Charge:   storage.Charge{CostNano: random.Int64N(1_000_000), PriceID: "openai/gpt-4o-mini@2024-07-18#0a1b2c3d"},
			BytesIn:  4096, BytesOut: 2048, ContentBytes: 1500,
			FirstByte: 300 * time.Millisecond, Overhead: 90 * time.Microsecond, Duration: time.Duration(random.Int64N(int64(5 * time.Second))),
		}
	}
	return entries
}

func requestID(at time.Time, random *rand.Rand) (id uuid.UUID) {
	ms := at.UnixMilli()
	for i := range id {
		if id[i] = byte(random.Uint32()); i < 6 {
			id[i] = byte(ms >> (40 - 8*i))
		}
	}
	id[6], id[8] = id[6]&0x0f|0x70, id[8]&0x3f|0x80
	return id
}

// BenchmarkLedgerWrite is a row's way from the journal's bytes into the file, in batches of 500.
func BenchmarkLedgerWrite(b *testing.B) {
	l := freshLedger(b)
	const batch, distinct = 500, 20_000
	wires := make([][]byte, distinct)
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for i, e := range traffic(distinct, start, time.Millisecond) {
		wires[i] = e.Append(nil)
	}
	entries := make([]storage.Entry, batch)
	random := rand.New(rand.NewPCG(3, 4))
	at, done := start, 0
	b.ResetTimer()
	before := cpu(b)
	for b.Loop() {
		for i := range entries {
			entries[i] = storage.Entry{}
			if err := entries[i].Parse(wires[done%distinct]); err != nil {
				b.Fatal(err)
			}
			done++
			at = at.Add(50 * time.Microsecond) // 20,000 rows a second
			entries[i].RequestID = requestID(at, random)
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

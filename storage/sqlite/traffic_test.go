package sqlite

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// traffic makes entries as a gateway does.
type traffic struct {
	keys, models int
	at           time.Time // where it begins
	random       *rand.Rand
}

func morning() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }

// steady is a little of it, the same each time.
func steady() traffic {
	return traffic{keys: 2, models: 2, at: morning(), random: rand.New(rand.NewPCG(1, 2))}
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
		Holds: []storage.Hold{ // two limits, a place and a budget, as most keys have
			{Counter: "rate:{default}key/ci:requests_per_minute:", Unit: storage.UnitRequests, Limit: 6000, Held: 1, Spent: 1},
			{Counter: "rate:{default}key/ci:tokens_per_minute:", Unit: storage.UnitTokens, Limit: 1_000_000, Held: 5517, Spent: 1861},
			{Counter: "slot:{default}key/ci:concurrent:", Unit: storage.UnitCalls, Limit: 100, Held: 1},
			{Counter: "budget:{default}key/ci:usd:month::2026-01-01", Unit: storage.UnitNano, Limit: 1_000_000_000_000, Held: 12_342_342, Spent: 31_000},
		},
		BytesIn: 4096, BytesOut: 2048, ContentBytes: 1500,
		FirstByte: 300 * time.Millisecond, Overhead: 90 * time.Microsecond, Duration: time.Duration(t.random.Int64N(int64(5 * time.Second))),
	}
}

func (t traffic) requestID(at time.Time) (id uuid.UUID) {
	binary.BigEndian.PutUint64(id[:8], uint64(at.UnixMilli())<<16|0x7000|t.random.Uint64N(0x1000))
	binary.BigEndian.PutUint64(id[8:], 1<<63|t.random.Uint64N(1<<62))
	return id
}

package ledger_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/ledger"
	"github.com/aistrale/aistrale/storage/sqlite"
)

// Questions to a ledger of many rows: ten million under AISTRALE_PROVE, of 30 days and 500 series.
func BenchmarkTally(b *testing.B) {
	rows := 20_000
	if os.Getenv("AISTRALE_PROVE") != "" {
		rows = 10_000_000
	}
	l, err := sqlite.OpenLedger(b.Context(), filepath.Join(b.TempDir(), sqlite.LedgerFileName))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	end := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	span := 30 * 24 * time.Hour
	batch := make([]storage.Entry, 0, 2000)
	for i := range rows {
		batch = append(batch, manyAt(end.Add(-span+time.Duration(i)*(span/time.Duration(rows))), i))
		if len(batch) == cap(batch) || i == rows-1 {
			if err := l.Write(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
			batch = batch[:0]
		}
	}
	f := func(name string, t ledger.Tally) {
		b.Run(name, func(b *testing.B) {
			t.From, t.To = end.Add(-span), end
			for b.Loop() {
				if sums, err := t.Sums(b.Context(), l); err != nil || len(sums) == 0 {
					b.Fatal(len(sums), err)
				}
			}
			b.ReportMetric(float64(rows), "rows")
		})
	}
	by := func(d ...storage.Dimension) storage.UsageQuery { return storage.UsageQuery{By: d} }
	perDay := by(storage.ByModel)
	perDay.Per = storage.Day
	perHour := by()
	perHour.Per = storage.Hour
	f("all", ledger.Tally{})
	f("model,key", ledger.Tally{UsageQuery: by(storage.ByModel, storage.ByKey)})
	f("model per day", ledger.Tally{UsageQuery: perDay})
	f("per hour", ledger.Tally{UsageQuery: perHour})
	cost := perHour
	cost.Only = []storage.Measure{storage.CostNano}
	f("cost per hour", ledger.Tally{UsageQuery: cost})
	f("operation, from rows", ledger.Tally{ByFacets: []ledger.Facet{ledger.ByOperation}})
}

func manyAt(at time.Time, n int) storage.Entry {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:], uint64(at.UnixMilli())<<16|0x7000)
	id[8] = 0x80
	binary.BigEndian.PutUint32(id[12:], uint32(n))
	return storage.Entry{
		RequestID: id, Attempt: 1, Revision: 1, State: storage.EntrySettled, Final: true, Time: at, Op: "chat", Status: 200, Outcome: storage.OutcomeOK,
		Series: storage.Series{Workspace: "default", Project: "web", Key: fmt.Sprintf("key%05d", n%50), KeyName: "ci", Provider: "openai", Model: fmt.Sprint("model-", n%10)},
		Lines:  []providers.Normal{{InputUncached: 3, Output: 2}}, Charge: storage.Charge{CostNano: 7, PriceID: "p"}, Duration: time.Duration(n%5000) * time.Millisecond,
	}
}

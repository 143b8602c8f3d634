package postgres

import (
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/ledger"
	"github.com/aistrale/aistrale/storage/storagetest"
)

// cpu is the processor time that this process has taken; the server's is not in it.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	do(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkWrite writes rows in the shipper's batches: one operation is one row. The server
// calls fsync.
func BenchmarkWrite(b *testing.B) {
	server := storagetest.PostgresServer(b)
	models := make([]string, 200)
	for i := range models {
		models[i] = fmt.Sprintf("gpt-%d", i)
	}
	f := func(series, writers, batch int) {
		b.Run(fmt.Sprintf("series=%d/writers=%d/batch=%d", series, writers, batch), func(b *testing.B) {
			s := openAt(b, fmt.Sprintf("%s&search_path=s%d_%d_%d_%d", server.URL, series, writers, batch, b.N))
			do(b, s.Ready(b.Context()))
			do(b, s.addPartitions(b.Context(), []time.Time{noon.Truncate(24 * time.Hour)}))
			var next atomic.Int64
			var wg sync.WaitGroup
			b.ResetTimer()
			began := cpu(b)
			for range writers {
				wg.Go(func() {
					entries := entriesAt(noon, 0, uint64(batch))
					for first := next.Add(int64(batch)) - int64(batch); first < int64(b.N); first = next.Add(int64(batch)) - int64(batch) {
						for i := range entries { // 20,000 rows a second
							n := first + int64(i)
							entries[i].RequestID = idAt(noon.Add(time.Duration(n)*50*time.Microsecond), uint64(n))
							entries[i].Model = models[n%int64(series)]
						}
						if err := s.Write(b.Context(), entries[:min(int64(batch), int64(b.N)-first)]); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64((cpu(b)-began).Microseconds())/float64(b.N), "cpu-us/row")
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
	f(5, 1, 500)
	f(5, 3, 500)
	f(200, 1, 500)
	f(200, 1, 2000)
}

// BenchmarkUsage asks for 30 days by model, at whole days and, as "the last 30 days" are, not.
// With AISTRALE_PROVE there are the roll-ups of 10 million rows.
func BenchmarkUsage(b *testing.B) {
	rows := 100_000
	if os.Getenv("AISTRALE_PROVE") != "" {
		rows = 10_000_000
	}
	const days = 31
	s := fresh(b)
	begin := noon.Truncate(24 * time.Hour)
	loadRollups(b, s, begin, rows, days*24*time.Hour)
	end := begin.AddDate(0, 0, days)
	f := func(name string, want int, q storage.UsageQuery) {
		b.Run(fmt.Sprintf("rows=%d/%s", rows, name), func(b *testing.B) {
			for b.Loop() {
				sums, err := s.Usage(b.Context(), q)
				if err != nil || len(sums) != want {
					b.Fatalf("%d sums, want %d, error %v", len(sums), want, err)
				}
			}
		})
	}
	byModel := []storage.Dimension{storage.ByModel}
	f("aligned", 10, storage.UsageQuery{From: begin, To: end.AddDate(0, 0, -1), By: byModel})
	f("unaligned", 10, storage.UsageQuery{From: begin.Add(10*time.Hour + 29*time.Minute), To: end.Add(-13*time.Hour - 31*time.Minute), By: byModel})
	f("per-day", 300, storage.UsageQuery{From: begin, To: end.AddDate(0, 0, -1), By: byModel, Per: storage.Day})
	f("one-key", 10, storage.UsageQuery{
		From: begin.Add(10*time.Hour + 29*time.Minute), To: end, By: byModel,
		Where: []storage.Filter{{Dimension: storage.ByKey, Values: []string{"ci-7"}}},
	})
}

// loadRollups writes what so many rows make of the roll-ups, of 20 keys and 10 models, by
// Write's own code but without the rows themselves, which no sum reads.
func loadRollups(b *testing.B, s *Store, from time.Time, rows int, over time.Duration) {
	b.Helper()
	const some = 10_000
	random := rand.New(rand.NewPCG(1, 2))
	set := newArrays(s.sql)
	for first := 0; first < rows; first += some {
		var batch ledger.Batch
		for n := first; n < first+some; n++ {
			e := entryAt(from.Add(time.Duration(float64(over)/float64(rows)*float64(n))), uint64(n))
			e.Model = fmt.Sprintf("gpt-%d", random.IntN(10))
			e.KeyName = fmt.Sprintf("ci-%d", random.IntN(20))
			e.Key = e.KeyName
			batch.Add(&e, nil)
		}
		do(b, s.writer.AcquireFunc(b.Context(), func(conn *pgxpool.Conn) error {
			numbers, err := s.number(b.Context(), conn.Conn(), batch.Series())
			if err != nil {
				return err
			}
			return s.pipeline(b.Context(), conn.Conn(), set.rollups(batch.Rows(numbers)), nil)
		}))
	}
	_, err := s.writer.Exec(b.Context(), `ANALYZE`) // as the server does by itself in time
	do(b, err)
}

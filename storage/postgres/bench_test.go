package postgres

import (
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// cpu is the processor time that this process has taken; the server's is not in it.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	do(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkWrite writes rows in the shipper's batches: one operation is one row.
func BenchmarkWrite(b *testing.B) {
	f := func(name string, writers, batch int) {
		b.Run(name, func(b *testing.B) {
			s := fresh(b)
			do(b, s.Write(b.Context(), entriesAt(noon, 0, 100)))
			entries := entriesAt(noon.Add(time.Second), 0, uint64(b.N))
			b.ResetTimer()
			began := cpu(b)
			var wg sync.WaitGroup
			for w := range writers {
				wg.Go(func() {
					for i := w * batch; i < len(entries); i += writers * batch {
						if err := s.Write(b.Context(), entries[i:min(i+batch, len(entries))]); err != nil {
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
	f("one", 1, 500)
	f("two", 2, 500)
	f("large", 1, 2000)
}

var _ = storage.Entry{}

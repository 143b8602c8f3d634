package admin

import (
	"bufio"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// However many rows there are, a few pages of them are in memory.
func TestUsageRows_Memory(t *testing.T) {
	rows, parts := 4000, 4 // whole batches
	if os.Getenv("AISTRALE_PROVE") != "" {
		rows, parts = 200_000, 50 // ten times the bound and more, were they held
	}
	onStoresAlone(t, func(t *testing.T, a *testAPI) { // the heap is everybody's
		var batch []storage.Entry
		for i := range rows {
			e := usedAt(a.clock.Add(-time.Duration(i+1)*time.Second), i, 7)
			e.Metadata = `{"filler":"` + strings.Repeat("x", 200) + `"}`
			if batch = append(batch, e); len(batch) == 2000 {
				do(t, a.books.Write(t.Context(), batch))
				batch = batch[:0]
			}
		}
		batch = nil
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.url+"/usage/rows?from=2020-01-01", http.NoBody)
		do(t, err)
		r.Header.Set("authorization", "Bearer "+a.root)
		before := heap()
		response, err := http.DefaultTransport.RoundTrip(r)
		do(t, err)
		defer response.Body.Close()
		lines, most := 0, uint64(0)
		for text := bufio.NewScanner(response.Body); text.Scan(); lines++ {
			if lines%(rows/parts) == rows/parts/2 {
				most = max(most, heap())
			}
		}
		if lines != rows+1 {
			t.Errorf("%d lines, want %d and a head", lines, rows)
		}
		const bound = 12 << 20
		if most > before+bound {
			t.Errorf("the heap grew from %d to %d bytes", before, most)
		}
	})
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

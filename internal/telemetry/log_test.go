package telemetry

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/aistrale/aistrale/storage"
)

func TestRequestLog_Level(t *testing.T) {
	f := func(least slog.Level, outcome storage.Outcome, status int, want string) {
		t.Helper()
		var out lockedLines
		tel := New(Options{Log: &out, Level: least})
		r := sample()
		r.Outcome, r.Status = outcome, status
		tel.Observe(r)
		closed(t, tel)
		if want == "" && out.String() != "" || !strings.Contains(out.String(), want) {
			t.Errorf("%s %d at %s logs %q, want %q", outcome, status, least, out.String(), want)
		}
	}
	f(slog.LevelInfo, storage.OutcomeOK, 200, `"level":"INFO"`)
	f(slog.LevelInfo, storage.OutcomeRefused, 429, `"level":"INFO"`)
	f(slog.LevelInfo, storage.OutcomeRefused, 503, `"level":"ERROR"`)
	f(slog.LevelInfo, storage.OutcomeClientGone, 499, `"level":"INFO"`)
	f(slog.LevelInfo, storage.OutcomeUpstreamError, 502, `"level":"WARN"`)
	f(slog.LevelInfo, storage.OutcomeBrokenStream, 200, `"level":"WARN"`)
	f(slog.LevelInfo, storage.OutcomeTimeout, 504, `"level":"WARN"`)
	f(slog.LevelInfo, storage.OutcomePanic, 500, `"level":"ERROR"`)
	f(slog.LevelWarn, storage.OutcomeOK, 200, ``)
	f(slog.LevelWarn, storage.OutcomeTimeout, 504, `"level":"WARN"`)
}

// A log whose taker is stuck costs lines, never requests or memory.
func TestRequestLog_Overflow(t *testing.T) {
	r, w := io.Pipe()
	dropped := prometheus.NewCounter(prometheus.CounterOpts{Name: "d"})
	l := newRequestLog(w, slog.LevelInfo, dropped)
	record := sample()
	size := len(appendLine(nil, slog.LevelInfo, record))
	n := 3 * logHeld / size
	for range n {
		l.observe(record)
	}
	lost := int(value(t, dropped))
	if lost == 0 {
		t.Fatal("no line was dropped")
	}
	l.lines.mu.Lock()
	if len(l.lines.held) > logHeld+size {
		t.Errorf("%d bytes held, want no more than %d", len(l.lines.held), logHeld+size)
	}
	l.lines.mu.Unlock()
	lines := make(chan int)
	go func() {
		all, _ := io.ReadAll(r)
		lines <- strings.Count(string(all), "\n")
	}()
	if err := l.close(t.Context()); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	if got := <-lines; got+lost != n {
		t.Errorf("%d lines written and %d dropped, want %d in all", got, lost, n)
	}
	l.observe(record)
	if got := int(value(t, dropped)); got != lost+1 {
		t.Errorf("%d dropped after close, want %d", got, lost+1)
	}
}

func TestRequestLog_CloseTellsTheTakersError(t *testing.T) {
	r, w := io.Pipe()
	full := errors.New("disk full")
	_ = r.CloseWithError(full)
	l := newRequestLog(w, slog.LevelInfo, prometheus.NewCounter(prometheus.CounterOpts{Name: "d"}))
	l.observe(sample())
	if err := l.close(t.Context()); !errors.Is(err, full) {
		t.Errorf("close() = %v, want %v", err, full)
	}
}

func value(t testing.TB, c prometheus.Counter) float64 {
	t.Helper()
	var m dto.Metric
	if err := c.Write(&m); err != nil {
		t.Fatal(err)
	}
	return m.GetCounter().GetValue()
}

// The two ways to write a log, to a file as a container's log is one: held back for one writer,
// and one system call per line. With -cpu 1 the time is that of both goroutines.
func BenchmarkRequestLog(b *testing.B) {
	r := sample()
	file := func(b *testing.B) *os.File {
		f, err := os.OpenFile(filepath.Join(b.TempDir(), "log"), os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = f.Close() })
		return f
	}
	b.Run("held", func(b *testing.B) {
		lost := prometheus.NewCounter(prometheus.CounterOpts{Name: "d"})
		l := newRequestLog(file(b), slog.LevelInfo, lost)
		b.ReportAllocs()
		for b.Loop() {
			for waiting(l) > logFull { // else lines would be dropped, which is cheap
				runtime.Gosched()
			}
			l.observe(r)
		}
		_ = l.close(context.Background())
		b.ReportMetric(value(b, lost)/float64(b.N), "dropped/op")
	})
	b.Run("direct", func(b *testing.B) {
		var buf []byte
		f := file(b)
		b.ReportAllocs()
		for b.Loop() {
			buf = appendLine(buf[:0], slog.LevelInfo, r)
			_, _ = f.Write(buf)
		}
	})
}

func waiting(l *requestLog) int {
	l.lines.mu.Lock()
	defer l.lines.mu.Unlock()
	return len(l.lines.held)
}

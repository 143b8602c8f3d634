package telemetry

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// sample is a record with every field set.
func sample() *storage.Record {
	var l providers.UsageLine
	l.Set(providers.InputTotal, 1200)
	l.Set(providers.CacheRead, 1000)
	l.Set(providers.OutputTotal, 42)
	cost := int64(1_284_000)
	return &storage.Record{
		ID: "0193b6f0-7c1e-7000-8000-000000000001", ClientRequestID: "mine-1",
		Trace: storage.Trace{ID: storage.TraceID{0xa1, 15: 1}, Span: storage.SpanID{0xb2, 7: 2}, Sampled: true},
		Time:  time.Date(2026, 11, 23, 1, 2, 3, 456_000_000, time.UTC), Node: "n1", Client: netip.MustParseAddr("2001:db8::1"),
		KeyID: "ab12cd34", KeyName: "ci", User: "ada", Project: "default", Workspace: "default", Prompt: "greet@3", Tags: []string{"a", "b"},
		Op: providers.OpChat, Stream: true, Provider: "anthropic", Credential: "env", Asked: "fast",
		Model: "claude-sonnet-4-5", Served: "claude-sonnet-4-5-20250929", Tier: "standard", Dropped: []string{"seed"},
		Status: 200, Outcome: storage.OutcomeOK, Finish: "end_turn",
		Attempts: []storage.Attempt{
			{Provider: "groq", Model: "llama", Status: 429, Outcome: storage.OutcomeUpstreamError, Err: "rate limit", Duration: 31 * time.Millisecond},
			{Provider: "anthropic", Model: "claude-sonnet-4-5", Credential: "env", Status: 200, Outcome: storage.OutcomeOK, UpstreamID: "req_1", Reused: true, Duration: 900 * time.Millisecond},
		},
		Usage:    providers.Usage{Lines: []providers.UsageLine{l}, Raw: []byte(`{"input_tokens":200,"cache_read_input_tokens":1000,"output_tokens":42}`)},
		CostNano: &cost, BytesIn: 335, BytesOut: 1024, ContentBytes: 160,
		FirstByte: 300 * time.Millisecond, Overhead: 41 * time.Microsecond, Duration: 950*time.Millisecond + 7*time.Microsecond,
	}
}

func onlyClaude(provider, model string) bool {
	return provider == "anthropic" && model == "claude-sonnet-4-5"
}

func scrape(t *testing.T, tel *Telemetry) string {
	t.Helper()
	w := httptest.NewRecorder()
	tel.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func closed(t *testing.T, tel *Telemetry) {
	t.Helper()
	if err := tel.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestTelemetry_ObserveFromManyGoroutines(t *testing.T) {
	var out lockedLines
	tel := New(Options{Log: &out, Known: onlyClaude})
	const workers, each = 8, 100 // all of whose lines may wait at once
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			r := sample()
			r.Status = 200 + w
			for range each {
				tel.StreamOpened()
				tel.Observe(r)
				tel.StreamClosed()
			}
		})
	}
	scrape(t, tel)
	tel.Reloaded(true)
	wg.Wait()
	closed(t, tel)
	if got := strings.Count(out.String(), "\n"); got != workers*each {
		t.Errorf("%d lines logged, want %d", got, workers*each)
	}
	text := scrape(t, tel)
	want(t, text, `aistrale_requests_total{model="claude-sonnet-4-5",provider="anthropic",status="203"} 100`)
	want(t, text, `aistrale_open_streams 0`)
}

// A request must not wait for garbage to be collected on its account.
func TestTelemetry_ObserveAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates; make test runs this again without it")
	}
	tel := New(Options{Log: io.Discard, Known: onlyClaude})
	defer closed(t, tel)
	known, unknown := sample(), sample()
	unknown.Model = "whatever-a-client-says"
	for range 2000 { // grows both buffers
		tel.Observe(known)
		tel.Observe(unknown)
	}
	if n := testing.AllocsPerRun(2000, func() { tel.Observe(known); tel.Observe(unknown) }); n != 0 {
		t.Errorf("Observe allocates %v times in steady state, want 0", n)
	}
}

func TestTelemetry_WithoutLog(t *testing.T) {
	tel := New(Options{})
	tel.Observe(sample())
	closed(t, tel)
	want(t, scrape(t, tel), `aistrale_requests_total{model="other",provider="anthropic",status="200"} 1`)
}

func TestTelemetry_CloseSaysThatTheLogIsStuck(t *testing.T) {
	r, w := io.Pipe() // nobody reads
	defer func() { _ = r.Close() }()
	tel := New(Options{Log: w})
	tel.Observe(sample())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := tel.Close(ctx); err == nil || !strings.Contains(err.Error(), "request log") {
		t.Errorf("Close() = %v, want an error about the request log", err)
	}
}

func want(t *testing.T, text, line string) {
	t.Helper()
	for got := range strings.Lines(text) {
		if strings.TrimSuffix(got, "\n") == line {
			return
		}
	}
	t.Errorf("no line %s in\n%s", line, text)
}

// lockedLines is a log's taker that a test reads.
type lockedLines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lockedLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lockedLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func BenchmarkTelemetry_Observe(b *testing.B) {
	tel := New(Options{Log: io.Discard, Known: onlyClaude})
	defer func() { _ = tel.Close(context.Background()) }()
	r := sample()
	b.ReportAllocs()
	for b.Loop() {
		tel.Observe(r)
	}
}

package telemetry

import (
	"compress/gzip"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	collogspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/aistrale/aistrale/storage"
)

// receiver is a collector that a test reads, for what a real one cannot be made to do.
type receiver struct {
	url *url.URL

	mu      sync.Mutex
	status  int // in place of 200
	headers http.Header
	spans   []*tracepb.ResourceSpans
	logs    []*logspb.ResourceLogs
	calls   int
}

func newReceiver(t testing.TB) *receiver {
	t.Helper()
	r := &receiver{}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	r.url, _ = url.Parse(server.URL)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	unzipped, err := gzip.NewReader(req.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	body, _ := io.ReadAll(unzipped)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	r.headers = req.Header
	if r.status != 0 {
		w.WriteHeader(r.status)
		return
	}
	switch req.URL.Path {
	case "/v1/traces":
		var said coltracepb.ExportTraceServiceRequest
		err = proto.Unmarshal(body, &said)
		r.spans = append(r.spans, said.ResourceSpans...)
	case "/v1/logs":
		var said collogspb.ExportLogsServiceRequest
		err = proto.Unmarshal(body, &said)
		r.logs = append(r.logs, said.ResourceLogs...)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
	}
}

func (r *receiver) all() (spans []*tracepb.Span) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, one := range r.spans {
		for _, group := range one.ScopeSpans {
			spans = append(spans, group.Spans...)
		}
	}
	return spans
}

func newTracer(t testing.TB, to *receiver, change func(*TracerOptions)) *Tracer {
	t.Helper()
	o := TracerOptions{
		To: Collector{URL: to.url, Headers: map[string]string{"authorization": "Bearer of-a-collector"}}, Memory: 16 << 20,
		Resource: Resource{Version: "1.2.3", Node: "n1", Attributes: map[string]string{"deployment.environment.name": "test"}}, Sampling: Sampling{Ratio: 1},
	}
	if change != nil {
		change(&o)
	}
	tracer, err := NewTracer(o)
	if err != nil {
		t.Fatal(err)
	}
	return tracer
}

func TestTracer_Sends(t *testing.T) {
	// What the SDKs' variables say is not for the gateway.
	for _, name := range []string{"ENDPOINT", "TRACES_ENDPOINT"} {
		t.Setenv("OTEL_EXPORTER_OTLP_"+name, "http://127.0.0.1:1")
	}
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=nobody's")
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")
	to := newReceiver(t)
	tracer := newTracer(t, to, nil)
	tel := New(Options{Tracer: tracer, Read: tracer.Read})
	r := traced()
	tel.Observe(r)
	if err := tracer.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	tel.Observe(r) // too late
	got := to.all()
	if len(got) != 3 || told(got[2]) != told(printed(t, r)[2]) {
		t.Fatalf("%d spans, the last is %v", len(got), got)
	}
	if h := to.headers.Get("authorization"); h != "Bearer of-a-collector" {
		t.Errorf("authorization is %q", h)
	}
	var about strings.Builder
	tellAttributes(&about, "", to.spans[0].Resource.Attributes)
	const wantResource = "deployment.environment.name = test\nservice.instance.id = n1\nservice.name = aistrale\nservice.version = 1.2.3\n"
	if about.String() != wantResource {
		t.Errorf("the resource is\n%s", about.String())
	}
	text := scrape(t, tel)
	want(t, text, "aistrale_spans_sent_total 3")
	want(t, text, "aistrale_spans_dropped_total 3")
}

// A collector that takes nothing costs spans, is told of once, and again when it does.
func TestTracer_CollectorIsAway(t *testing.T) {
	to := newReceiver(t)
	to.status = http.StatusForbidden
	var log lockedLines
	tracer := newTracer(t, to, func(o *TracerOptions) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	one := appendSpans(nil, traced())
	for range 3 {
		if err := tracer.send(one); err == nil {
			t.Fatal("no error")
		}
	}
	to.mu.Lock()
	to.status = 0
	to.mu.Unlock()
	if err := tracer.send(one); err != nil {
		t.Fatal(err)
	}
	if sent, dropped := tracer.sent.Load(), tracer.dropped.Load(); sent != 3 || dropped != 9 {
		t.Errorf("%d sent and %d dropped", sent, dropped)
	}
	if text := log.String(); strings.Count(text, "does not take spans") != 1 || strings.Count(text, "takes spans again") != 1 || strings.Contains(text, "of-a-collector") {
		t.Errorf("the log says %s", text)
	}
	if err := tracer.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Spans wait in bounded memory, and go in pieces that a collector takes.
func TestTracer_Overflow(t *testing.T) {
	to := newReceiver(t)
	const memory = 3 << 20
	tracer := newTracer(t, to, func(o *TracerOptions) { o.Memory = memory })
	to.mu.Lock() // the collector takes its time
	r := traced()
	size := len(appendSpans(nil, r))
	n := 3 * memory / size
	for range n {
		tracer.observe(r)
	}
	tracer.spans.mu.Lock()
	if held := len(tracer.spans.held); held > memory+size {
		t.Errorf("%d bytes wait, want no more than %d", held, memory+size)
	}
	tracer.spans.mu.Unlock()
	to.mu.Unlock()
	if err := tracer.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	sent, dropped := tracer.sent.Load(), tracer.dropped.Load()
	if got := int64(len(to.all())); got != sent || sent+dropped != int64(3*n) || dropped == 0 {
		t.Errorf("%d of %d spans came, %d are said to, %d were dropped", got, 3*n, sent, dropped)
	}
	if to.calls < memory/spanBatch {
		t.Errorf("%d bytes came in %d calls", memory, to.calls)
	}
}

func TestTracer_CloseWaitsForNobody(t *testing.T) {
	to := newReceiver(t)
	tracer := newTracer(t, to, nil)
	to.mu.Lock()
	defer to.mu.Unlock()
	tracer.observe(traced())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := tracer.Close(ctx); err == nil || !strings.Contains(err.Error(), "not all spans") {
		t.Errorf("Close() = %v", err)
	}
}

// A request must not wait for garbage to be collected on account of its trace.
func TestTracer_ObserveAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates; make test runs this again without it")
	}
	tracer := &Tracer{sampling: Sampling{Ratio: 1}, below: 1 << 63, spans: &outbox{most: 1 << 30, wake: make(chan struct{}, 1), full: make(chan struct{}, 1)}}
	tracer.spans.held = make([]byte, 0, 64<<20)
	r := traced()
	if n := testing.AllocsPerRun(2000, func() { r.Trace = tracer.Begin(nil, nil); tracer.observe(r) }); n != 0 {
		t.Errorf("a traced request allocates %v times, want 0", n)
	}
}

func BenchmarkTracer(b *testing.B) {
	f := func(name string, ratio float64) {
		b.Run(name, func(b *testing.B) {
			to := newReceiver(b)
			to.status = http.StatusOK // and reads nothing, which would be the collector's work
			tracer := newTracer(b, to, func(o *TracerOptions) { o.Sampling.Ratio, o.Memory = ratio, 256<<20 })
			r := traced()
			b.ReportAllocs()
			for b.Loop() {
				r.Trace = tracer.Begin(nil, nil)
				tracer.observe(r)
			}
			b.StopTimer()
			if err := tracer.Close(context.Background()); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(tracer.dropped.Load())/float64(b.N), "dropped/op")
		})
	}
	f("off", 0)
	f("1%", 0.01)
	f("100%", 1)
}

// What sending costs a request of three spans, on no request's time.
func BenchmarkTracer_Send(b *testing.B) {
	to := newReceiver(b)
	to.status = http.StatusOK
	tracer := newTracer(b, to, nil)
	var batch []byte
	const requests = 200
	for range requests {
		batch = appendSpans(batch, traced())
	}
	for b.Loop() {
		if err := tracer.send(batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/requests, "ns/request")
	_ = tracer.Close(context.Background())
}

func TestTracer_Off(t *testing.T) {
	var none *Tracer
	none.observe(sample())
	if err := none.Close(t.Context()); err != nil {
		t.Error(err)
	}
	tel := New(Options{Read: none.Read})
	r := sample()
	r.Trace = storage.Trace{}
	tel.Observe(r)
	want(t, scrape(t, tel), "aistrale_spans_sent_total 0")
}

package telemetry

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
)

func newShipper(t *testing.T, to *receiver, memory int) *LogShipper {
	t.Helper()
	s, err := NewLogShipper(LogShipperOptions{To: Collector{URL: to.url}, Resource: Resource{Version: "1.2.3", Node: "n1"}, Memory: memory})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (r *receiver) lines() (lines []*logspb.LogRecord) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, one := range r.logs {
		for _, group := range one.ScopeLogs {
			lines = append(lines, group.LogRecords...)
		}
	}
	return lines
}

// Lines go as they stand in the log, of requests as of the gateway's life, with what finds them.
func TestLogShipper_Sends(t *testing.T) {
	to := newReceiver(t)
	s := newShipper(t, to, 1<<20)
	var out lockedLines
	lines := io.MultiWriter(&out, s)
	log := slog.New(slog.NewJSONHandler(lines, nil))
	log.Warn("something", "request_id", "r-1")
	tel := New(Options{Log: lines, Read: s.Read})
	tel.Observe(traced())
	closed(t, tel)
	log.Error("not a \xff character")
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := to.lines()
	if len(got) != 3 {
		t.Fatalf("%d lines: %v", len(got), got)
	}
	var text strings.Builder
	for i, want := range []string{
		"SEVERITY_NUMBER_WARN WARN   0 request_id = r-1\n",
		"SEVERITY_NUMBER_INFO INFO a1000000000000000000000000000001 b200000000000002 1 request_id = 0193b6f0-7c1e-7000-8000-000000000001\n",
		"SEVERITY_NUMBER_ERROR ERROR   0 ",
	} {
		r := got[i]
		text.WriteString(r.Body.GetStringValue() + "\n")
		var b strings.Builder
		tellAttributes(&b, "", r.Attributes)
		if said := fmt.Sprintf("%s %s %x %x %d %s", r.SeverityNumber, r.SeverityText, r.TraceId, r.SpanId, r.Flags, b.String()); said != want {
			t.Errorf("line %d is %q, want %q", i, said, want)
		}
	}
	if text.String() != out.String() {
		t.Errorf("the collector has\n%swhere the log has\n%s", text.String(), out.String())
	}
	if at := got[1].TimeUnixNano; at != uint64(traced().Time.UnixNano()) {
		t.Errorf("the request was at %d", at)
	}
	want(t, scrape(t, tel), "aistrale_log_lines_sent_total 3")
}

func TestLogShipper_Overflow(t *testing.T) {
	to := newReceiver(t)
	to.status = http.StatusNotFound
	s := newShipper(t, to, 1<<10)
	line := []byte(strings.Repeat("x", 200) + "\n")
	const n = 100
	to.mu.Lock()
	for range n {
		if wrote, err := s.Write(line); wrote != len(line) || err != nil {
			t.Fatal(wrote, err)
		}
	}
	to.mu.Unlock()
	if err := s.Close(t.Context()); err == nil {
		t.Error("nobody took the lines, and Close says nothing")
	}
	if sent, dropped := s.sent.Load(), s.dropped.Load(); sent != 0 || dropped != n {
		t.Errorf("%d sent, %d dropped", sent, dropped)
	}
}

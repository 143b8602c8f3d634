package main_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	collogspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// collected is where telemetry ends: whoever sends OTLP by HTTP may send it here.
type collected struct {
	url string

	mu    sync.Mutex
	raw   bytes.Buffer // everything, as it came
	sent  http.Header  // of the last request
	spans []*tracepb.Span
	lines []*logspb.LogRecord
	about []*commonpb.KeyValue // the last resource
}

func collects(t *testing.T) *collected {
	t.Helper()
	c := &collected{}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

func (c *collected) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	from := io.Reader(r.Body)
	if r.Header.Get("content-encoding") == "gzip" {
		unzipped, err := gzip.NewReader(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		from = unzipped
	}
	body, err := io.ReadAll(from)
	if err == nil {
		err = c.take(r, body)
	}
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
	}
}

func (c *collected) take(r *http.Request, body []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = c.raw.Write(body)
	c.sent = r.Header
	var spans coltracepb.ExportTraceServiceRequest
	var logs collogspb.ExportLogsServiceRequest
	if strings.HasSuffix(r.URL.Path, "/v1/logs") {
		if err := proto.Unmarshal(body, &logs); err != nil {
			return err
		}
	} else if err := proto.Unmarshal(body, &spans); err != nil {
		return err
	}
	for _, of := range spans.ResourceSpans {
		c.about = of.Resource.Attributes
		for _, group := range of.ScopeSpans {
			c.spans = append(c.spans, group.Spans...)
		}
	}
	for _, of := range logs.ResourceLogs {
		for _, group := range of.ScopeLogs {
			c.lines = append(c.lines, group.LogRecords...)
		}
	}
	return nil
}

// config sends everything of a gateway here, with a header that is a secret.
func (c *collected) config(secret string) string {
	headers := "headers: [{name: authorization, value: \"" + secret + "\"}]"
	return "tracing: {endpoint: \"" + c.url + "\", " + headers + "}\notlp_logs: {endpoint: \"" + c.url + "\", " + headers + "}\n"
}

// evidence gives what came of spans and of the log, and holds it to be something.
func (c *collected) evidence(t *testing.T, secret string, seen evidence) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.spans) == 0 || len(c.lines) == 0 || c.sent.Get("authorization") != secret {
		t.Errorf("%d spans and %d lines came, with %q, so that this shows nothing of them", len(c.spans), len(c.lines), c.sent.Get("authorization"))
	}
	seen.add("OTLP", c.raw.String())
}

// request waits for the spans of a request: its own, and those of its attempts in their order.
func (c *collected) request(t *testing.T, id string) (request *tracepb.Span, attempts []*tracepb.Span) {
	t.Helper()
	eventually(t, "the spans of "+id+" come", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, s := range c.spans {
			if attribute(s, "aistrale.request_id") == id {
				request = s
			}
		}
		return request != nil
	})
	want := attribute(request, "aistrale.attempts")
	eventually(t, want+" attempts of "+id+" come", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		attempts = nil
		for _, s := range c.spans {
			if bytes.Equal(s.TraceId, request.TraceId) && bytes.Equal(s.ParentSpanId, request.SpanId) {
				attempts = append(attempts, s)
			}
		}
		return fmt.Sprint(len(attempts)) == want
	})
	return request, attempts
}

// line waits for the log line of a request.
func (c *collected) line(t *testing.T, id string) (line *logspb.LogRecord) {
	t.Helper()
	eventually(t, "the line of "+id+" comes", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, l := range c.lines {
			if len(l.Attributes) == 1 && l.Attributes[0].Key == "request_id" && l.Attributes[0].Value.GetStringValue() == id {
				line = l
			}
		}
		return line != nil
	})
	return line
}

// attribute gives a span's attribute as text, "" where it has none.
func attribute(s *tracepb.Span, name string) string {
	for _, kv := range s.Attributes {
		if kv.Key != name {
			continue
		}
		switch v := kv.Value.Value.(type) {
		case *commonpb.AnyValue_StringValue:
			return v.StringValue
		case *commonpb.AnyValue_IntValue:
			return fmt.Sprint(v.IntValue)
		case *commonpb.AnyValue_BoolValue:
			return fmt.Sprint(v.BoolValue)
		case *commonpb.AnyValue_DoubleValue:
			return fmt.Sprint(v.DoubleValue)
		}
	}
	return ""
}

// happened gives the names of a span's events.
func happened(s *tracepb.Span) string {
	var names []string
	for _, e := range s.Events {
		names = append(names, strings.TrimPrefix(e.Name, "aistrale."))
	}
	return strings.Join(names, " ")
}

// freeAddress is one on loopback that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

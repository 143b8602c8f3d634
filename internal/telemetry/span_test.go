package telemetry

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/aistrale/aistrale/storage"
)

// told is a span in words: what it has, one thing a line.
func told(s *tracepb.Span) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", strings.TrimPrefix(s.Kind.String(), "SPAN_KIND_"), s.Name)
	fmt.Fprintf(&b, "ids %x %x under %x flags %x state %s\n", s.TraceId, s.SpanId, s.ParentSpanId, s.Flags, s.TraceState)
	fmt.Fprintf(&b, "from %s for %s\n", time.Unix(0, int64(s.StartTimeUnixNano)).UTC().Format("15:04:05.000"), time.Duration(s.EndTimeUnixNano-s.StartTimeUnixNano))
	tellAttributes(&b, "", s.Attributes)
	for _, e := range s.Events {
		fmt.Fprintf(&b, "event %s after %s\n", e.Name, time.Duration(e.TimeUnixNano-s.StartTimeUnixNano))
		tellAttributes(&b, "  ", e.Attributes)
	}
	if s.Status != nil {
		fmt.Fprintf(&b, "%s %s\n", s.Status.Code, s.Status.Message)
	}
	return b.String()
}

func tellAttributes(b *strings.Builder, indent string, list []*commonpb.KeyValue) {
	for _, kv := range list {
		value := ""
		switch v := kv.Value.Value.(type) {
		case *commonpb.AnyValue_StringValue:
			value = v.StringValue
		case *commonpb.AnyValue_IntValue:
			value = fmt.Sprint(v.IntValue)
		case *commonpb.AnyValue_DoubleValue:
			value = fmt.Sprint(v.DoubleValue)
		case *commonpb.AnyValue_BoolValue:
			value = fmt.Sprint(v.BoolValue)
		case *commonpb.AnyValue_ArrayValue:
			for _, one := range v.ArrayValue.Values {
				value += "[" + one.GetStringValue() + "]"
			}
		}
		fmt.Fprintf(b, "%s%s = %s\n", indent, kv.Key, value)
	}
}

// printed reads the spans of a record as a collector would.
func printed(t testing.TB, r *storage.Record) []*tracepb.Span {
	t.Helper()
	var group tracepb.ScopeSpans
	if err := proto.Unmarshal(appendSpans(nil, r), &group); err != nil {
		t.Fatal(err)
	}
	if len(group.ProtoReflect().GetUnknown()) > 0 || len(group.Spans) != spansOf(r) {
		t.Fatalf("%d spans, want %d", len(group.Spans), spansOf(r))
	}
	return group.Spans
}

// traced is sample with what only spans show.
func traced() *storage.Record {
	r := sample()
	r.Trace.Parent, r.Trace.State = storage.SpanID{0xc3, 7: 3}, "vendor=1"
	r.Method, r.Route, r.Session, r.Waited = "POST", "/v1/chat/completions", "talk-1", 20*time.Millisecond
	r.Considered = []storage.Candidate{
		{Provider: "openai", Model: "gpt", Credential: "a", Fate: storage.FateBreaker},
		{Provider: "groq", Model: "llama", Fate: storage.FateFailed},
		{Provider: "anthropic", Model: "claude-sonnet-4-5", Fate: storage.FateServed},
	}
	for i := range r.Attempts {
		a := &r.Attempts[i]
		a.Span, a.Kind, a.BaseURL = storage.SpanID{0xd0 + byte(i), 7: 4}, a.Provider, "https://api."+a.Provider+".com/v1"
		a.Began, a.Answered = r.Time.Add(time.Duration(i)*40*time.Millisecond+20*time.Millisecond), 25*time.Millisecond
	}
	return r
}

func TestAppendSpans_Golden(t *testing.T) {
	want := []string{`SERVER POST /v1/chat/completions
ids a1000000000000000000000000000001 b200000000000002 under c300000000000003 flags 301 state vendor=1
from 01:02:03.456 for 950.007ms
http.request.method = POST
http.route = /v1/chat/completions
http.response.status_code = 200
aistrale.request_id = 0193b6f0-7c1e-7000-8000-000000000001
aistrale.client_request_id = mine-1
gen_ai.conversation.id = talk-1
aistrale.key.id = ab12cd34
aistrale.key.name = ci
aistrale.user = ada
aistrale.project = default
aistrale.workspace = default
aistrale.tags = [a][b]
gen_ai.operation.name = chat
gen_ai.request.stream = true
aistrale.model.asked = fast
aistrale.provider = anthropic
aistrale.model = claude-sonnet-4-5
aistrale.prompt = greet@3
aistrale.outcome = ok
aistrale.attempts = 2
aistrale.exact = false
aistrale.overhead = 4.1e-05
aistrale.cost_usd = 0.001284
aistrale.tokens.input = 1200
aistrale.tokens.output = 42
aistrale.tokens.estimated = false
event aistrale.passed_over after 20ms
  aistrale.provider = openai
  aistrale.model = gpt
  aistrale.credential = a
  aistrale.fate = breaker_open
event aistrale.limits.waited after 20ms
  aistrale.limits.waited = 0.02
event aistrale.fallback after 60ms
  aistrale.provider = anthropic
  aistrale.model = claude-sonnet-4-5
  aistrale.credential = env
event aistrale.first_token after 300ms
`, `CLIENT chat llama
ids a1000000000000000000000000000001 d000000000000004 under b200000000000002 flags 101 state vendor=1
from 01:02:03.476 for 31ms
gen_ai.operation.name = chat
gen_ai.provider.name = groq
gen_ai.request.model = llama
gen_ai.request.stream = true
server.address = api.groq.com
server.port = 443
http.response.status_code = 429
aistrale.provider = groq
aistrale.connection.reused = false
aistrale.outcome = upstream_error
error.type = 429
aistrale.attempt = 1
event aistrale.response.head after 25ms
STATUS_CODE_ERROR rate limit
`, `CLIENT chat claude-sonnet-4-5
ids a1000000000000000000000000000001 d100000000000004 under b200000000000002 flags 101 state vendor=1
from 01:02:03.516 for 890.007ms
gen_ai.operation.name = chat
gen_ai.provider.name = anthropic
gen_ai.request.model = claude-sonnet-4-5
gen_ai.request.stream = true
server.address = api.anthropic.com
server.port = 443
http.response.status_code = 200
aistrale.provider = anthropic
aistrale.credential = env
aistrale.upstream_request_id = req_1
aistrale.connection.reused = true
aistrale.outcome = ok
aistrale.attempt = 2
gen_ai.response.model = claude-sonnet-4-5-20250929
gen_ai.response.finish_reasons = [end_turn]
gen_ai.response.time_to_first_chunk = 0.24
gen_ai.usage.input_tokens = 1200
gen_ai.usage.output_tokens = 42
gen_ai.usage.cache_read.input_tokens = 1000
event aistrale.response.head after 25ms
event aistrale.first_token after 240ms
`}
	for i, s := range printed(t, traced()) {
		if got := told(s); got != want[i] {
			t.Errorf("span %d\n got %s\nwant %s", i, got, want[i])
		}
	}
}

// How a request ends is told by its span, and by that of the attempt which was to serve it.
func TestAppendSpans_Ends(t *testing.T) {
	f := func(change func(*storage.Record), wantRequest, wantAttempt string) {
		t.Helper()
		r := traced()
		change(r)
		spans := printed(t, r)
		got := []string{told(spans[0]), told(spans[len(spans)-1])}
		for i, want := range []string{wantRequest, wantAttempt} {
			for _, line := range strings.Split(want, "; ") {
				if line != "" && !strings.Contains(got[i], line) {
					t.Errorf("no %q in\n%s", line, got[i])
				}
			}
		}
	}
	const broken = "STATUS_CODE_ERROR the stream ended"
	f(func(r *storage.Record) { r.Outcome, r.Err = storage.OutcomeBrokenStream, "the stream ended" }, "error.type = upstream_error_midstream; "+broken, "error.type = upstream_error_midstream; "+broken)
	f(func(r *storage.Record) { r.Outcome, r.Err, r.Status = storage.OutcomeClientGone, "gone", 499 }, "aistrale.outcome = client_gone", "aistrale.outcome = client_gone")
	f(func(r *storage.Record) { r.Outcome, r.Attempts = storage.OutcomeCached, nil }, "event aistrale.cache.hit after 950.007ms", "")
	f(func(r *storage.Record) {
		r.Outcome, r.Status, r.Fault, r.Attempts = storage.OutcomeRefused, 503, "no_capacity", nil
	}, "error.type = no_capacity; STATUS_CODE_ERROR", "")
	f(func(r *storage.Record) { r.Trace.Within = true }, "INTERNAL chat claude-sonnet-4-5; flags 101", "")
	f(func(r *storage.Record) { r.Method, r.Route = "", "" }, "SERVER HTTP\n", "")
	f(func(r *storage.Record) { r.Attempts[1].Hedge = true }, "event aistrale.hedge after 60ms", "")
	f(func(r *storage.Record) {
		r.Attempts[0].Provider, r.Attempts[0].Model, r.Attempts[0].Credential = "anthropic", "claude-sonnet-4-5", "env"
	}, "event aistrale.retry after 60ms", "")
	f(func(r *storage.Record) { r.Stream = false }, "gen_ai.request.stream = false", "for 900ms")
	refused := traced()
	refused.Outcome, refused.Status = storage.OutcomeRefused, 429
	if s := printed(t, refused)[0]; s.Status != nil {
		t.Errorf("a refusal that is the client's own fault is %s", s.Status)
	}
}

func TestServer(t *testing.T) {
	f := func(baseURL, host string, port int64) {
		t.Helper()
		if h, p := server(baseURL); h != host || p != port {
			t.Errorf("%s is at %s and %d, want %s and %d", baseURL, h, p, host, port)
		}
	}
	f("https://api.openai.com/v1", "api.openai.com", 443)
	f("http://127.0.0.1:4010", "127.0.0.1", 4010)
	f("http://[::1]:80/v1?a", "::1", 80)
	f("https://user:secret@host/v1", "host", 443)
	f("", "", 80)
}

// What clients and upstreams say can be anything; a collector must be able to read it.
func FuzzAppendSpans(f *testing.F) {
	for _, s := range []string{"", "a", "\xff\xfe", "é漢😀", strings.Repeat("漢", maxName), strings.Repeat("x", 3*maxError), "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r := fill(s)
		r.Trace = storage.Trace{ID: storage.TraceID{1}, Span: storage.SpanID{2}, State: s}
		r.Considered = []storage.Candidate{{Provider: s, Model: s, Credential: s, Fate: storage.FateBreaker, Fault: s}}
		r.Attempts = append(r.Attempts, r.Attempts[0])
		for _, span := range printed(t, r) {
			all := span.Attributes
			for _, e := range span.Events {
				all = slices.Concat(all, e.Attributes)
			}
			for _, kv := range all {
				if v := kv.Value.GetStringValue(); !utf8.ValidString(v) || len(v) > 4*maxName {
					t.Errorf("%s is %q", kv.Key, v)
				}
			}
		}
	})
}

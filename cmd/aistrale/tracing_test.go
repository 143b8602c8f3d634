package main_test

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/aistrale/aistrale/providers/mock"
)

// A real OpenTelemetry collector takes the spans and the log of a gateway, which are read back
// behind it.
func TestTracing_Collector(t *testing.T) {
	t.Parallel()
	to := collects(t)
	by := startCollector(t, to)
	const aliases = `
aliases:
  careful: [refused/gpt, mock/gpt]
`
	t.Run("http", func(t *testing.T) {
		r := start(t, aliases+`
retry: {max: 1, backoff: 1ms}
tracing: {endpoint: "http://`+by.http+`", attributes: {deployment.environment.name: test}}
otlp_logs: {endpoint: "http://`+by.http+`"}
`)
		tracesFallback(t, r, to)
		tracesRetry(t, r, to)
		tracesStream(t, r, to)
		tracesRefusal(t, r, to)
		logsLines(t, r, to)
	})
	t.Run("grpc", func(t *testing.T) {
		r := start(t, aliases+`
tracing: {endpoint: "http://`+by.grpc+`", protocol: grpc, ratio: 0}
`)
		tracesParent(t, r, to)
		tracesErrors(t, r, to)
	})
	t.Run("https", func(t *testing.T) {
		r := start(t, `
tracing: {endpoint: "https://`+by.https+`", ca_file: "`+by.ca+`"}
otlp_logs: {endpoint: "https://`+by.https+`", ca_file: "`+by.ca+`"}
`)
		tracesStream(t, r, to)
		logsLines(t, r, to)
	})
	t.Run("grpc by TLS", func(t *testing.T) {
		r := start(t, `
tracing: {endpoint: "https://`+by.grpcs+`", protocol: grpc, ca_file: "`+by.ca+`"}
`)
		tracesStream(t, r, to)
	})
	t.Run("a collector of strangers", func(t *testing.T) {
		r := start(t, `
tracing: {endpoint: "https://`+by.https+`"}
`)
		strange := r.call(t, "mock/gpt", "", http.StatusOK)
		eventually(t, "the log says that the collector is not trusted", func() bool {
			return strings.Contains(r.out.String(), "the collector does not take") && strings.Contains(r.out.String(), "x509: certificate signed by unknown authority")
		})
		to.mu.Lock()
		defer to.mu.Unlock()
		for _, s := range to.spans {
			if attribute(s, "aistrale.request_id") == strange {
				t.Errorf("it was told all the same: %v", s)
			}
		}
	})
}

const (
	clientTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	clientSpan  = "00f067aa0ba902b7"
)

// call makes a chat and gives the request's id.
func (r *running) call(t *testing.T, model, more string, want int, headers ...string) string {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, r.url+chatPath, strings.NewReader(`{"model":"`+model+`","messages":[{"role":"user","content":"`+canaryPrompt+`"}]`+more+`}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("authorization", "Bearer "+fullKey)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	status, header, body := do(t, req)
	if status != want {
		t.Fatalf("%s: %d %s", model, status, body)
	}
	return header.Get("x-request-id")
}

// says holds a span to a list of attributes, as name=value.
func spanSays(t *testing.T, s *tracepb.Span, wants ...string) {
	t.Helper()
	for _, want := range wants {
		name, value, _ := strings.Cut(want, "=")
		if got := attribute(s, name); got != value {
			t.Errorf("%s of %q is %q, want %q", name, s.Name, got, value)
		}
	}
}

func tracesFallback(t *testing.T, r *running, to *collected) {
	t.Helper()
	r.mock.ForgetCalls()
	request, attempts := to.request(t, r.call(t, "careful", "", http.StatusOK))
	if request.Name != "POST /v1/chat/completions" || request.Kind != tracepb.Span_SPAN_KIND_SERVER || len(request.ParentSpanId) != 0 || happened(request) != "fallback" {
		t.Errorf("the request is %v", request)
	}
	spanSays(t, request, "http.response.status_code=200", "aistrale.key.name=full", "aistrale.model.asked=careful", "aistrale.provider=mock", "aistrale.attempts=2", "aistrale.outcome=ok")
	if len(attempts) != 2 {
		t.Fatalf("%d attempts", len(attempts))
	}
	spanSays(t, attempts[0], "gen_ai.provider.name=refused", "http.response.status_code=401", "error.type=401", "aistrale.attempt=1")
	spanSays(t, attempts[1], "gen_ai.provider.name=mock", "gen_ai.request.model=gpt", "http.response.status_code=200", "server.address=127.0.0.1", "aistrale.attempt=2", "error.type=")
	if attempts[0].Status.GetCode() != tracepb.Status_STATUS_CODE_ERROR || attempts[1].Status.GetCode() != tracepb.Status_STATUS_CODE_UNSET {
		t.Errorf("statuses are %v and %v", attempts[0].Status, attempts[1].Status)
	}
	if attribute(attempts[1], "gen_ai.usage.output_tokens") == "" || attempts[1].EndTimeUnixNano > request.EndTimeUnixNano || attempts[1].StartTimeUnixNano < attempts[0].EndTimeUnixNano {
		t.Errorf("the attempt that served is %v", attempts[1])
	}
	// Each upstream was told the span of its own attempt.
	calls := slices.DeleteFunc(r.mock.Calls(), func(c mock.Call) bool { return c.Method != http.MethodPost }) // a refused credential is tried anew
	if len(calls) != 2 {
		t.Fatalf("%d calls", len(calls))
	}
	for i, call := range calls {
		want := fmt.Sprintf("traceparent: 00-%x-%x-01", request.TraceId, attempts[i].SpanId)
		if all := strings.ToLower(strings.Join(call.Headers, "\n")); !strings.Contains(all, want) || strings.Contains(all, "baggage") {
			t.Errorf("call %d has\n%s\nwant %s", i, all, want)
		}
	}
	to.mu.Lock()
	defer to.mu.Unlock()
	if about := fmt.Sprint(to.about); !strings.Contains(about, "deployment.environment.name") || !strings.Contains(about, "service.instance.id") {
		t.Errorf("the resource is %s", about)
	}
}

func tracesRetry(t *testing.T, r *running, to *collected) {
	t.Helper()
	request, attempts := to.request(t, r.call(t, "chat/gpt", "", http.StatusServiceUnavailable, "x-mock", "status=503"))
	if happened(request) != "retry" || len(attempts) != 2 || request.Status.GetCode() != tracepb.Status_STATUS_CODE_ERROR {
		t.Errorf("%s, %d attempts, %v", happened(request), len(attempts), request.Status)
	}
	spanSays(t, request, "http.response.status_code=503", "aistrale.outcome=upstream_error")
}

func tracesStream(t *testing.T, r *running, to *collected) {
	t.Helper()
	request, attempts := to.request(t, r.call(t, "mock/gpt", `,"stream":true`, http.StatusOK))
	if happened(request) != "first_token" || len(attempts) != 1 || happened(attempts[0]) != "response.head first_token" {
		t.Fatalf("%s, %d attempts", happened(request), len(attempts))
	}
	spanSays(t, attempts[0], "gen_ai.request.stream=true")
	if attribute(attempts[0], "gen_ai.response.time_to_first_chunk") == "" || attempts[0].EndTimeUnixNano != request.EndTimeUnixNano {
		t.Errorf("the attempt is %v", attempts[0])
	}
}

func tracesRefusal(t *testing.T, r *running, to *collected) {
	t.Helper()
	request, attempts := to.request(t, r.call(t, "nothing", "", http.StatusNotFound))
	if len(attempts) != 0 || request.Status.GetCode() != tracepb.Status_STATUS_CODE_UNSET {
		t.Errorf("%d attempts, %v", len(attempts), request.Status)
	}
	spanSays(t, request, "http.response.status_code=404", "aistrale.outcome=refused", "error.type=")
}

func logsLines(t *testing.T, r *running, to *collected) {
	t.Helper()
	id := r.call(t, "mock/gpt", "", http.StatusOK)
	line, body := to.line(t, id), ""
	request, _ := to.request(t, id)
	if body = line.Body.GetStringValue(); gjson.Get(body, "request_id").Str != id || !strings.Contains(r.out.String(), body+"\n") {
		t.Errorf("the line is %s", body)
	}
	for name, ids := range map[string][2][]byte{"trace_id": {line.TraceId, request.TraceId}, "span_id": {line.SpanId, request.SpanId}} {
		if said := gjson.Get(body, name).Str; said != hex.EncodeToString(ids[0]) || said != hex.EncodeToString(ids[1]) {
			t.Errorf("%s is %s in the line, %x beside it, %x of the span", name, said, ids[0], ids[1])
		}
	}
	r.stop(t)
	to.mu.Lock()
	defer to.mu.Unlock()
	lifecycle := ""
	for _, l := range to.lines {
		if !strings.Contains(l.Body.GetStringValue(), `"msg":"request"`) {
			lifecycle += l.Body.GetStringValue() + "\n"
		}
	}
	for _, msg := range []string{"serving", "draining"} {
		if !strings.Contains(lifecycle, `"msg":"`+msg+`"`) {
			t.Errorf("no line says %s in\n%s", msg, lifecycle)
		}
	}
}

// A client's trace is joined, and recorded where the client says so, whatever the ratio is.
func tracesParent(t *testing.T, r *running, to *collected) {
	t.Helper()
	id := r.call(t, "mock/gpt", "", http.StatusOK, "traceparent", "00-"+clientTrace+"-"+clientSpan+"-01", "tracestate", "vendor=1", "baggage", "secret=1")
	request, attempts := to.request(t, id)
	if hex.EncodeToString(request.TraceId) != clientTrace || hex.EncodeToString(request.ParentSpanId) != clientSpan || request.TraceState != "vendor=1" || len(attempts) != 1 {
		t.Errorf("the request is %v", request)
	}
	calls := r.mock.Calls()
	all := strings.ToLower(strings.Join(calls[len(calls)-1].Headers, "\n"))
	if want := fmt.Sprintf("traceparent: 00-%s-%x-01", clientTrace, attempts[0].SpanId); !strings.Contains(all, want) || !strings.Contains(all, "tracestate: vendor=1") || strings.Contains(all, "baggage") {
		t.Errorf("the upstream got\n%s", all)
	}
}

// At a ratio of 0 an error is recorded all the same, and nothing else.
func tracesErrors(t *testing.T, r *running, to *collected) {
	t.Helper()
	quiet := r.call(t, "mock/gpt", "", http.StatusOK, "traceparent", "00-hostile")
	request, _ := to.request(t, r.call(t, "chat/gpt", "", http.StatusBadRequest, "x-mock", "status=400"))
	if request.Flags&1 != 0 {
		t.Error("the span says that it was sampled")
	}
	r.stop(t)
	to.mu.Lock()
	defer to.mu.Unlock()
	for _, s := range to.spans {
		if attribute(s, "aistrale.request_id") == quiet {
			t.Errorf("a request that went well is recorded: %v", s)
		}
	}
	if strings.Contains(to.raw.String(), canaryPrompt) {
		t.Error("a prompt is in the spans or the log")
	}
}

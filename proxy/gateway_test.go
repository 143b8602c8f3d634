package proxy

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

func always(parts ...string) func(int, int) []string {
	return func(int, int) []string { return parts }
}

func one(t *testing.T, answer func(int, int) []string) map[string]*script {
	return map[string]*script{"one": newScript(t, answer)}
}

const (
	askWhole  = `{"model":"one/m","messages":[{"role":"user","content":"hi"}]}`
	askStream = `{"model":"one/m","stream":true,"messages":[{"role":"user","content":"hi"}]}`
)

func TestGateway_WholeReplyIsExact(t *testing.T) {
	odd := `{ "model" : "m", "x" : [1,2 ], "choices":[], "usage":{"prompt_tokens":3,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":1}} }`
	g := newTestGateway(t, one(t, always("HTTP/1.1 200 OK\r\nx-request-id: up-1\r\nx-ratelimit-remaining-tokens: 7\r\nset-cookie: a=b\r\ncontent-type: application/json\r\n"+
		fmt.Sprintf("content-length: %d\r\n\r\n%s", len(odd), odd))))
	status, h, body := g.post(t, askWhole, "x-request-id", "mine")
	if status != 200 || body != odd {
		t.Errorf("status %d, body %s", status, body)
	}
	for name, want := range map[string]string{
		"x-aistrale-provider": "one", "x-aistrale-model": "m", "x-aistrale-fidelity": "exact", "x-aistrale-attempts": "1",
		"x-aistrale-cost-usd": "0.000007", "x-aistrale-upstream-request-id": "up-1", "x-client-request-id": "mine",
		"x-aistrale-upstream-ratelimit-remaining-tokens": "7", "set-cookie": "", "content-type": "application/json",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	rec := g.records.next(t)
	if n := rec.Usage.Total(); n.InputUncached != 2 || n.CacheRead != 1 || n.Output != 2 || rec.Outcome != storage.OutcomeOK || rec.KeyID != "testkey1" {
		t.Errorf("record %+v", rec)
	}
	if rec.ID != h.Get("x-request-id") {
		t.Errorf("record %s, header %s", rec.ID, h.Get("x-request-id"))
	}
}

func TestGateway_StreamHidesTheUsageNobodyAskedFor(t *testing.T) {
	g := newTestGateway(t, one(t, always(chunkHead, chunk(eventRole+eventHi[:20]), chunk(eventHi[20:]), chunk(eventStop+eventUsage+eventDone), chunkEnd)))
	_, _, body := g.post(t, askStream)
	if want := eventRole + eventHi + eventStop + eventDone; body != want {
		t.Errorf("got  %q\nwant %q", body, want)
	}
	rec := g.records.next(t)
	if n := rec.Usage.Total(); n.InputUncached != 3 || n.Output != 2 {
		t.Errorf("usage %+v", n)
	}
	_, _, body = g.post(t, strings.Replace(askStream, `"stream":true`, `"stream":true,"stream_options":{"include_usage":true}`, 1))
	if want := eventRole + eventHi + eventStop + eventUsage + eventDone; body != want {
		t.Errorf("got  %q\nwant %q", body, want)
	}
}

func TestGateway_BrokenStreamsEndInAnError(t *testing.T) {
	f := func(outcome storage.Outcome, parts ...string) {
		t.Helper()
		g := newTestGateway(t, one(t, always(append([]string{chunkHead, chunk(eventRole + eventHi)}, parts...)...)))
		status, _, body := g.post(t, askStream)
		rest, ok := strings.CutPrefix(body, eventRole+eventHi)
		if status != 200 || !ok {
			t.Fatalf("status %d, body %q", status, body)
		}
		if !strings.HasPrefix(rest, `data: {"error":`) || strings.Count(rest, "data:") != 1 || strings.Contains(rest, "[DONE]") {
			t.Errorf("the stream ends with %q, want an error event", rest)
		}
		if rec := g.records.next(t); rec.Outcome != outcome {
			t.Errorf("outcome %s, want %s", rec.Outcome, outcome)
		}
	}
	f(storage.OutcomeBrokenStream, "<close>")
	f(storage.OutcomeBrokenStream, chunkEnd)
	f(storage.OutcomeBrokenStream, "5\r\nda", "<close>")
	f(storage.OutcomeBrokenStream, chunk(`data: {"error":{"message":"boom","type":"server_error"}}`+"\n\n"), chunkEnd)
}

func TestGateway_MovesOnBeforeTheFirstContent(t *testing.T) {
	bad := func(parts ...string) map[string]*script {
		return map[string]*script{
			"one": newScript(t, always(parts...)),
			"two": newScript(t, always(chunkHead, chunk(eventRole+eventHi+eventStop+eventDone), chunkEnd)),
		}
	}
	f := func(parts ...string) {
		t.Helper()
		g := newTestGateway(t, bad(parts...))
		status, h, body := g.post(t, strings.Replace(askStream, "one/m", "pair", 1))
		if status != 200 || body != eventRole+eventHi+eventStop+eventDone {
			t.Errorf("status %d, body %q", status, body)
		}
		if h.Get("x-aistrale-provider") != "two" || h.Get("x-aistrale-attempts") != "2" {
			t.Errorf("provider %s, attempts %s", h.Get("x-aistrale-provider"), h.Get("x-aistrale-attempts"))
		}
		if rec := g.records.next(t); len(rec.Attempts) != 2 || rec.Attempts[0].Outcome == storage.OutcomeOK || rec.Outcome != storage.OutcomeOK {
			t.Errorf("record %+v", rec)
		}
	}
	f("<close>")
	f("HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n")
	f("HTTP/1.1 429 Slow\r\ncontent-length: 0\r\nretry-after: 1\r\n\r\n")
	f(rejection(400, `{"error":{"message":"too long","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}`))
	f("HTTP/1.1 404 No\r\ncontent-length: 0\r\n\r\n")
	f("HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n")
	f(chunkHead, chunk(eventRole), "<close>")
	f(chunkHead, chunk(eventRole+`data: {"error":{"message":"boom","type":"server_error"}}`+"\n\n"), chunkEnd)
}

func TestGateway_RejectedRequestsDoNotMoveOn(t *testing.T) {
	body := `{"error":{"message":"bad value","type":"invalid_request_error","param":"x","code":null,"more":1}}`
	g := newTestGateway(t, map[string]*script{
		"one": newScript(t, always(fmt.Sprintf("HTTP/1.1 400 Bad\r\ncontent-length: %d\r\n\r\n%s", len(body), body))),
		"two": newScript(t, always(whole(wholeReply))),
	})
	status, h, got := g.post(t, strings.Replace(askWhole, "one/m", "pair", 1))
	if status != 400 || got != body || h.Get("x-aistrale-attempts") != "1" {
		t.Errorf("status %d, attempts %s, body %s", status, h.Get("x-aistrale-attempts"), got)
	}
}

func TestGateway_CredentialTroubleIsOurs(t *testing.T) {
	body := `{"error":{"message":"Incorrect API key provided","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}`
	for _, status := range []string{"401 Unauthorized", "403 Forbidden"} {
		g := newTestGateway(t, one(t, always(fmt.Sprintf("HTTP/1.1 %s\r\ncontent-length: %d\r\n\r\n%s", status, len(body), body))))
		got, h, text := g.post(t, askWhole)
		if got != 502 || h.Get("x-should-retry") != "false" || !strings.Contains(text, `"code":"provider_auth"`) || !strings.Contains(text, "Incorrect API key") {
			t.Errorf("status %d, %v, %s", got, h, text)
		}
	}
}

func TestGateway_SilentUpstreams(t *testing.T) {
	short := func(o *Options, s *Snapshot) {
		o.Limits.Hold, o.Limits.Comment = 30*time.Millisecond, 30*time.Millisecond
		s.Accounts["one"][0].FirstByte, s.Accounts["one"][0].StreamIdle = 150*time.Millisecond, 150*time.Millisecond
	}
	g := newTestGateway(t, one(t, always("<wait>")), short)
	status, _, body := g.post(t, askWhole)
	if status != 504 || !strings.Contains(body, "upstream_timeout") {
		t.Errorf("no first byte: status %d, %s", status, body)
	}
	g = newTestGateway(t, one(t, always(chunkHead, chunk(eventRole), "<wait>")), short)
	status, _, body = g.post(t, askStream)
	if status != 200 || !strings.HasPrefix(body, eventRole) || !strings.Contains(body, comment) || !strings.Contains(body, "upstream_timeout") {
		t.Errorf("silent stream: status %d, %q", status, body)
	}
	if rec := g.records.next(t); rec.Outcome != storage.OutcomeTimeout {
		t.Errorf("outcome %s", rec.Outcome)
	}
}

func TestGateway_SlowReaderIsCutOff(t *testing.T) {
	big := chunk(strings.Replace(eventHi, `"hi"`, `"`+strings.Repeat("x", 60<<10)+`"`, 1))
	parts := []string{chunkHead}
	for range 400 {
		parts = append(parts, big)
	}
	g := newTestGateway(t, one(t, always(parts...)), func(o *Options, _ *Snapshot) { o.Limits.ClientWrite = 1200 * time.Millisecond })
	c, err := net.Dial("tcp", g.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_, err = fmt.Fprintf(c, "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer %s\r\ncontent-length: %d\r\n\r\n%s", testKey, len(askStream), askStream)
	if err != nil {
		t.Fatal(err)
	}
	if rec := g.records.next(t); rec.Outcome != storage.OutcomeClientGone || rec.Status != statusClientGone {
		t.Errorf("outcome %s, status %d", rec.Outcome, rec.Status)
	}
}

func TestGateway_AliasWithAProvidersName(t *testing.T) {
	g := newTestGateway(t, map[string]*script{
		"one": newScript(t, always("<close>")),
		"two": newScript(t, always(whole(wholeReply))),
	}, func(_ *Options, s *Snapshot) {
		s.Router = policy.NewRouter(map[string][]string{"one": nil, "two": nil},
			map[string]*policy.Alias{"one": {Targets: []policy.Target{{Provider: "two", Model: "m"}}}}, func(string) (string, bool) { return "", false })
	})
	status, h, body := g.post(t, strings.Replace(askWhole, "one/m", "one", 1))
	if status != 200 || body != wholeReply || h.Get("x-aistrale-provider") != "two" {
		t.Errorf("status %d from %s: %s", status, h.Get("x-aistrale-provider"), body)
	}
}

func rejection(status int, body string) string {
	return fmt.Sprintf("HTTP/1.1 %d Refused\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s", status, len(body), body)
}

package proxy

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// An answer that cannot be what was asked for is the upstream's failure, whatever its status
// says: the client gets an error or the next target's answer, and nothing of the first.
func TestGateway_UpstreamsThatAnswerNonsense(t *testing.T) {
	f := func(name, ask string, parts ...string) {
		t.Helper()
		quick := func(_ *Options, s *Snapshot) { s.Accounts["one"][0].StreamIdle = 2 * time.Second }
		g := newTestGateway(t, map[string]*script{
			"one": newScript(t, always(parts...)),
			"two": newScript(t, always("HTTP/1.1 400 No\r\ncontent-length: 0\r\n\r\n")),
		}, quick)
		status, h, body := g.post(t, ask)
		if status != 502 || !strings.Contains(body, `"code":"upstream_error"`) || h.Get("content-type") != "application/json" {
			t.Errorf("%s: status %d, %q, %s", name, status, h.Get("content-type"), body)
		}
		if rec := g.records.next(t); rec.Outcome != storage.OutcomeUpstreamError {
			t.Errorf("%s: outcome %s, %s", name, rec.Outcome, rec.Err)
		}
	}
	ok := func(more, body string) string {
		return fmt.Sprintf("HTTP/1.1 200 OK\r\n%scontent-length: %d\r\n\r\n%s", more, len(body), body)
	}
	for _, ask := range []string{askWhole, askStream} {
		f("no content", ask, "HTTP/1.1 204 No Content\r\n\r\n")
		f("protocols switched", ask, "HTTP/1.1 101 Switching\r\n\r\n")
		f("redirect", ask, "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1/\r\ncontent-length: 0\r\n\r\n")
		f("not modified", ask, "HTTP/1.1 304 Not Modified\r\n\r\n")
		f("odd status", ask, "HTTP/1.1 600 Odd\r\ncontent-length: 0\r\n\r\n")
		f("a large error", ask, fmt.Sprintf("HTTP/1.1 500 Oops\r\ncontent-length: %d\r\n\r\n%s", 3<<20, strings.Repeat("x", 3<<20)))
		f("nothing", ask, ok("content-type: application/json\r\n", ""))
		f("a web page", ask, ok("content-type: text/html\r\n", "<html></html>"))
		f("packed", ask, ok("content-type: application/json\r\ncontent-encoding: gzip\r\n", "\x1f\x8b\x08\x00"))
		f("half", ask, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n"+wholeReply[:60], "<close>")
	}
	f("an empty stream", askStream, chunkHead, chunkEnd)
	f("a packed stream", askStream, chunkHead, chunk("\x1f\x8b\x08\x00"), chunkEnd)
}

func TestGateway_UpstreamsWithOddWays(t *testing.T) {
	f := func(ask, wantType, want string, parts ...string) {
		t.Helper()
		g := newTestGateway(t, one(t, always(parts...)))
		status, h, body := g.post(t, ask)
		if status != 200 || body != want || h.Get("content-type") != wantType {
			t.Errorf("status %d, %q, %q", status, h.Get("content-type"), body)
		}
	}
	const js, sse = "application/json", "text/event-stream; charset=utf-8"
	stream := eventRole + eventHi + eventStop + eventDone
	f(askWhole, js, wholeReply, whole(wholeReply))
	f(askWhole, js, wholeReply, "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n"+strings.TrimPrefix(whole(wholeReply), "HTTP/1.1 200 OK\r\n"))
	f(askWhole, js, wholeReply, "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"+whole(wholeReply))
	f(askWhole, js, wholeReply, "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n"+wholeReply, "<close>")
	f(askStream, sse, stream, strings.Replace(chunkHead, "text/event-stream", "Text/Event-Stream", 1), chunk(stream), chunkEnd)
	f(askStream, sse, stream, strings.Replace(chunkHead, "text/event-stream", "application/octet-stream", 1), chunk(stream), chunkEnd)
	f(askStream, sse, stream, chunkHead, chunk(stream), "0\r\nx-trailer: y\r\n\r\n")
	f(askStream, sse, "\ufeff"+strings.ReplaceAll(stream, "\n", "\r\n"), chunkHead, chunk("\ufeff"+strings.ReplaceAll(stream, "\n", "\r\n")), chunkEnd)
}

// What a failed target said, its usage above all, is not the answer's.
func TestGateway_FailedTargetsLeaveNothing(t *testing.T) {
	cached := strings.Replace(eventUsage, `"total_tokens":5`, `"total_tokens":5,"prompt_tokens_details":{"cached_tokens":2}`, 1)
	cached = strings.Replace(cached, `"model":"m"`, `"model":"first"`, 1)
	answer := eventRole + eventHi + eventStop + strings.Replace(eventUsage, `"prompt_tokens":3`, `"prompt_tokens":7`, 1) + eventDone
	g := newTestGateway(t, map[string]*script{
		"one": newScript(t, always(strings.Replace(chunkHead, "\r\n\r\n", "\r\nx-ratelimit-limit-requests: 1\r\nx-request-id: first\r\n\r\n", 1), chunk(cached), "<close>")),
		"two": newScript(t, always(chunkHead, chunk(answer), chunkEnd)),
	})
	status, h, body := g.post(t, `{"model":"pair","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"hi"}]}`)
	if status != 200 || body != answer {
		t.Errorf("status %d, %q", status, body)
	}
	for name := range h {
		if strings.HasPrefix(strings.ToLower(name), "x-aistrale-upstream") {
			t.Errorf("a header of the first target: %s", name)
		}
	}
	rec := g.records.next(t)
	if n := rec.Usage.Total(); n.InputUncached != 7 || n.CacheRead != 0 || n.Output != 2 || len(rec.Usage.Lines) != 1 {
		t.Errorf("usage %+v", n)
	}
	if rec.Served != "m" || rec.Provider != "two" || len(rec.Attempts) != 2 || rec.Attempts[0].UpstreamID != "first" || rec.Attempts[1].UpstreamID != "" {
		t.Errorf("record %+v", rec)
	}
}

// What is held back before the first content is bounded in bytes, too.
func TestGateway_HoldIsBounded(t *testing.T) {
	g := newTestGateway(t, one(t, always(chunkHead, chunk(strings.Repeat(eventRole, 2000)), "<wait>")), func(o *Options, _ *Snapshot) {
		o.Limits.Hold, o.Limits.Comment = time.Hour, time.Hour
	})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.url+"/v1/chat/completions", strings.NewReader(askStream))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("authorization", "Bearer "+testKey)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("the answer is held back: %v", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.ReadFull(resp.Body, make([]byte, 2000*len(eventRole))); err != nil {
		t.Error(err)
	}
}

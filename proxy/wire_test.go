package proxy

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/anthropic"
	"github.com/aistrale/aistrale/providers/gemini"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/storage"
)

// Two equal requests are the same bytes to the upstream, head and body: its prompt cache lives
// on that.
func TestGateway_EqualRequestsAreEqualBytes(t *testing.T) {
	body := `{"model":"one/m","seed":7,"messages":[{"role":"system","content":"be brief"},{"role":"user","content":"hi"}],` +
		`"tools":[{"type":"function","function":{"name":"b","parameters":{"type":"object","properties":{"z":{"type":"string"},"a":{"type":"number"},"m":{"enum":[1,2]}}}}},` +
		`{"type":"function","function":{"name":"a","parameters":{"type":"object","properties":{}}}}],"metadata":{"k2":"v","k1":"v"},"logit_bias":{"9":1,"1":2},"stop":["x"]}`
	f := func(language string, dialect providers.Dialect) {
		t.Helper()
		var mu sync.Mutex
		var got []string
		up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			var head bytes.Buffer
			_ = r.Header.Write(&head) // sorted, so that the order is held by the next test
			mu.Lock()
			got = append(got, head.String()+string(b))
			mu.Unlock()
			w.WriteHeader(http.StatusBadRequest)
		}))
		defer up.Close()
		g := newTestGateway(t, one(t, always("<close>")), func(_ *Options, s *Snapshot) {
			a := s.Accounts["one"][0]
			a.BaseURL = up.URL
			a.Routes = map[providers.Op][]providers.Route{providers.OpChat: {{Language: language, Dialect: dialect, Path: "/x"}}}
			var err error
			if a.Upstream, err = NewPool(PoolOptions{BaseURL: up.URL, UserAgent: "test", Connect: patient.Idle, MaxConns: 4}); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(a.Upstream.Close)
		})
		for range 20 {
			g.post(t, body)
		}
		for i, text := range got {
			if text != got[0] || !strings.Contains(text, `be brief`) {
				t.Fatalf("%s: request %d differs:\n%s\n%s", language, i, got[0], text)
			}
		}
		if len(got) != 20 {
			t.Errorf("%s: %d requests", language, len(got))
		}
	}
	f("openai", openai.Dialect{})
	f("anthropic", anthropic.Dialect{})
	f("gemini", gemini.Dialect{})
}

// Nothing of the client's head but what the upstream needs goes on, and our credential is the
// only one there.
func TestGateway_HeadersToTheUpstream(t *testing.T) {
	head := make(chan string, 1)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &script{l: l}
	s.wg.Go(func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer func() { _ = c.Close() }()
		r := bufio.NewReader(c)
		var b strings.Builder
		for line := ""; line != "\r\n"; b.WriteString(line) {
			if line, err = r.ReadString('\n'); err != nil {
				return
			}
		}
		_, _ = io.ReadFull(r, make([]byte, len(`{"model":"m","messages":[{"role":"user","content":"hi"}]}`)))
		_, _ = io.WriteString(c, whole(wholeReply))
		head <- b.String()
	})
	t.Cleanup(func() { _ = l.Close(); s.wg.Wait() })
	g := newTestGateway(t, map[string]*script{"one": s})
	g.post(t, askWhole, "cookie", "a=b", "x-api-key", testKey, "openai-organization", "org", "x-forwarded-for", "1.2.3.4",
		"x-hf-bill-to", "them", "user-agent", "spy", "accept", "text/html", "x-mock", "status=429", "traceparent", "00-0-0-00")
	want := fmt.Sprintf("POST /v1/chat/completions HTTP/1.1\r\nHost: %s\r\nUser-Agent: test\r\ncontent-type: application/json\r\n"+
		"accept: application/json\r\naccept-encoding: identity\r\nauthorization: Bearer upstream-secret\r\nContent-Length: 57\r\n\r\n", l.Addr())
	if got := <-head; !strings.EqualFold(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// Requests that a client sends ahead are answered in order, each with its own answer, whatever
// became of the one before.
func TestGateway_PipelinedRequests(t *testing.T) {
	g := newTestGateway(t, one(t, func(_, n int) []string {
		if n == 2 {
			return []string{chunkHead, chunk(eventRole + eventHi + eventStop + eventDone), chunkEnd}
		}
		return []string{whole(strings.Replace(wholeReply, `"hi"`, fmt.Sprintf(`"%d"`, n), 1))}
	}))
	c := connect(t, g)
	say(t, c, request(askWhole)+request(askStream)+request("{")+request(askWhole)+
		"GET /v1/nothing HTTP/1.1\r\nhost: x\r\nauthorization: Bearer "+testKey+"\r\n\r\n"+
		strings.Replace(request(askWhole), testKey, testKey[:len(testKey)-1]+"x", 1)+ // refused with its body unread
		request(askWhole))
	r := bufio.NewReader(c)
	for i, want := range []struct {
		status int
		text   string
	}{{200, `"1"`}, {200, "[DONE]"}, {400, "JSON"}, {200, `"3"`}, {404, "Invalid URL"}, {401, "invalid_api_key"}, {200, `"4"`}} {
		if status, body := answer(t, r); status != want.status || !strings.Contains(body, want.text) {
			t.Errorf("answer %d: status %d, %s", i, status, body)
		}
	}
	for i, want := range []storage.Outcome{"ok", "ok", "refused", "ok", "refused", "refused", "ok"} {
		if rec := g.records.next(t); rec.Outcome != want {
			t.Errorf("record %d: outcome %s, want %s", i, rec.Outcome, want)
		}
	}
}

func newTimed(g *testGateway, said string) *flight {
	fc := &fasthttp.RequestCtx{}
	fc.Request.Header.Set("x-stainless-timeout", said)
	return &flight{g: g.Gateway, fc: fc, key: &storage.Key{}, alias: &policy.Alias{}, target: target{account: g.Snapshot().Accounts["one"][0]}}
}

// A client's wish for a timeout is kept where it is one, and never lengthens ours.
func TestFlight_Timeouts(t *testing.T) {
	g := newTestGateway(t, one(t, always("<wait>")))
	for _, odd := range []string{"0", "-1", "NaN", "-Inf", "+Inf", "1e300", "", "x", "20.0001"} {
		f := newTimed(g, odd)
		if got := f.timeouts().FirstByte; got != f.target.account.FirstByte {
			t.Errorf("%q: %s", odd, got)
		}
	}
	if got := newTimed(g, "1.5").timeouts().FirstByte; got.Seconds() != 1.5 {
		t.Errorf("1.5: %s", got)
	}
	status, _, body := g.post(t, askWhole, "x-stainless-timeout", "0.01")
	if status != http.StatusGatewayTimeout {
		t.Errorf("status %d, %s", status, body)
	}
}

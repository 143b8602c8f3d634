package proxy

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/mock"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/storage"
)

// talk is a client's end of a session.
type talk struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
}

// newTalkingGateway has the emulator as its one provider.
func newTalkingGateway(t *testing.T, change ...setting) (*testGateway, *mock.Server) {
	t.Helper()
	m := mock.New(mock.Options{Calls: 64})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = m.Serve(l) }()
	t.Cleanup(func() { _ = m.Shutdown(context.WithoutCancel(t.Context())) })
	up, err := NewPool(PoolOptions{BaseURL: "http://" + l.Addr().String() + mock.OpenAIPath, UserAgent: "test", Connect: time.Second, MaxConns: 8})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(up.Close)
	a := &Account{
		Provider: providers.Provider{Name: "one", BaseURL: "http://" + l.Addr().String() + mock.OpenAIPath, Sign: providers.Bearer, Forward: []string{"x-mock"},
			Routes: map[providers.Op][]providers.Route{
				providers.OpRealtime: {{Language: "openai", Dialect: openai.Dialect{}, Path: "/realtime", Governed: openai.RealtimeGoverned()}},
			}},
		Credential: "c", Secret: storage.NewSecret("secret-of-c"), Upstream: up, FirstByte: 10 * time.Second, Breaker: testBreaker,
		Can: func(string) providers.Capabilities { return providers.Capabilities{Context: 1000, MaxOutput: 100} },
	}
	return newStagedGateway(t, &policy.Alias{Targets: targetsOf("one/m")}, []*Account{a}, change...), m
}

func (g *testGateway) dial(t *testing.T, header http.Header, protocols ...string) (*talk, int) {
	t.Helper()
	status := 101
	d := ws.Dialer{Header: ws.HandshakeHeaderHTTP(header), Protocols: protocols, OnStatusError: func(s int, _ []byte, _ io.Reader) { status = s }}
	conn, br, _, err := d.Dial(t.Context(), "ws"+strings.TrimPrefix(g.url, "http")+"/v1/realtime?model=it")
	if err != nil {
		return nil, status
	}
	t.Cleanup(func() { _ = conn.Close() })
	if br == nil {
		br = bufio.NewReader(conn)
	}
	return &talk{t, conn, br}, status
}

func bearer(i int, more ...string) http.Header {
	h := http.Header{"Authorization": {"Bearer " + keyNumber(i)}}
	for j := 0; j < len(more); j += 2 {
		h.Set(more[j], more[j+1])
	}
	return h
}

func (k *talk) say(event string) {
	k.t.Helper()
	if err := wsutil.WriteClientText(k.conn, []byte(event)); err != nil {
		k.t.Fatal(err)
	}
}

// Read and Write let the library answer pings.
func (k *talk) Read(p []byte) (int, error)  { return k.r.Read(p) }
func (k *talk) Write(p []byte) (int, error) { return k.conn.Write(p) }

// until reads events up to the first of a type.
func (k *talk) until(kind string) gjson.Result {
	k.t.Helper()
	for {
		if err := k.conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
			k.t.Fatal(err)
		}
		event, err := wsutil.ReadServerText(k)
		if err != nil {
			k.t.Fatalf("waiting for %s: %v", kind, err)
		}
		if e := gjson.ParseBytes(event); e.Get("type").Str == kind {
			return e
		}
	}
}

// ends reads to the close and gives its code and reason.
func (k *talk) ends() (ws.StatusCode, string) {
	k.t.Helper()
	for {
		_, err := wsutil.ReadServerText(k)
		var closed wsutil.ClosedError
		if errors.As(err, &closed) {
			return closed.Code, closed.Reason
		}
		if err != nil {
			k.t.Fatalf("no close: %v", err)
		}
	}
}

func (k *talk) leaves() {
	k.t.Helper()
	if err := wsutil.WriteClientMessage(k.conn, ws.OpClose, ws.NewCloseFrameBody(4001, "enough")); err != nil {
		k.t.Fatal(err)
	}
	if code, reason := k.ends(); code != 4001 || reason != "enough" {
		k.t.Errorf("closed by %d %q", code, reason)
	}
}

func TestSession(t *testing.T) {
	journal := &pages{}
	g, m := newTalkingGateway(t, journaled(journal))
	k, status := g.dial(t, bearer(0, "x-mock", "input=30; output=4"))
	if k == nil {
		t.Fatal(status)
	}
	if e := k.until("session.created"); e.Get("session.model").Str != "m" {
		t.Errorf("%s", e.Raw)
	}
	k.say(`{"type":"response.create","event_id":"e1"}`)
	done := k.until("response.done")
	if done.Get("response.usage.input_tokens").Int() != 30 || done.Get("response.output.0.content.0.text").Str != "Hello from the mock." {
		t.Errorf("%s", done.Raw)
	}
	rec := g.records.next(t)
	if n := rec.Usage.Total(); n.InputUncached != 30 || n.Output != 4 || rec.CostNano == nil || *rec.CostNano != 38000 || rec.Outcome != storage.OutcomeOK || rec.Op != providers.OpRealtime {
		t.Errorf("record %+v", rec)
	}
	k.say(`{"type":"input_audio_buffer.commit"}`) // the upstream answers by itself, and transcribes
	k.until("response.done")
	heard, answered := g.records.next(t), g.records.next(t)
	if n := heard.Usage.Total(); n.InputUncached != 7 || n.Output != 2 {
		t.Errorf("transcription %+v", heard)
	}
	if answered.Usage.Total().Output != 4 || answered.ClientRequestID != rec.ClientRequestID {
		t.Errorf("reply %+v", answered)
	}
	k.leaves()
	if rec := g.records.next(t); rec.Status != 101 || rec.Outcome != storage.OutcomeOK || rec.ID != answered.ClientRequestID {
		t.Errorf("session %+v", rec)
	}
	if got := states(journal.take()); got != "o1 S1 o1 S1 o1 S1" {
		t.Errorf("the journal has %q", got)
	}
	if bill := m.Bill(); len(bill) != 1 || bill[0].Calls != 2 {
		t.Errorf("bill %+v", bill)
	}
}

func TestSession_handshake(t *testing.T) {
	g, _ := newTalkingGateway(t, func(_ *Options, s *Snapshot) {
		key, err := s.Keys.Find([]byte(keyNumber(1)), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		key.Models = []string{"other"}
	})
	f := func(want int, header http.Header, protocols ...string) {
		t.Helper()
		if k, status := g.dial(t, header, protocols...); status != want {
			t.Errorf("%v %v: %d, want %d", header, protocols, status, want)
		} else if k != nil {
			k.until("session.created")
			k.leaves()
		}
		g.records.next(t)
	}
	f(101, bearer(0))
	f(101, http.Header{}, "realtime", "openai-insecure-api-key."+keyNumber(0))
	f(401, http.Header{})
	f(401, http.Header{}, "realtime", "openai-insecure-api-key.sk-ais-nobody12-"+strings.Repeat("k", 43))
	f(403, bearer(1))
	f(502, bearer(0, "x-mock", "status=401"))
	f(429, bearer(0, "x-mock", "status=429; retry-after=2"))
	f(502, bearer(0, "x-mock", "status=500"))
	for path, want := range map[string]int{"/v1/realtime?model=it": 405, "/v1/realtime/client_secrets": 403, "/v1/realtime/calls": 403} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.url+path, strings.NewReader(`{}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = bearer(0)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
	}
}

func TestSession_governed(t *testing.T) {
	g, m := newTalkingGateway(t, func(_ *Options, s *Snapshot) {
		key, err := s.Keys.Find([]byte(keyNumber(0)), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		key.Models = []string{"it", "one/m"}
	})
	k, _ := g.dial(t, bearer(0))
	k.until("session.created")
	f := func(event, want string) {
		t.Helper()
		k.say(event)
		if e := k.until("error"); !strings.Contains(e.Get("error.message").Str, want) || e.Get("error.event_id").Str != "e" {
			t.Errorf("%s: %s", event, e.Raw)
		}
	}
	f(`{"type":"session.update","event_id":"e","session":{"model":"gpt-4"}}`, "session.model")
	f(`{"type":"session.update","event_id":"e","session":{"audio":{"input":{"transcription":{"model":"whisper-1"}}}}}`, "transcription.model")
	f(`{"type":"response.create","event_id":"e","response":{"tools":[{"type":"mcp","server_url":"https://x"}]}}`, "tools")
	k.say(`{"type":"session.update","type":"x"}`)
	if e := k.until("error"); !strings.Contains(e.Get("error.message").Str, "twice") {
		t.Errorf("%s", e.Raw)
	}
	k.say(`{"type":"session.update","event_id":"e","session":{"model":"m","tools":[{"type":"function","name":"f"}]}}`)
	k.until("session.updated")
	k.leaves()
	if bill := m.Bill(); len(bill) != 0 {
		t.Errorf("bill %+v", bill)
	}
}

// Each reply reserves the whole context and what it may make; settled, the budget has what it took.
func TestSession_budget(t *testing.T) {
	g, m := newTalkingGateway(t, limited(t, nil, dollars(1_300_000)))
	k, _ := g.dial(t, bearer(0, "x-mock", "input=100; output=50"))
	k.until("session.created")
	// 1000 tokens of context and 100 of output are 1,200,000 nano-USD; each reply takes 200,000.
	k.say(`{"type":"response.create"}`)
	k.until("response.done")
	g.records.next(t)
	k.say(`{"type":"response.create","event_id":"e2"}`)
	if e := k.until("error"); e.Get("error.code").Str != "insufficient_quota" || e.Get("error.event_id").Str != "e2" {
		t.Errorf("%s", e.Raw)
	}
	if code, reason := k.ends(); code != ws.StatusPolicyViolation || reason != "insufficient_quota" {
		t.Errorf("closed by %d %q", code, reason)
	}
	if bill := m.Bill(); len(bill) != 1 || bill[0].Calls != 1 {
		t.Errorf("bill %+v", bill)
	}
}

func TestSession_endsWithAnEnd(t *testing.T) {
	g, m := newTalkingGateway(t)
	k, _ := g.dial(t, bearer(0))
	k.until("session.created")
	_ = k.conn.Close()
	if rec := g.records.next(t); rec.Outcome != storage.OutcomeClientGone || rec.Status != statusClientGone {
		t.Errorf("%+v", rec)
	}
	k, _ = g.dial(t, bearer(0))
	k.until("session.created")
	_ = m.Shutdown(t.Context())
	if code, _ := k.ends(); code != ws.StatusInternalServerError {
		t.Errorf("closed by %d", code)
	}
	if rec := g.records.next(t); rec.Outcome == storage.OutcomeOK {
		t.Errorf("%+v", rec)
	}
}

func TestSession_drain(t *testing.T) {
	g, _ := newTalkingGateway(t)
	k, _ := g.dial(t, bearer(0))
	k.until("session.created")
	g.Abort()
	if code, reason := k.ends(); code != ws.StatusGoingAway || !strings.Contains(reason, "shutting down") {
		t.Errorf("closed by %d %q", code, reason)
	}
}

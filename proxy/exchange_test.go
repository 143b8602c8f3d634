package proxy

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/anthropic"
	"github.com/aistrale/aistrale/storage"
)

// script is an upstream that answers each connection's requests with raw bytes. "<close>" hangs
// up, "<wait>" says nothing until the peer leaves.
type script struct {
	l     net.Listener
	wg    sync.WaitGroup
	conns atomic.Int64
}

func newScript(t *testing.T, answer func(conn, request int) []string) *script {
	t.Helper()
	s := &script{}
	s.accept(t, func(c net.Conn, n int) { s.serve(c, n, answer) })
	return s
}

// accept has each connection served, until the test ends.
func (s *script) accept(t testing.TB, serve func(c net.Conn, n int)) {
	t.Helper()
	var err error
	if s.l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	s.wg.Go(func() {
		for {
			c, err := s.l.Accept()
			if err != nil {
				return
			}
			n := int(s.conns.Add(1))
			s.wg.Go(func() { serve(c, n) })
		}
	})
	t.Cleanup(func() { _ = s.l.Close(); s.wg.Wait() })
}

func (s *script) serve(c net.Conn, conn int, answer func(conn, request int) []string) {
	defer func() { _ = c.Close() }()
	r := bufio.NewReader(c)
	for request := 1; ; request++ {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, req.Body)
		for _, part := range answer(conn, request) {
			switch part {
			case "<close>":
				return
			case "<wait>":
				_, _ = r.ReadByte()
				return
			default:
				if _, err := io.WriteString(c, part); err != nil {
					return
				}
			}
		}
	}
}

func (s *script) url() string { return "http://" + s.l.Addr().String() + "/v1" }

func pool(t testing.TB, s *script) Upstream {
	t.Helper()
	up, err := NewPool(PoolOptions{BaseURL: s.url(), UserAgent: "test", Connect: time.Second, MaxConns: 64})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(up.Close)
	return up
}

var (
	ask     = &providers.UpstreamRequest{Path: "/x", Body: []byte(`{}`)}
	patient = Timeouts{FirstByte: 10 * time.Second, Pause: 10 * time.Second, Idle: 10 * time.Second}
)

func whole(body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s", len(body), body)
}

func TestExchange_ReplacesAStaleConnection(t *testing.T) {
	s := newScript(t, func(conn, request int) []string {
		if conn == 1 && request == 2 {
			return []string{"<close>"} // dies before the first byte of its second answer
		}
		return []string{whole("ok")}
	})
	up := pool(t, s)
	for i := range 3 {
		x := up.Exchange()
		head, err := x.Send(ask, nil, patient)
		if err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		if _, err := readAll(x, nil, head.Length, 100); err != nil {
			t.Fatal(err)
		}
		x.Finish()
	}
	if s.conns.Load() != 2 {
		t.Errorf("%d connections, want 2", s.conns.Load())
	}
}

func TestExchange_DoesNotRepeatOnAFreshConnection(t *testing.T) {
	s := newScript(t, func(int, int) []string { return []string{"<close>"} })
	x := pool(t, s).Exchange()
	if _, err := x.Send(ask, nil, patient); err == nil {
		t.Fatal("no error from an upstream that hangs up")
	}
	x.Finish()
	if s.conns.Load() != 1 {
		t.Errorf("%d connections, want 1", s.conns.Load())
	}
}

// A call that has begun to be answered may have been billed: it is not sent again.
func TestExchange_DoesNotRepeatWhatIsAnswered(t *testing.T) {
	f := func(cut string) {
		t.Helper()
		var asked atomic.Int64
		s := newScript(t, func(conn, request int) []string {
			asked.Add(1)
			if conn == 1 && request == 2 {
				return []string{cut, "<close>"}
			}
			return []string{whole("ok")}
		})
		up := pool(t, s)
		for i, want := range []bool{true, false} {
			x := up.Exchange()
			head, err := x.Send(ask, nil, patient)
			if err == nil {
				_, err = readAll(x, nil, head.Length, 100)
			}
			x.Finish()
			if (err == nil) != want {
				t.Errorf("request %d: %v", i, err)
			}
		}
		if asked.Load() != 2 {
			t.Errorf("%q: the upstream was asked %d times, want 2", cut, asked.Load())
		}
	}
	f("HTTP/1.1 200")
	f("HTTP/1.1 200 OK\r\ncontent-")
	f("HTTP/1.1 100 Continue\r\n\r\n")
}

func TestExchange_StatusesWithoutABody(t *testing.T) {
	f := func(status string, conns int64) {
		t.Helper()
		s := newScript(t, func(int, int) []string { return []string{"HTTP/1.1 " + status + "\r\n\r\n"} })
		up := pool(t, s)
		for range 2 {
			x := up.Exchange()
			head, err := x.Send(ask, nil, Timeouts{FirstByte: time.Second, Pause: time.Second, Idle: time.Second})
			if err != nil {
				t.Fatal(err)
			}
			if body, err := readAll(x, nil, head.Length, 100); err != nil || len(body) > 0 {
				t.Errorf("%s: body %q, %v", status, body, err)
			}
			x.Finish()
		}
		if got := s.conns.Load(); got != conns {
			t.Errorf("%s: %d connections, want %d", status, got, conns)
		}
	}
	f("204 No Content", 1)
	f("304 Not Modified", 1)
	f("101 Switching Protocols", 2)
}

// An upstream that refuses a large request before it has read it hangs up on the rest.
func TestExchange_EarlyRefusalIsHeard(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.ReadFull(c, make([]byte, 100))
			_, _ = io.WriteString(c, "HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nbig")
			_ = c.Close() // with unread bytes: the peer's next write fails
		}
	}()
	up, err := NewPool(PoolOptions{BaseURL: "http://" + l.Addr().String(), Connect: time.Second, MaxConns: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer up.Close()
	large := make([]byte, 32<<20)
	for _, out := range []*providers.UpstreamRequest{{Path: "/x", Body: large}, {Path: "/x", Body: large[:9], Rest: [][]byte{large}}} {
		x := up.Exchange()
		head, err := x.Send(out, nil, patient)
		if err != nil || head.Status != 413 {
			t.Errorf("status %d, %v", head.Status, err)
		}
		x.Finish()
	}
}

func TestExchange_Waits(t *testing.T) {
	s := newScript(t, func(_, _ int) []string { return []string{"<wait>"} })
	x := pool(t, s).Exchange()
	_, err := x.Send(ask, nil, Timeouts{FirstByte: 20 * time.Millisecond})
	if !errors.Is(err, errFirstByte) {
		t.Errorf("got %v, want errFirstByte", err)
	}
	x.Finish()

	s = newScript(t, func(_, _ int) []string {
		return []string{"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n", "<wait>"}
	})
	x = pool(t, s).Exchange()
	if _, err := x.Send(ask, nil, Timeouts{FirstByte: time.Second, Pause: 10 * time.Millisecond, Idle: 30 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	buf, silences := make([]byte, 10), 0
	if n, err := x.Read(buf); n != 2 || err != nil {
		t.Fatalf("read %d, %v", n, err)
	}
	for err = nil; err == nil || errors.Is(err, errSilent); _, err = x.Read(buf) {
		if err != nil {
			silences++
		}
	}
	if !errors.Is(err, errIdle) || silences == 0 {
		t.Errorf("got %v after %d silences, want errIdle after some", err, silences)
	}
	x.Finish()
}

func TestExchange_CutAnswerIsAnError(t *testing.T) {
	f := func(answer ...string) {
		t.Helper()
		s := newScript(t, func(int, int) []string { return append(answer, "<close>") })
		x := pool(t, s).Exchange()
		head, err := x.Send(ask, nil, patient)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := readAll(x, nil, head.Length, 1000); err == nil {
			t.Errorf("no error for the cut body %q of %q", body, answer)
		}
		x.Finish()
	}
	f("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello")
	f("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n")
	f("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel")
}

func TestExchange_CancelEndsSendAndRead(t *testing.T) {
	cause := errors.New("why")
	f := func(answer ...string) {
		t.Helper()
		s := newScript(t, func(int, int) []string { return append(answer, "<wait>") })
		x := pool(t, s).Exchange()
		go x.Cancel(cause)
		_, err := x.Send(ask, nil, patient)
		if err == nil {
			_, err = readAll(x, nil, -1, 1000)
		}
		if !errors.Is(err, cause) {
			t.Errorf("got %v, want the cause", err)
		}
		x.Finish()
	}
	f()
	f("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n")
}

// A cancel that comes late must never touch the connection of another request.
func TestFlight_CancelRacesFinish(t *testing.T) {
	s := newScript(t, func(int, int) []string { return []string{whole("ok")} })
	up := pool(t, s)
	n := 2000
	if os.Getenv("AISTRALE_PROVE") != "" {
		n = 100_000
	}
	cause := errors.New("late")
	var cancelled int
	f := &flight{}
	for i := range n {
		x := up.Exchange()
		f.gone = nil
		if err := f.own(x); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Go(func() { f.cancel(cause) })
		head, err := x.Send(ask, nil, patient)
		if err == nil {
			_, err = readAll(x, nil, head.Length, 100)
		}
		f.disown()
		x.Finish()
		// The next request, on whatever connection the pool gives, must be left alone.
		y := up.Exchange()
		head, err2 := y.Send(ask, nil, patient)
		if err2 == nil {
			_, err2 = readAll(y, nil, head.Length, 100)
		}
		y.Finish()
		wg.Wait()
		if err2 != nil {
			t.Fatalf("round %d: the next request failed: %v", i, err2)
		}
		if err != nil {
			if !errors.Is(err, cause) {
				t.Fatalf("round %d: %v", i, err)
			}
			cancelled++
		}
	}
	t.Logf("%d of %d were cancelled in time", cancelled, n)
}

func TestNewPool_RefusesOddAddresses(t *testing.T) {
	for _, u := range []string{"", "example.com", "ftp://example.com", "http://", "://"} {
		if _, err := NewPool(PoolOptions{BaseURL: u}); err == nil || !strings.Contains(err.Error(), "base_url") {
			t.Errorf("%q: got %v", u, err)
		}
	}
}

// A translated stream is read past its end mark, to the end of the bytes, so that the upstream's
// connection is used again.
func TestGateway_TranslatedStreamKeepsItsConnection(t *testing.T) {
	const events = `data: {"type":"message_start","message":{"id":"m","model":"m","usage":{"input_tokens":1,"output_tokens":1}}}` + "\n\n" +
		`data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":"hi"}}` + "\n\n" +
		`data: {"type":"content_block_stop","index":0}` + "\n\n" +
		`data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}` + "\n\n" +
		`data: {"type":"message_stop"}` + "\n\n"
	s := newScript(t, func(_, _ int) []string { return []string{chunkHead, chunk(events), chunkEnd} })
	g := newTestGateway(t, map[string]*script{"one": s}, func(_ *Options, s *Snapshot) {
		s.Accounts["one"][0].Routes = map[providers.Op][]providers.Route{
			providers.OpChat: {{Language: anthropic.Language, Dialect: anthropic.Dialect{}, Path: "/messages"}},
		}
	})
	for range 3 {
		if _, _, body := g.post(t, askStream); !strings.Contains(body, `"hi"`) || strings.Count(body, "[DONE]") != 1 {
			t.Fatalf("got %s", body)
		}
		if rec := g.records.next(t); rec.Outcome != storage.OutcomeOK {
			t.Errorf("the record says %s", rec.Outcome)
		}
	}
	if n := s.conns.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

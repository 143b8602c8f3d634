package mock

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

	"github.com/tidwall/gjson"
)

// last waits until nothing is open and gives the last call.
func (r *rig) last() Call {
	r.t.Helper()
	eventually(r.t, "no call is open", func() bool { return r.server.Open() == 0 })
	calls := r.server.Calls()
	if len(calls) == 0 {
		r.t.Fatal("no call was seen")
	}
	return calls[len(calls)-1]
}

func (r *rig) bill(model string) BillLine {
	for _, l := range r.server.Bill() {
		if l.Model == model {
			return l
		}
	}
	return BillLine{}
}

// A client that leaves a paced stream is noticed, and what it got is what it pays.
func TestStream_ClientLeaves(t *testing.T) {
	f := func(path, model, body string) {
		t.Helper()
		r := newRig(t)
		ctx, leave := context.WithCancel(context.Background())
		defer leave()
		res, err := r.client.Do(r.request(ctx, path, "events=10000; chunk=2ms; input=10", body))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if r.server.Open() != 1 {
			t.Errorf("%s: %d open", path, r.server.Open())
		}
		lines := bufio.NewReader(res.Body)
		for range 20 {
			if _, err := lines.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
		leave()
		call := r.last()
		if call.State != CallAborted || call.Events < 1 || call.Events > 9999 {
			t.Errorf("%s: %s after %d events", path, call.State, call.Events)
		}
		want := BillLine{Model: model, Calls: 1, Aborted: 1, Input: 10, Output: call.Events}
		if got := r.bill(model); got != want {
			t.Errorf("%s: billed %+v, want %+v", path, got, want)
		}
	}
	f(chatPath, "gpt", chatStreamBody)
	f(respondPath, "gpt", respondStreamBody)
	f(msgPath, "claude", strings.Replace(msgStreamBody, "1000", "20000", 1))
	f(streamPath, "gemini", genBody)
}

// A client that leaves while nothing is written is noticed too.
func TestStream_ClientLeavesSilence(t *testing.T) {
	f := func(behaviour, body string, events int64) {
		t.Helper()
		r := newRig(t)
		ctx, leave := context.WithCancel(context.Background())
		defer leave()
		ended := make(chan error, 1)
		heard := make(chan struct{})
		go func() {
			res, err := r.client.Do(r.request(ctx, chatPath, behaviour, body))
			if err != nil {
				ended <- err
				return
			}
			defer res.Body.Close()
			lines := bufio.NewReader(res.Body)
			for n := int64(0); ; {
				line, err := lines.ReadString('\n')
				if err != nil {
					ended <- err
					return
				}
				if strings.Contains(line, `"delta":{"content":`) {
					n++
				}
				if n == events && n > 0 {
					close(heard)
					n++
				}
			}
		}()
		eventually(t, "the call arrives", func() bool { return r.server.Open() == 1 })
		if events > 0 {
			<-heard
		}
		leave()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", behaviour, err)
		}
		if call := r.last(); call.State != CallAborted || call.Events != events {
			t.Errorf("%s: %s after %d events", behaviour, call.State, call.Events)
		}
		if got, want := r.bill("gpt"), (BillLine{Model: "gpt", Calls: 1, Aborted: 1, Input: 11, Output: events}); got != want {
			t.Errorf("%s: billed %+v, want %+v", behaviour, got, want)
		}
	}
	f("input=11; hang", chatBody, 0)
	f("input=11; hang", chatStreamBody, 0)
	f("input=11; delay=1m", chatBody, 0)
	f("input=11; pause=1m", chatStreamBody, 0)
	f("input=11; slow-headers=1m", chatStreamBody, 0)
	f("input=11; chunk=1m; events=9", chatStreamBody, 0)
	f("input=11; stall=3; events=9", chatStreamBody, 3)
}

func TestStream_Cut(t *testing.T) {
	r := newRig(t)
	f := func(path, behaviour, body, model string, shown int) {
		t.Helper()
		r.server.ResetBill()
		got := r.post(path, behaviour, body)
		if got.err == nil {
			t.Fatalf("%s with %s ended cleanly: %s", path, behaviour, got.body)
		}
		content := 0
		for _, e := range dataOf(t, got.body) {
			if gjson.Get(e, "choices.0.delta.content").Str+gjson.Get(e, "delta.text").Str+gjson.Get(e, "candidates.0.content.parts.0.text").Str != "" {
				content++
			}
		}
		call := r.last()
		line := r.bill(model)
		if content != shown || call.State != CallAborted || call.Events != int64(shown) || line.Output != int64(shown) || line.Aborted != 1 {
			t.Errorf("%s with %s: %d events, %+v, billed %+v", path, behaviour, content, call, line)
		}
	}
	for _, cut := range []struct {
		behaviour string
		shown     int
	}{{"cut=0; events=9", 0}, {"cut=3; events=9", 3}, {"cut=3; events=9; chunk=1ms", 3}, {"cut=9; events=9", 9}, {"cut=2; events=9; slow-headers=1ms", 2}} {
		f(chatPath, cut.behaviour, chatStreamBody, "gpt", cut.shown)
		f(msgPath, cut.behaviour, msgStreamBody, "claude", cut.shown)
		f(streamPath, cut.behaviour, genBody, "gemini", cut.shown)
	}
	if got := r.post(chatPath, "cut=3", chatBody); !errors.Is(got.err, io.ErrUnexpectedEOF) || got.status != 200 || got.body == "" {
		t.Errorf("a whole reply, cut: %d %q %v", got.status, got.body, got.err)
	}
}

func TestStream_ErrorEvent(t *testing.T) {
	r := newRig(t)
	f := func(path, body, at, want string) {
		t.Helper()
		for _, n := range []string{"0", "3"} {
			events := r.events(path, "error="+n+"; events=9", body)
			if last := events[len(events)-1]; gjson.Get(last, at).Str != want || strings.Contains(strings.Join(events, ""), "[DONE]") {
				t.Errorf("%s: %q", path, events)
			}
			if call := r.last(); call.State != CallAborted || call.Events != gjson.Parse(n).Int() {
				t.Errorf("%s: %+v", path, call)
			}
		}
	}
	f(chatPath, chatStreamBody, "error.type", "server_error")
	f(msgPath, msgStreamBody, "error.type", "overloaded_error")
	f(streamPath, genBody, "error.status", "UNAVAILABLE")
}

// What was read in full is billed by then, and the connection goes on.
func TestStream_Settled(t *testing.T) {
	r := newRig(t)
	for i := range 200 {
		r.events(chatPath, "events=7; input=3", chatStreamBody)
		n := int64(i + 1)
		if got, want := r.bill("gpt"), (BillLine{Model: "gpt", Calls: n, Input: 3 * n, Output: 7 * n}); got != want {
			t.Fatalf("billed %+v, want %+v", got, want)
		}
	}
	if price := r.bill("gpt").NanoUSD(); price != 600*1000+1400*2000 {
		t.Errorf("it costs %d", price)
	}
}

func TestStream_Waits(t *testing.T) {
	r := newRig(t)
	text := "This is the mock provider. You said: hi there"
	for _, behaviour := range []string{"delay=10ms", "pause=10ms", "slow-headers=10ms", "pause=10ms; slow-headers=10ms; chunk=1ms", "chunk=1ms"} {
		if got := join(r.events(chatPath, behaviour, chatStreamBody), "choices.0.delta.content"); got != text {
			t.Errorf("%s: %q", behaviour, got)
		}
		if got := r.ok(chatPath, behaviour, chatBody).Get("choices.0.message.content").Str; got != text {
			t.Errorf("%s: %q", behaviour, got)
		}
		if call := r.last(); call.State != CallFinished || call.Status != 200 {
			t.Errorf("%s: %+v", behaviour, call)
		}
	}
	if got := r.post(chatPath, "status=429; delay=5ms; slow-headers=5ms", chatBody); got.status != 429 || got.err != nil {
		t.Errorf("a slow refusal: %d %v", got.status, got.err)
	}
}

// The head arrives before the pause, the body behind it.
func TestStream_PauseIsBehindTheHead(t *testing.T) {
	r := newRig(t)
	ctx, leave := context.WithCancel(context.Background())
	defer leave()
	res, err := r.client.Do(r.request(ctx, chatPath, "pause=1h", chatStreamBody))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("status %d", res.StatusCode)
	}
	leave()
	if call := r.last(); call.State != CallAborted {
		t.Errorf("%+v", call)
	}
}

// Shutdown ends what would wait for ever.
func TestServer_Shutdown(t *testing.T) {
	for _, behaviour := range []string{"hang", "delay=1h", "chunk=1h", "stall=1", "pause=1h", "slow-headers=1h"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		s := New(Options{})
		served := make(chan error, 1)
		go func() { served <- s.Serve(l) }()
		r := &rig{t: t, server: s, url: "http://" + l.Addr().String(), client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
		ended := make(chan reply, 1)
		go func() { ended <- r.do(r.request(context.Background(), chatPath, behaviour, chatStreamBody)) }()
		eventually(t, "the call arrives", func() bool { return s.Open() == 1 })
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("%s: %v", behaviour, err)
		}
		cancel()
		if err := <-served; err != nil {
			t.Errorf("%s: %v", behaviour, err)
		}
		if got := <-ended; got.err == nil {
			t.Errorf("%s: a broken-off answer looks whole: %+v", behaviour, got)
		}
		if s.Open() != 0 {
			t.Errorf("%s: %d open", behaviour, s.Open())
		}
	}
}

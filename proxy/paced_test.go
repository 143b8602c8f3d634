package proxy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// paced is an upstream that sends a part only when it is told to.
func paced(t *testing.T) (s *script, next chan<- string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	parts := make(chan string)
	s = &script{l: l}
	s.wg.Go(func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer func() { _ = c.Close() }()
		req, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, req.Body)
		for part := range parts {
			if _, err := io.WriteString(c, part); err != nil {
				return
			}
		}
	})
	t.Cleanup(func() { close(parts); _ = l.Close(); s.wg.Wait() })
	return s, parts
}

// Each event reaches the client before the upstream sends the next one: none waits for company.
// The upstream's next part is sent only when the last one has arrived, so that an event which is
// held back shows as a test that stands still, however slow the machine is.
func TestGateway_EventsAreNotHeldBack(t *testing.T) {
	f := func(name string, frame func(event string, n int) string) {
		t.Helper()
		s, next := paced(t)
		g := newTestGateway(t, map[string]*script{"one": s}, func(o *Options, s *Snapshot) {
			o.Limits.Hold, o.Limits.Comment = time.Hour, time.Hour
			s.Accounts["one"][0].StreamIdle = time.Hour
		})
		c := connect(t, g)
		say(t, c, request(askStream))
		next <- chunkHead
		var body *bufio.Reader
		for n := range 20 {
			event := strings.Replace(eventHi, `"hi"`, fmt.Sprintf(`"%d"`, n), 1)
			next <- frame(event, n)
			if body == nil {
				resp, err := http.ReadResponse(bufio.NewReader(c), nil)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				defer func() { _ = c.Close(); _ = resp.Body.Close() }() // in this order: Close reads to the end
				body = bufio.NewReader(resp.Body)
			}
			got := make([]byte, len(event))
			if _, err := io.ReadFull(body, got); err != nil || string(got) != event {
				t.Fatalf("%s: event %d: %q, %v", name, n, got, err)
			}
		}
	}
	f("a chunk each", func(event string, _ int) string { return chunk(event) })
	f("many chunks each", func(event string, _ int) string {
		var b strings.Builder
		for _, piece := range []string{event[:1], event[1:30], event[30 : len(event)-1], event[len(event)-1:]} {
			b.WriteString(chunk(piece))
		}
		return b.String()
	})
	f("the next event begun", func(event string, n int) string { // chunks end within events
		const cut = 10
		if n == 0 {
			return chunk(event + event[:cut])
		}
		return chunk(event[cut:] + event[:cut])
	})
	f("the next chunk begun", func(event string, n int) string { // its size line stands half written
		whole := chunk(event)
		if n == 0 {
			return whole + whole[:1]
		}
		return whole[1:] + whole[:1]
	})
}

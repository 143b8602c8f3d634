package proxy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tidwall/gjson"
)

// Past the memory of all bodies a client is told so in its own language, though it looks for the
// answer only when it has sent all of its body; and the memory stays as it was.
func TestGateway_BodiesPastTheMemory(t *testing.T) {
	g := newTestGateway(t, one(t, always(chunkHead)), func(o *Options, _ *Snapshot) {
		o.Limits.MaxBody, o.Limits.BodyMemory = 16<<20, 16<<20
	})
	if !g.memory.take(16 << 20) {
		t.Fatal("there is no memory")
	}
	body := `{"model":"one/m","messages":[{"role":"user","content":"` + strings.Repeat("x", 12<<20) + `"}]}`
	f := func(path, header, kind, says string, chunked bool) {
		t.Helper()
		c, err := net.Dial("tcp", g.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		framing := fmt.Sprintf("content-length: %d", len(body))
		if chunked {
			framing = "transfer-encoding: chunked"
		}
		_, err = fmt.Fprintf(c, "POST %s HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n%s%s\r\n%s\r\n\r\n", path, header, testKey, framing)
		if err == nil && chunked {
			w := httputil.NewChunkedWriter(c)
			if _, err = io.WriteString(w, body); err == nil {
				err = w.Close()
			}
			if err == nil {
				_, err = io.WriteString(c, "\r\n")
			}
		} else if err == nil {
			_, err = io.WriteString(c, body)
		}
		if err != nil {
			t.Fatalf("%s: the body is not taken in: %v", path, err)
		}
		response, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("retry-after") != "1" || gjson.GetBytes(text, kind).String() != says {
			t.Errorf("%s: %d, retry-after %q, error %v: %s", path, response.StatusCode, response.Header.Get("retry-after"), err, text)
		}
		g.records.next(t)
	}
	for _, chunked := range []bool{false, true} {
		f("/v1/chat/completions", "authorization: Bearer ", "error.code", "overloaded", chunked)
		f("/anthropic/v1/messages", "x-api-key: ", "error.type", "overloaded_error", chunked)
		f("/gemini/v1beta/models/one%2Fm:generateContent", "x-goog-api-key: ", "error.status", "UNAVAILABLE", chunked)
	}
	if left := g.memory.left.Load(); left != 0 {
		t.Errorf("%d bytes were given back that were never taken", left)
	}
}

// A whole answer takes of the same memory from its head on, also where there is none left.
func TestGateway_AnswersTakeMemory(t *testing.T) {
	answer := strings.Replace(wholeReply, `"hi"`, `"`+strings.Repeat("x", 200<<10)+`"`, 1)
	ends := make(chan struct{})
	s := &script{}
	s.accept(t, func(c net.Conn, _ int) {
		defer func() { _ = c.Close() }()
		r := bufio.NewReader(c)
		for length := range 2 { // known from the head, then not
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, req.Body)
			if length == 0 {
				_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s", len(answer), answer[:10])
				<-ends
				_, _ = io.WriteString(c, answer[10:])
				continue
			}
			_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(answer), answer)
		}
	})
	g := newTestGateway(t, map[string]*script{"one": s}, func(o *Options, _ *Snapshot) { o.Limits.BodyMemory = 64 << 10 })
	free := func() int64 { return g.memory.left.Load() }
	for _, counted := range []bool{true, false} { // before it has come
		asked := make(chan string, 1)
		go func() {
			status, _, text := g.post(t, `{"model":"one/m","messages":[{"role":"user","content":"x"}]}`)
			asked <- fmt.Sprintf("%d, %d bytes", status, len(text))
		}()
		if counted {
			until(t, "the answer is counted", func() bool { return free() == 64<<10-int64(len(answer)) })
			close(ends)
		}
		if got, want := <-asked, fmt.Sprintf("200, %d bytes", len(answer)); got != want {
			t.Errorf("the answer has %s, want %s", got, want)
		}
		g.records.next(t)
		until(t, "it is given back", func() bool { return free() == 64<<10 })
	}
}

// A large body said in another language is a second copy, which takes of the memory of all bodies as
// the first does: until the request ends, and refused where there is none. In the client's own words
// it is not copied.
func TestGateway_CopiesTakeMemory(t *testing.T) {
	const text = 300 << 10
	var g *testGateway
	var left atomic.Int64
	upstream := one(t, func(int, int) []string {
		left.Store(g.memory.left.Load())
		return []string{fmt.Sprintf("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s", len(wholeReply), wholeReply)}
	})
	f := func(path string, room int64, wantStatus int, copies int64) {
		t.Helper()
		g = newTestGateway(t, upstream, func(o *Options, _ *Snapshot) { o.Limits.BodyMemory = room })
		left.Store(-1)
		status, _, answer := g.postTo(t, path, `{"model":"one/m","max_tokens":9,"messages":[{"role":"user","content":"`+strings.Repeat("x", text)+`"}]}`)
		if status != wantStatus {
			t.Fatalf("%s: %d %s", path, status, answer)
		}
		if took := (room - left.Load()) / text; wantStatus == http.StatusOK && took != copies {
			t.Errorf("%s: while it was answered %d times the body were taken, want %d", path, took, copies)
		}
		g.records.next(t)
		until(t, "it is given back", func() bool { return g.memory.left.Load() == room })
	}
	f("/v1/chat/completions", 1<<20, http.StatusOK, 1)
	f("/anthropic/v1/messages", 1<<20, http.StatusOK, 2)
	f("/v1/chat/completions", text+text/2, http.StatusOK, 1)
	f("/anthropic/v1/messages", text+text/2, http.StatusServiceUnavailable, 0)
}

package proxy

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/anthropic"
	"github.com/aistrale/aistrale/providers/gemini"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/storage"
)

// road is a gateway between a client's connection and an upstream, all of which is kept: neither
// end makes anything new for a request, so that what is counted is the gateway's.
type road struct {
	conn     net.Conn
	question []byte
	room     []byte
}

type unobserved struct{}

func (unobserved) Observe(*storage.Record) {}

// newRoad leads to an upstream of the language, that gives every request one answer.
func newRoad(t testing.TB, language string, dialect providers.Dialect, answer string) *road {
	t.Helper()
	said := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(answer), answer)
	s := &script{}
	s.accept(t, func(c net.Conn, _ int) { answerAll(c, said) })
	g := newTestGateway(t, map[string]*script{"one": s}, func(o *Options, state *Snapshot) {
		o.Observer = unobserved{}
		state.Accounts["one"][0].Routes = map[providers.Op][]providers.Route{
			providers.OpChat: {{Language: language, Dialect: dialect, Path: "/chat"}},
		}
	})
	conn, err := net.Dial("tcp", g.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	const body = `{"model":"one/m","temperature":0.7,"max_tokens":256,"messages":[{"role":"user","content":"hello"}]}`
	return &road{conn: conn, room: make([]byte, 16<<10), question: fmt.Appendf(nil,
		"POST /v1/chat/completions HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		testKey, len(body), body)}
}

func answerAll(c net.Conn, said []byte) {
	defer func() { _ = c.Close() }()
	room := make([]byte, 16<<10)
	for {
		if _, err := readMessage(c, room); err != nil {
			return
		}
		if _, err := c.Write(said); err != nil {
			return
		}
	}
}

// readMessage reads one message with a length, which is all that comes, and gives its body.
func readMessage(c net.Conn, room []byte) ([]byte, error) {
	for n := 0; ; {
		more, err := c.Read(room[n:])
		if err != nil {
			return nil, err
		}
		n += more
		head := bytes.Index(room[:n], []byte("\r\n\r\n"))
		if head < 0 {
			continue
		}
		_, said, ok := bytes.Cut(room[:head+2], []byte("\r\nContent-Length: "))
		if !ok {
			return nil, errors.New("no length")
		}
		length := 0
		for _, c := range said[:bytes.IndexByte(said, '\r')] {
			length = 10*length + int(c-'0')
		}
		if n == head+4+length {
			return room[head+4 : n], nil
		}
	}
}

// call sends one request and gives its answer.
func (r *road) call(t testing.TB) []byte {
	if _, err := r.conn.Write(r.question); err != nil {
		t.Fatal(err)
	}
	answer, err := readMessage(r.conn, r.room)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// roads are what a request and its answer go through.
func roads() []roadCase {
	return []roadCase{
		{"exact", 11, openai.Language, openai.Dialect{}, wholeReply},
		{"anthropic", 32, anthropic.Language, anthropic.Dialect{}, `{"id":"msg_1","type":"message","role":"assistant","model":"m",` +
			`"content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":2}}`},
		{"gemini", 39, gemini.Language, gemini.Dialect{}, `{"candidates":[{"content":{"parts":[{"text":"hi"}],"role":"model"},"finishReason":"STOP","index":0}],` +
			`"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2,"totalTokenCount":5},"modelVersion":"m","responseId":"r"}`},
	}
}

type roadCase struct {
	name     string
	allocs   float64 // from the request's first byte to the answer's last, at most
	language string
	dialect  providers.Dialect
	answer   string
}

func (c *roadCase) road(t testing.TB) *road {
	t.Helper()
	r := newRoad(t, c.language, c.dialect, c.answer)
	if said := r.call(t); !bytes.Contains(said, []byte(`"content":"hi"`)) || !bytes.Contains(said, []byte(`"total_tokens":5`)) {
		t.Fatalf("%s: %s", c.name, said)
	}
	return r
}

func BenchmarkRequest(b *testing.B) {
	for _, c := range roads() {
		b.Run(c.name, func(b *testing.B) {
			r := c.road(b)
			b.ReportAllocs()
			for b.Loop() {
				r.call(b)
			}
		})
	}
}

func TestRequest_Allocs(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector has pools drop what they keep")
	}
	for _, c := range roads() {
		t.Run(c.name, func(t *testing.T) {
			r := c.road(t)
			if n := testing.AllocsPerRun(500, func() { r.call(t) }); n > c.allocs {
				t.Errorf("%v allocations for a request, want at most %v", n, c.allocs)
			} else {
				t.Logf("%v allocations for a request", n)
			}
		})
	}
}

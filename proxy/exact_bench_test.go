package proxy

import (
	"bytes"
	"fmt"
	"net"
	"testing"

	"github.com/aistrale/aistrale/storage"
)

// exactRoad is a gateway between a client's connection and an upstream, all of which is kept:
// neither end makes anything new for a request, so that what is counted is the gateway's.
type exactRoad struct {
	conn     net.Conn
	question []byte
	answer   []byte
}

type unobserved struct{}

func (unobserved) Observe(*storage.Record) {}

// endOfBody is how the requests of an exact road end.
var endOfBody = []byte(`"the end"}]}`)

func newExactRoad(t testing.TB) *exactRoad {
	t.Helper()
	s := newPlainUpstream(t)
	g := newTestGateway(t, map[string]*script{"one": s}, func(o *Options, _ *Snapshot) { o.Observer = unobserved{} })
	conn, err := net.Dial("tcp", g.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	body := `{"model":"one/m","temperature":0.7,"max_tokens":256,"messages":[{"role":"user","content":` + string(endOfBody)
	return &exactRoad{conn: conn, answer: make([]byte, 16<<10), question: fmt.Appendf(nil,
		"POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s",
		testKey, len(body), body)}
}

// newPlainUpstream gives every request one answer.
func newPlainUpstream(t testing.TB) *script {
	t.Helper()
	said := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s", len(wholeReply), wholeReply)
	s := &script{}
	s.accept(t, func(c net.Conn, _ int) { answerAll(c, said) })
	return s
}

func answerAll(c net.Conn, said []byte) {
	defer func() { _ = c.Close() }()
	room := make([]byte, 16<<10)
	for readTo(c, room, endOfBody) == nil {
		if _, err := c.Write(said); err != nil {
			return
		}
	}
}

// readTo reads until what came ends with the given words.
func readTo(c net.Conn, room, end []byte) error {
	for n := 0; !bytes.HasSuffix(room[:n], end); {
		more, err := c.Read(room[n:])
		if err != nil {
			return err
		}
		n += more
	}
	return nil
}

// call sends one request and takes its answer.
func (r *exactRoad) call(t testing.TB) {
	if _, err := r.conn.Write(r.question); err != nil {
		t.Fatal(err)
	}
	if err := readTo(r.conn, r.answer, []byte(wholeReply[len(wholeReply)-20:])); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkExactRequest(b *testing.B) {
	r := newExactRoad(b)
	b.ReportAllocs()
	for b.Loop() {
		r.call(b)
	}
}

// mostAllocs bounds what one exact request makes on the heap, from its first byte to its last.
const mostAllocs = 13

func TestExactRequest_Allocs(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector has pools drop what they keep")
	}
	r := newExactRoad(t)
	r.call(t)
	if n := testing.AllocsPerRun(500, func() { r.call(t) }); n > mostAllocs {
		t.Errorf("%v allocations for an exact request, want at most %d", n, mostAllocs)
	} else {
		t.Logf("%v allocations for an exact request", n)
	}
}

package proxy

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// Clients leave at random moments, streaming or not, before the first byte and after; each
// upstream call ends at once, though the upstream itself stays silent, and nothing is left.
func TestGateway_ClientsThatLeave(t *testing.T) {
	n := 50
	if os.Getenv("AISTRALE_PROVE") != "" {
		n = 1000
	}
	s := newScript(t, func(int, int) []string {
		switch rand.IntN(4) {
		case 0:
			return []string{"<wait>"}
		case 1:
			return []string{chunkHead, "<wait>"}
		case 2:
			return []string{chunkHead, chunk(eventRole), "<wait>"}
		}
		return []string{chunkHead, chunk(eventRole + eventHi), "<wait>"}
	})
	g := newTestGateway(t, map[string]*script{"one": s})
	for left := n; left > 0; left -= 50 {
		var wg sync.WaitGroup
		for range min(left, 50) {
			wg.Go(func() { abandon(t, g) })
		}
		wg.Wait()
	}
	for range n {
		rec := g.records.next(t)
		if rec.Outcome != storage.OutcomeClientGone || rec.Status != statusClientGone {
			t.Fatalf("outcome %s, status %d: %s", rec.Outcome, rec.Status, rec.Err)
		}
		if len(rec.Attempts) == 1 && rec.Attempts[0].Status == 0 && rec.Attempts[0].Outcome != storage.OutcomeClientGone {
			t.Fatalf("attempt %+v", rec.Attempts[0])
		}
	}
	deadline := time.Now().Add(10 * time.Second)
	for busy() > 0 || g.OpenFlights() > 0 {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines are still at work, %d requests open", busy(), g.OpenFlights())
		}
		runtime.Gosched()
	}
	if open := upstreamConns(g); open != 0 {
		t.Errorf("%d upstream connections are still counted as open", open)
	}
	t.Logf("%d clients have left", n)
}

// busy counts the goroutines that serve a request or an upstream's side of one. The library's
// idle workers, which live on for a while, do not count.
func busy() int {
	buf := make([]byte, 1<<20)
	buf = buf[:runtime.Stack(buf, true)]
	n := 0
	for g := range strings.SplitSeq(string(buf), "\n\n") {
		if strings.Contains(g, "proxy.(*flight)") || strings.Contains(g, "proxy.(*streamBody)") || strings.Contains(g, "proxy.(*script).serve(") {
			n++
		}
	}
	return n
}

// upstreamConns counts connections in use: those of a silent upstream can never be pooled.
func upstreamConns(g *testGateway) int {
	counted, _ := g.Snapshot().Accounts["one"][0].Upstream.(interface{ inUse() int })
	return counted.inUse()
}

// abandon sends a request and hangs up at a random moment, in one of the ways a client can.
func abandon(t *testing.T, g *testGateway) {
	c, err := net.Dial("tcp", g.addr)
	if err != nil {
		t.Error(err)
		return
	}
	body := askStream
	if rand.IntN(2) == 0 {
		body = askWhole
	}
	_, err = fmt.Fprintf(c, "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer %s\r\ncontent-length: %d\r\n\r\n%s", testKey, len(body), body)
	if err != nil {
		t.Error(err)
	}
	switch rand.IntN(4) {
	case 0: // at once
	case 1: // after a moment
		timer := time.NewTimer(time.Duration(rand.IntN(30)) * time.Millisecond)
		<-timer.C
	case 2: // with a pipelined request pending
		_, _ = c.Write([]byte("GET /v1/mo"))
	case 3: // after the head, where one comes
		_ = c.SetReadDeadline(time.Now().Add(30 * time.Millisecond))
		_, _ = bufio.NewReader(c).ReadString('\n')
	}
	if tcp, ok := c.(*net.TCPConn); ok && rand.IntN(2) == 0 {
		_ = tcp.SetLinger(0) // RST in place of FIN
	}
	_ = c.Close()
}

func TestGateway_LateNewsOfAnEarlierClient(t *testing.T) {
	g := newTestGateway(t, one(t, always(whole(wholeReply))))
	status, _, _ := g.post(t, askWhole)
	first, second := &clientConn{}, &clientConn{}
	f := &flight{g: g.Gateway, client: second}
	second.takes(f)
	first.flight.Store(f) // as the watcher may have read it before the flight ended there
	first.leaves()
	if status != 200 || f.left() != nil {
		t.Errorf("status %d, left %v", status, f.left())
	}
	second.leaves()
	if f.left() == nil {
		t.Error("the client has left, and the flight does not know")
	}
	next := &flight{g: g.Gateway, client: second}
	if second.takes(next); next.left() == nil {
		t.Error("a request of a client that had left before is served")
	}
}

func TestGateway_DrainEndsStreams(t *testing.T) {
	g := newTestGateway(t, one(t, always(chunkHead, chunk(eventRole+eventHi), "<wait>")))
	c, err := net.Dial("tcp", g.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_, err = fmt.Fprintf(c, "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer %s\r\ncontent-length: %d\r\n\r\n%s", testKey, len(askStream), askStream)
	if err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	for line := ""; !strings.Contains(line, `"hi"`); {
		if line, err = r.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	g.Abort()
	if rec := g.records.next(t); rec.Err == "" || rec.Outcome == storage.OutcomeOK {
		t.Errorf("record %+v", rec)
	}
	rest, err := io.ReadAll(r)
	if err != nil || !strings.Contains(string(rest), `data: {"error"`) || strings.Contains(string(rest), "[DONE]") {
		t.Errorf("the stream ends with %q, %v; want an error event", rest, err)
	}
}

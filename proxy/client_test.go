package proxy

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// connect opens a connection to g that ends with the test.
func connect(t *testing.T, g *testGateway) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", g.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}

func say(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

const authorized = "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer " + testKey + "\r\n"

func request(body string) string {
	return fmt.Sprintf("%scontent-length: %d\r\n\r\n%s", authorized, len(body), body)
}

// answer reads one answer.
func answer(t *testing.T, r *bufio.Reader) (int, string) {
	t.Helper()
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// until yields to others until ok holds.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

// A body that ends early is the client's leave, and is recorded as such; it is never taken for
// a whole one.
func TestGateway_ClientsThatLeaveWithinTheBody(t *testing.T) {
	padded := askWhole + strings.Repeat(" ", 20_000)
	f := func(name, text string, outcome storage.Outcome, status int) {
		t.Helper()
		g := newTestGateway(t, one(t, always(whole(wholeReply))))
		c := connect(t, g)
		say(t, c, text)
		_ = c.Close()
		rec := g.records.next(t)
		if rec.Outcome != outcome || rec.Status != status || len(rec.Attempts) > 0 {
			t.Errorf("%s: outcome %s, status %d, %d attempts: %s", name, rec.Outcome, rec.Status, len(rec.Attempts), rec.Err)
		}
	}
	f("known length", fmt.Sprintf("%scontent-length: 100000\r\n\r\n%s", authorized, padded), storage.OutcomeClientGone, statusClientGone)
	f("between chunks", authorized+"transfer-encoding: chunked\r\n\r\n"+chunk(padded), storage.OutcomeClientGone, statusClientGone)
	f("within a chunk", authorized+"transfer-encoding: chunked\r\n\r\nffff\r\n"+padded, storage.OutcomeClientGone, statusClientGone)
}

// A body may take longer than timeouts.read as long as it comes; one that stalls is cut off.
func TestGateway_SlowBodies(t *testing.T) {
	const read = 300 * time.Millisecond
	f := func(rest string, want int) {
		t.Helper()
		g := newTestGateway(t, one(t, always(whole(wholeReply))), func(o *Options, _ *Snapshot) {
			o.Limits.ClientRead, o.Limits.ClientRate = read, 1<<20
		})
		c := connect(t, g)
		say(t, c, fmt.Sprintf("%scontent-length: %d\r\n\r\n%s%s", authorized, 600_000+len(askWhole), askWhole, strings.Repeat(" ", 500_000)))
		<-time.After(2 * read)
		say(t, c, rest)
		if status, body := answer(t, bufio.NewReader(c)); status != want {
			t.Errorf("%d bytes later: status %d, want %d: %s", len(rest), status, want, body)
		}
	}
	f(strings.Repeat(" ", 100_000), http.StatusOK)
	f("", http.StatusRequestTimeout)
}

// A client that does not take its answer is let go of, however the answer is sent.
func TestGateway_ClientsThatDoNotRead(t *testing.T) {
	f := func(text string) {
		t.Helper()
		reply := `{"x":"` + strings.Repeat("x", 32<<20) + `"}`
		g := newTestGateway(t, one(t, always(whole(reply))), func(o *Options, _ *Snapshot) {
			o.Limits.MaxReply, o.Limits.ClientWrite = 64<<20, 50*time.Millisecond
		})
		c := connect(t, g)
		say(t, c, text)
		g.records.next(t)
		until(t, "the connection is closed", func() bool { return g.server.http.GetOpenConnectionsCount() == 0 })
	}
	f(request(askWhole))
}

// A deadline of one answer is not left to the next on the connection.
func TestGateway_DeadlinesEndWithTheAnswer(t *testing.T) {
	const write = 50 * time.Millisecond
	g := newTestGateway(t, one(t, func(_, n int) []string {
		if n%2 == 1 {
			return []string{chunkHead, chunk(eventRole + eventHi + eventStop + eventDone), chunkEnd}
		}
		return []string{whole(wholeReply)}
	}), func(o *Options, _ *Snapshot) { o.Limits.ClientWrite = write })
	c := connect(t, g)
	r := bufio.NewReader(c)
	for i := range 4 {
		body := []string{askStream, askWhole}[i%2]
		// The interim answer is the library's, and the first to meet an old deadline.
		say(t, c, fmt.Sprintf("%sexpect: 100-continue\r\ncontent-length: %d\r\n\r\n", authorized, len(body)))
		if line, err := r.ReadString('\n'); err != nil || !strings.Contains(line, "100") {
			t.Fatalf("request %d: %q, %v", i, line, err)
		}
		_, _ = r.ReadString('\n')
		say(t, c, body)
		if status, text := answer(t, r); status != 200 {
			t.Errorf("request %d: status %d, %s", i, status, text)
		}
		<-time.After(2 * write)
	}
}

// A defect in what comes after the answer costs neither the request nor the process, and no
// request is settled twice.
func TestGateway_ObserverThatPanics(t *testing.T) {
	rec := &panicking{newRecords()}
	var reported int
	g := newTestGateway(t, one(t, func(_, n int) []string {
		if n == 1 {
			return []string{whole(wholeReply)}
		}
		return []string{chunkHead, chunk(eventRole + eventHi + eventStop + eventDone), chunkEnd}
	}), func(o *Options, _ *Snapshot) {
		o.Observer = rec
		o.Defects = confessor{panicked: func(*storage.Record) { reported++ }}
	})
	c := connect(t, g)
	r := bufio.NewReader(c)
	for i, body := range []string{askWhole, askStream, "{"} {
		say(t, c, request(body))
		if status, text := answer(t, r); status != []int{200, 200, 400}[i] {
			t.Errorf("request %d: status %d, %s", i, status, text)
		}
		rec.next(t)
	}
	_ = c.Close()
	until(t, "the connection is closed", func() bool { return g.server.http.GetOpenConnectionsCount() == 0 })
	if len(rec.all) != 3 || reported != 3 || g.OpenFlights() != 0 {
		t.Errorf("%d records, %d reports, %d open", len(rec.all), reported, g.OpenFlights())
	}
}

type panicking struct{ *records }

func (p *panicking) Observe(rec *storage.Record) {
	p.records.Observe(rec)
	panic("observer")
}

// Shutdown comes back when every request has its record, those that it cancelled too.
func TestServer_ShutdownWaitsForWhatItCancels(t *testing.T) {
	g := newTestGateway(t, one(t, always(chunkHead, chunk(eventRole+eventHi), "<wait>")))
	const n = 20
	for range n {
		c := connect(t, g)
		say(t, c, request(askStream))
		if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || !strings.Contains(line, "200") {
			t.Fatal(line, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := g.server.Shutdown(ctx); err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if open, seen := g.OpenFlights(), g.records.unread(); open != 0 || seen != n {
		t.Errorf("%d requests are open, %d of %d have a record", open, seen, n)
	}
}

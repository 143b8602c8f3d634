package sse

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

const testLimit = 1 << 20

// seeds are streams in all the spellings that the standard allows, and broken ones.
var seeds = []string{
	"", "\n", "\n\n", "\r", "\r\n", "\r\r", "\r\n\r\n", "data", "data:", "data: ", "data\n\n", "data:\n\n", "data:  two spaces\n\n",
	"data: a\n\n", "data:a\n\ndata:b\n\n", "data: a\r\n\r\ndata: b\r\n\r\n", "data: a\r\rdata: b\r\r", "data: a\n\r\ndata: b\r\n\n",
	"data: a\r\n\rdata: b\n\r", "data: one\ndata: two\n\n", "data: one\r\ndata:\r\ndata: three\r\n\r\n", "data\ndata\n\n",
	": comment\n\n", ": ping\ndata: a\n\n", "event: x\nid: 1\nretry: 5\n\n", "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
	"datas: x\n\n", " data: x\n\n", "Data: x\n\n", "dat\n\n", "data : x\n\n", "data:a:b\n\n",
	"\ufeffdata: bom\n\n", "\ufeff\ndata: bom\n\n", "\ufeff\ufeffdata: two\n\n", "data: a\n\n\ufeffdata: late\n\n", "\xef\xbbdata: x\n\n",
	"data: cut", "data: a\n\ndata: cut\n", "data: a\n\n\n\n\ndata: b\n\n", "data: a\n\n: tail", "data: \x00\xff\n\n", "data: é😀\n\n", "data: [DONE]\n\n",
	"data: {\"a\":\"" + strings.Repeat("x", 9_000) + "\"}\n\ndata: [DONE]\n\n", strings.Repeat("\r", 700), strings.Repeat("data: x\r", 300) + "\r",
}

// simple is the standard's algorithm, written for plainness: the data of each event that has
// any. The rest behind the last blank line counts as an event, as Reader promises.
// Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
func simple(stream string) (events []string) {
	stream = strings.TrimPrefix(stream, "\ufeff")
	stream = strings.ReplaceAll(stream, "\r\n", "\n")
	stream = strings.ReplaceAll(stream, "\r", "\n")
	var data []string
	for _, line := range append(strings.Split(stream, "\n"), "") {
		name, value, _ := strings.Cut(line, ":")
		switch {
		case line == "" && data != nil:
			events = append(events, strings.Join(data, "\n"))
			data = nil
		case name == "data":
			data = append(data, strings.TrimPrefix(value, " "))
		}
	}
	return events
}

type seen struct{ raw, data []string }

// readAll reads a stream to its end: every event's bytes, and the data of those that have any.
func readAll(t *testing.T, src io.Reader, buf []byte) seen {
	t.Helper()
	r := NewReader(src, buf, testLimit)
	var all seen
	for {
		ev, err := r.Next()
		if errors.Is(err, io.EOF) {
			if _, again := r.Next(); !errors.Is(again, io.EOF) {
				t.Fatalf("behind the end: %v", again)
			}
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(ev.Raw) == 0 {
			t.Fatal("an event without bytes")
		}
		all.raw = append(all.raw, string(ev.Raw))
		if ev.Data != nil {
			all.data = append(all.data, string(ev.Data))
		}
	}
}

// cuts gives readers of one stream that hand it out in different pieces.
func cuts(stream string, seed uint64) map[string]io.Reader {
	return map[string]io.Reader{
		"whole":    strings.NewReader(stream),
		"bytewise": iotest.OneByteReader(strings.NewReader(stream)),
		"half":     iotest.HalfReader(strings.NewReader(stream)),
		"with EOF": iotest.DataErrReader(strings.NewReader(stream)),
		"random":   &pieces{rest: []byte(stream), rand: rand.New(rand.NewPCG(seed, 1))},
	}
}

// pieces reads random pieces, now and then none.
type pieces struct {
	rest []byte
	rand *rand.Rand
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		return 0, io.EOF
	}
	n := min(p.rand.IntN(8), len(b), len(p.rest))
	copy(b, p.rest[:n])
	p.rest = p.rest[n:]
	return n, nil
}

// check reads a stream in all cuts and holds every reading to the reference.
func check(t *testing.T, stream string, seed uint64) {
	t.Helper()
	want := simple(stream)
	var first *seen
	for cut, src := range cuts(stream, seed) {
		got := readAll(t, src, make([]byte, 0, seed%40))
		if all := strings.Join(got.raw, ""); all != stream {
			t.Fatalf("%s: bytes lost\n got %q\nwant %q", cut, all, stream)
		}
		if !slices.Equal(got.data, want) {
			t.Fatalf("%s: %q\n got %q\nwant %q", cut, stream, got.data, want)
		}
		if first == nil {
			first = &got
		}
		if !slices.Equal(got.raw, first.raw) {
			t.Fatalf("%s: %q splits into %q, elsewhere into %q", cut, stream, got.raw, first.raw)
		}
	}
}

func TestReader_Next(t *testing.T) {
	for i, stream := range seeds {
		check(t, stream, uint64(i))
		check(t, stream+stream, uint64(i))
	}
	check(t, strings.Join(seeds, ""), 7)
	check(t, strings.Join(seeds, "\n\n"), 8)
}

func FuzzReader_Next(f *testing.F) {
	for i, stream := range seeds {
		f.Add(stream, uint64(i))
	}
	f.Fuzz(func(t *testing.T, stream string, seed uint64) {
		if len(stream) > testLimit {
			return
		}
		check(t, stream, seed)
	})
}

func TestReader_Next_raw(t *testing.T) {
	f := func(stream string, want ...string) {
		t.Helper()
		if got := readAll(t, strings.NewReader(stream), nil); !slices.Equal(got.raw, want) {
			t.Errorf("%q splits into %q, want %q", stream, got.raw, want)
		}
	}
	f("data: a\n\ndata: b\n\n", "data: a\n\n", "data: b\n\n")
	f("data: a\r\n\r\ndata: b", "data: a\r\n\r\n", "data: b")
	f("data: a\r\rdata: b\r\r", "data: a\r\r", "data: b\r\r")
	f(": ping\n\n\ndata: a\n\n", ": ping\n\n", "\n", "data: a\n\n")
}

func TestReader_Next_huge(t *testing.T) {
	big := "data: " + strings.Repeat("y", testLimit-100) + "\n\n"
	got := readAll(t, iotest.HalfReader(strings.NewReader("data: a\n\n"+big+"data: b\n\n")), make([]byte, 64))
	if len(got.data) != 3 || len(got.data[1]) != testLimit-100 || got.data[2] != "b" {
		t.Errorf("%d events", len(got.data))
	}
}

func TestReader_Next_limit(t *testing.T) {
	f := func(stream string, limit int, want int, wantErr error) {
		t.Helper()
		r := NewReader(iotest.OneByteReader(strings.NewReader(stream)), nil, limit)
		for i := 0; ; i++ {
			if _, err := r.Next(); err != nil {
				if !errors.Is(err, wantErr) || i != want {
					t.Errorf("limit %d: %d events, then %v; want %d, %v", limit, i, err, want, wantErr)
				}
				return
			}
		}
	}
	f("data: 1\n\ndata: 2\n\n", 9, 2, io.EOF)
	f("data: 1\n\ndata: 22\n\n", 9, 1, ErrTooLong)
	f(strings.Repeat("data: x\n", 100), 64, 0, ErrTooLong)
	f(strings.Repeat(":", 100), 64, 0, ErrTooLong)
}

func TestReader_Next_errors(t *testing.T) {
	broken := errors.New("connection reset")
	f := func(src io.Reader, data string, want error) {
		t.Helper()
		r := NewReader(src, nil, testLimit)
		var got []string
		for {
			ev, err := r.Next()
			if err != nil {
				if !errors.Is(err, want) || fmt.Sprint(got) != data {
					t.Errorf("read %q, then %v; want %q, %v", got, err, data, want)
				}
				return
			}
			got = append(got, string(ev.Data))
		}
	}
	// What a broken connection leaves behind is no event: only a clean end closes one.
	f(io.MultiReader(strings.NewReader("data: a\n\ndata: b"), iotest.ErrReader(broken)), "[a]", broken)
	f(io.MultiReader(strings.NewReader("data: a\n\ndata: b\n"), iotest.ErrReader(io.ErrUnexpectedEOF)), "[a]", io.ErrUnexpectedEOF)
	f(iotest.ErrReader(broken), "[]", broken)
	f(idle{}, "[]", io.ErrNoProgress)
}

// idle never reads anything.
type idle struct{}

func (idle) Read([]byte) (int, error) { return 0, nil }

// A timeout is not the end: the next call goes on where the bytes stopped, wherever that was.
func TestReader_Next_timeout(t *testing.T) {
	const stream = "data: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n"
	for at := range len(stream) + 1 {
		src := io.MultiReader(strings.NewReader(stream[:at]), &once{err: os.ErrDeadlineExceeded}, strings.NewReader(stream[at:]))
		r := NewReader(src, nil, testLimit)
		var got []string
		timeouts := 0
		for {
			ev, err := r.Next()
			if errors.Is(err, os.ErrDeadlineExceeded) {
				timeouts++
				continue
			}
			if err != nil {
				break
			}
			got = append(got, string(ev.Data))
		}
		if timeouts != 1 || fmt.Sprint(got) != "[a\nb c]" {
			t.Errorf("timeout at byte %d: %d timeouts, %q", at, timeouts, got)
		}
	}
}

// once fails a single time.
type once struct{ err error }

func (o *once) Read([]byte) (int, error) {
	err := o.err
	o.err = io.EOF
	return 0, err
}

func TestReader_Buffered(t *testing.T) {
	feed, src := make(chan string, 1), &channel{}
	src.feed = feed
	r := NewReader(src, nil, testLimit)
	feed <- "data: a\n\ndata: b\n\ndata: c\n"
	f := func(want string, buffered bool) {
		t.Helper()
		ev, err := r.Next()
		if err != nil || string(ev.Data) != want || r.Buffered() != buffered {
			t.Errorf("next %q, %v, buffered %v; want %q, %v", ev.Data, err, r.Buffered(), want, buffered)
		}
	}
	f("a", true)
	f("b", false)
	feed <- "\n"
	f("c", false)
	if r.Buffered() {
		t.Error("an empty buffer holds an event")
	}
}

type channel struct{ feed <-chan string }

func (c *channel) Read(b []byte) (int, error) { return copy(b, <-c.feed), nil }

func TestReader_Reset(t *testing.T) {
	r := NewReader(strings.NewReader("\ufeffdata: a\r\ndata: b\r\n\r\ndata: left over"), make([]byte, 0, 16), testLimit)
	if ev, err := r.Next(); err != nil || string(ev.Data) != "a\nb" {
		t.Fatalf("%q, %v", ev.Data, err)
	}
	buf := r.Buffer()
	if len(buf) != 0 || cap(buf) == 0 {
		t.Fatalf("buffer of %d/%d", len(buf), cap(buf))
	}
	r.Reset(strings.NewReader("\ufeffdata: fresh\n\n"), buf, testLimit)
	ev, err := r.Next()
	if err != nil || string(ev.Data) != "fresh" || &ev.Raw[0] != &buf[:1][0] {
		t.Errorf("%q, %v, or the buffer was not used again", ev.Data, err)
	}
}

func TestReader_Next_allocations(t *testing.T) {
	stream := bytes.Repeat([]byte("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"word \"}}]}\n\n"), 64)
	src, buf := bytes.NewReader(nil), make([]byte, 4096)
	var r Reader
	n := testing.AllocsPerRun(50, func() {
		src.Reset(stream)
		r.Reset(src, buf, testLimit)
		for {
			if _, err := r.Next(); err != nil {
				return
			}
		}
	})
	if n != 0 {
		t.Errorf("reading 64 events with a given buffer: %v allocations, want 0", n)
	}
}

func BenchmarkReader_Next(b *testing.B) {
	f := func(name, event string, count int) {
		b.Run(name, func(b *testing.B) {
			stream := []byte(strings.Repeat(event, count))
			src, buf := bytes.NewReader(nil), make([]byte, 16<<10)
			var r Reader
			b.SetBytes(int64(len(stream)))
			b.ReportAllocs()
			for b.Loop() {
				src.Reset(stream)
				r.Reset(src, buf, 64<<20)
				for {
					if _, err := r.Next(); err != nil {
						break
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*count), "ns/event")
		})
	}
	f("chunk", "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" word\"},\"finish_reason\":null}]}\n\n", 100)
	f("anthropic", "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\" word\"}}\n\n", 100)
	f("cr", "data: x\r\r", 1000)
	f("megabyte", "data: "+strings.Repeat("x", 1<<20)+"\n\n", 1)
}

// greedy gives as much as is asked for, and notes how much that was at most.
type greedy struct {
	left string
	most int
}

func (g *greedy) Read(p []byte) (int, error) {
	g.most = max(g.most, len(p))
	n := copy(p, g.left)
	g.left = g.left[n:]
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// Who says much at once is read in larger pieces; who does not costs no more memory.
func TestReader_Room(t *testing.T) {
	event := "data: " + strings.Repeat("x", 100) + "\n\n"
	f := func(src io.Reader, events, want int) {
		t.Helper()
		r := NewReader(src, make([]byte, 2<<10), 1<<20)
		got := 0
		for ev, err := r.Next(); err == nil; ev, err = r.Next() {
			if string(ev.Raw) != event {
				t.Fatalf("event %q", ev.Raw)
			}
			got++
		}
		if got != events || cap(r.Buffer()) != want {
			t.Errorf("%d events, want %d; a buffer of %d bytes, want %d", got, events, cap(r.Buffer()), want)
		}
	}
	src := &greedy{left: strings.Repeat(event, 1000)}
	f(src, 1000, roomy)
	if src.most < roomy/2 {
		t.Errorf("%d bytes are read at most", src.most)
	}
	var paced []io.Reader
	for range 100 {
		paced = append(paced, strings.NewReader(event))
	}
	f(io.MultiReader(paced...), 100, 2<<10)
}

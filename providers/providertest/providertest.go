// Package providertest proves languages: it walks folders of golden cases, relays recorded
// replies however they are cut, and makes up requests. It must never reach a network or be
// imported by code that serves.
package providertest

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing/iotest"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/sse"
)

// maxEvent bounds one event of a recorded stream.
const maxEvent = 64 << 20

// Relay gives what a client reads of an upstream's reply: body through the dialect's decoder
// and the face's writer. Where call.Stream is set, body is a stream of server-sent events.
func Relay(face providers.Face, dialect providers.Dialect, call *providers.Call, body []byte) ([]byte, error) {
	return RelayFrom(face, dialect, call, bytes.NewReader(body))
}

// RelayFrom is Relay of a reply that comes in pieces.
func RelayFrom(face providers.Face, dialect providers.Dialect, call *providers.Call, body io.Reader) ([]byte, error) {
	var out []byte
	writer := face.Writer(call)
	err := Decode(dialect, call, body, func(ev *providers.Event) { out = writer.Write(out, ev) })
	return out, err
}

// Decode reads a reply and hands on its events. They hold until do returns.
func Decode(dialect providers.Dialect, call *providers.Call, body io.Reader, do func(*providers.Event)) error {
	decoder := dialect.ReadReply(call)
	var events []providers.Event
	err := Frames(call.Stream, body, func(_, data []byte) {
		if data == nil {
			return // a comment
		}
		events = decoder.Decode(events[:0], data)
		for i := range events {
			do(&events[i])
		}
	})
	events = decoder.Close(events[:0])
	for i := range events {
		do(&events[i])
	}
	return err
}

// Frames reads body as a dialect is given it: the data of each event of a stream, or the
// whole. raw is the event as it stood on the wire.
func Frames(stream bool, body io.Reader, do func(raw, data []byte)) error {
	if !stream {
		all, err := io.ReadAll(body)
		do(all, all)
		return err
	}
	r := sse.NewReader(body, make([]byte, 0, 512), maxEvent)
	for {
		ev, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		do(ev.Raw, ev.Data)
	}
}

// Cut lists readers that give the same bytes cut in different ways.
func Cut(body []byte, seed uint64) map[string]func() io.Reader {
	return map[string]func() io.Reader{
		"whole":       func() io.Reader { return bytes.NewReader(body) },
		"single byte": func() io.Reader { return iotest.OneByteReader(bytes.NewReader(body)) },
		"random":      func() io.Reader { return &chopped{rest: body, rng: rand.New(rand.NewPCG(seed, 1))} },
	}
}

// chopped reads in pieces of random length.
type chopped struct {
	rest []byte
	rng  *rand.Rand
}

func (c *chopped) Read(p []byte) (int, error) {
	if len(c.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.rest[:min(len(c.rest), 1+c.rng.IntN(40))])
	c.rest = c.rest[n:]
	return n, nil
}

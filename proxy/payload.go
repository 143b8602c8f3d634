package proxy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/sse"
	"github.com/aistrale/aistrale/storage"
)

// Payloads keeps what calls asked and were answered.
type Payloads interface {
	// Keep takes over what it is given, and must not wait.
	Keep(c *Captured)
	// Content gives it to traces, which ask for the redacted words later.
	Content(c *Captured) storage.Content
}

// Captured is what a call asked and was answered, as it went over the wire: nobody has redacted it.
type Captured struct {
	storage.Payload // without content
	Settings        storage.PayloadSettings
	Request         []byte // JSON; of a form its fields; nil where it is not to be kept
	Response        []byte // JSON, or events where Streamed is set; nil where it is not to be kept
	Streamed        bool
	// RequestOmitted and ResponseOmitted say why there is none of what was to be kept; "" there is.
	RequestOmitted, ResponseOmitted string

	face providers.Face
	call providers.Call
	body []byte // the request, for who puts the answer's events together
}

// maxCaptured bounds what is taken of a request, or of an answer, before it is redacted, in bytes:
// what was cut off could hide the half of what a rule would find, so a part is not taken.
const maxCaptured = 4 << 20

// payload is what a call has to do with payloads.
type payload struct {
	sent []byte // of a stream, as far as the client was given it
	over bool   // it is more than is taken
}

func (p *payload) reset() { p.sent, p.over = keep(p.sent), false }

// noteSent notes bytes of a stream that the client is given, for those who keep them.
func (f *flight) noteSent(b []byte) {
	f.recollection.sent(b)
	if (f.key.Payloads.Keep > 0 || f.rec.Content != nil) && f.key.Payloads.Response && !f.payload.over {
		if f.payload.over = len(f.payload.sent)+len(b) > maxCaptured; !f.payload.over {
			f.payload.sent = append(f.payload.sent, b...)
		}
	}
}

// captures reports whether the call is one of those whose content is kept at all: a model was called.
func (f *flight) captures() bool {
	return f.key != nil && f.g.options.Payloads != nil && !f.endpoint.About() && (len(f.rec.Attempts) > 0 || f.recollection.hit)
}

// keepPayload hands over what was asked and answered, where the call's key wants it kept.
func (f *flight) keepPayload(response []byte, streamed bool) {
	if f.captures() && f.key.Payloads.Keep > 0 {
		f.g.options.Payloads.Keep(f.capture(response, streamed))
	}
}

// offerContent lets the call's spans have what was asked and answered, where its key wants that. The
// answer is read when the call is settled; nil is what a stream will have given the client by then.
func (f *flight) offerContent(response []byte, streamed bool) {
	if !f.captures() || !f.key.Payloads.Spans || !f.rec.Trace.On() {
		return
	}
	f.rec.Content = func() storage.Content {
		said := response
		if said == nil {
			said = f.payload.sent
		}
		return f.g.options.Payloads.Content(f.capture(said, streamed))
	}
}

// capture takes copies: the flight's own buffers are used again.
func (f *flight) capture(response []byte, streamed bool) *Captured {
	s := &f.key.Payloads
	c := &Captured{
		Payload: storage.Payload{
			ID: f.rec.ID, Workspace: f.rec.Workspace, Key: f.rec.KeyID, User: f.rec.User, EndUser: strings.Clone(f.rec.EndUser), CreatedAt: f.start, ExpiresAt: time.Now().Add(s.Keep),
		},
		Settings: *s, Streamed: streamed, face: f.endpoint.Face, call: f.call,
	}
	c.call.Doc, c.call.Forwarded, c.call.Files, c.call.Room, c.call.Fetched, c.call.Stream = nil, nil, nil, providers.Room{}, nil, false
	if s.Request {
		c.Request, c.RequestOmitted = captured(f.body)
	}
	if s.Response {
		c.Response, c.ResponseOmitted = captured(response)
		switch {
		case f.reply.raw, !streamed && !isObject(response):
			c.Response, c.ResponseOmitted = nil, "it is no text"
		case f.payload.over:
			c.Response, c.ResponseOmitted = nil, tooMuch
		case streamed && c.Response != nil:
			c.body, _ = captured(f.body)
		}
	}
	return c
}

const tooMuch = "it is too large"

func captured(b []byte) (taken []byte, omitted string) {
	switch {
	case len(b) == 0:
		return nil, "there is none"
	case len(b) > maxCaptured:
		return nil, tooMuch
	}
	return slices.Clone(b), ""
}

// Size is how many bytes it holds.
func (c *Captured) Size() int { return len(c.Request) + len(c.Response) + len(c.body) }

// Assemble gives the answer as one JSON value. Events are read by the dialect of the client's
// language and said again as a whole reply, so that no text is in pieces in which no rule finds it.
func (c *Captured) Assemble(reads func(language string) providers.Dialect) (whole []byte, err error) {
	if !c.Streamed || len(c.Response) == 0 {
		return c.Response, nil
	}
	dialect := reads(c.face.Language())
	defer func() {
		if cause := recover(); cause != nil { // a stream that broke off may be what no writer was made for
			err = fmt.Errorf("put a stream together: %v", cause)
		}
	}()
	if dialect == nil {
		return nil, errors.New("put a stream together: nobody reads its language")
	}
	doc := &providers.Document{}
	if err := doc.Scan(c.body, nil); err != nil {
		return nil, err
	}
	c.call.Doc = doc
	writer := c.face.Writer(&c.call)
	streamed := c.call
	streamed.Stream = true
	decoder := dialect.ReadReply(&streamed)
	ended := false
	write := func(events []providers.Event) {
		for i := range events {
			if kind := events[i].Kind; kind == providers.EventFault || kind == providers.EventEnd && ended {
				continue
			} else if kind == providers.EventEnd {
				ended = true
			}
			whole = writer.Write(whole, &events[i])
		}
	}
	var events sse.Reader
	events.Reset(bytes.NewReader(c.Response), make([]byte, 4096), maxCaptured)
	for {
		ev, err := events.Next()
		if err != nil {
			if errors.Is(err, io.EOF) {
				break
			}
			return nil, err
		}
		if ev.Data != nil {
			write(decoder.Decode(nil, ev.Data))
		}
	}
	write(decoder.Close(nil))
	if !ended {
		write([]providers.Event{{Kind: providers.EventEnd}})
	}
	if len(whole) == 0 {
		return nil, errors.New("put a stream together: nothing came of it")
	}
	return whole, nil
}

package proxy

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/aws"
	"github.com/aistrale/aistrale/providers/sse"
	"github.com/aistrale/aistrale/storage"
)

// reply is an upstream's answer, read event by event. Exact and translated replies are one
// thing from here on: bytes for the client, and what Observe saw.
type reply struct {
	x           Exchange
	since       time.Time // of the upstream's 200
	dialect     providers.Dialect
	decoder     providers.Decoder // nil on the exact path
	writer      providers.Writer
	secret      storage.Secret // that the call was signed with
	frames      frames
	sse         sse.Reader
	buf         []byte
	events      []providers.Event
	limit       int
	hideUsage   bool
	raw         bool               // neither JSON nor events: bytes go by
	sound       ends               // of what goes by
	length      int                // of raw bytes, -1 where the client does not hear of it
	status      int                // where the client's is not 200; else 0
	passed      []providers.Header // of the upstream's head, as they are
	handed      string             // the upstream's address to go on at
	eager       bool               // do not wait for bytes that are not there yet
	received    bool               // the upstream's reply, not a stream, has come to its end
	partly      bool               // the upstream has served one of several requests
	whole       bool               // f.scratch is the whole reply in the client's words
	contentType string
	record      []byte // the whole reply, where it is to be kept

	seenFirst bool
	ended     bool   // the language's own end mark came, or the decoder's
	done      bool   // nothing more is for the client
	finish    string // native
	content   int64
	fault     *providers.Fault
	told      bool // the upstream's own error event has been passed on
	cut       bool // the budget is spent, and the stream ended by the gateway
}

func (r *reply) reset() {
	*r = reply{events: r.events[:0], buf: keep(r.buf), sse: r.sse}
}

// frames reads the events of a stream, however they are framed. Next may be called again after
// any error but io.EOF.
type frames interface {
	Reset(src io.Reader, buf []byte, limit int)
	Next() (sse.Event, error)
	Buffered() bool
}

// begin makes ready to read a stream.
func (r *reply) begin(f *flight, t *target) {
	r.dialect = t.route.Dialect
	r.limit = f.g.options.Limits.MaxReply
	if cap(r.buf) == 0 { // little, as each open stream has it; what is more is taken for longer events
		r.buf = make([]byte, 2<<10)
	}
	if cap(f.out) == 0 {
		f.out = make([]byte, 0, 1<<10)
	}
	r.frames = &r.sse
	if t.route.Framed {
		r.frames = &aws.Frames{}
	}
	r.frames.Reset(source{r}, r.buf, r.limit)
	if !f.rec.Exact {
		r.decoder, r.writer = t.route.Dialect.ReadReply(&f.call), f.writer(t)
	} else if f.bill.lease.metered {
		r.writer = f.endpoint.Face.Writer(&f.call) // which ends a stream that the budget does not pay for
	}
}

// source is the exchange as the frames' reader sees it.
type source struct{ r *reply }

func (s source) Read(p []byte) (int, error) {
	if s.r.eager && !s.r.x.Buffered() {
		return 0, errSilent
	}
	return s.r.x.Read(p)
}

// step reads one event and appends what the client gets of it. After the last one r.done is
// set. errSilent means that nothing is there yet.
func (r *reply) step(f *flight, dst []byte) ([]byte, error) {
	if r.raw {
		return r.pass(f, dst)
	}
	ev, err := r.frames.Next()
	if err != nil {
		if errors.Is(err, errSilent) {
			return dst, err
		}
		return r.close(f, dst, err), nil
	}
	if ev.Data == nil {
		return dst, nil // a comment keeps us awake; the client gets our own
	}
	seen, first := r.dialect.Observe(ev.Data), !r.seenFirst
	if f.endpoint.Op.Media() && seen.Fault == nil && !seen.End {
		seen.Content = max(seen.Content, 1) // its events have words of their own
	}
	f.note(r, &seen, ev.Data)
	if r.decoder == nil {
		if err := f.claimEvent(ev.Data, first); err != nil {
			r.fault, r.done = fault(err), true
			return dst, nil
		}
	}
	if seen.Content > 0 && f.bill.lease.metered && !f.pays(r.content) {
		return r.cutOff(f, dst), nil
	}
	if r.decoder == nil {
		if seen.UsageOnly && r.hideUsage {
			return dst, nil
		}
		if seen.Fault != nil {
			r.fault, r.done = seen.Fault, true
			if r.told = !mask(r.fault, r.secret) && !quotes(ev.Raw, r.secret); !r.told {
				return dst, nil // the face says it in its own words
			}
		}
		if r.writer != nil {
			r.writer.Passed(ev.Data)
		}
		return append(dst, ev.Raw...), nil
	}
	r.events = r.decoder.Decode(r.events[:0], ev.Data)
	return r.write(f, dst), nil
}

// cutOff ends a stream cleanly whose further output nobody pays for.
func (r *reply) cutOff(f *flight, dst []byte) []byte {
	r.cut, r.ended, r.done, r.finish = true, true, true, "length"
	ev := providers.Event{Kind: providers.EventCut}
	if len(f.rec.Usage.Lines) > 0 {
		ev.Usage = &f.rec.Usage
	}
	dst, kept := f.record(r, dst, &ev)
	if !kept {
		return dst
	}
	return r.writer.Write(dst, &ev)
}

// write says the decoded events in the client's words.
func (r *reply) write(f *flight, dst []byte) []byte {
	for i := range r.events {
		ev := &r.events[i]
		switch ev.Kind {
		case providers.EventStart:
			if f.rec.Served == "" {
				f.rec.Served = ev.Model
			}
		case providers.EventFault:
			r.fault, r.done = ev.Fault, true
			mask(r.fault, r.secret)
			return dst // the caller says it, as a refusal or as the stream's last event
		case providers.EventEnd:
			r.ended = true // the upstream's bytes are read to their end, for its connection to be used again
			var kept bool
			if dst, kept = f.record(r, dst, ev); !kept {
				return dst
			}
		default: // the writer's alone
		}
		dst = r.writer.Write(dst, ev)
	}
	return dst
}

// close handles the end of the upstream's bytes.
func (r *reply) close(f *flight, dst []byte, err error) []byte {
	r.done = true
	clean := errors.Is(err, io.EOF)
	if r.decoder != nil && clean && !r.ended {
		r.events = r.decoder.Close(r.events[:0])
		dst = r.write(f, dst)
		if r.ended || r.fault != nil {
			return dst
		}
	}
	if r.ended || clean && r.finish != "" {
		return dst // some compatible providers send no end mark
	}
	if clean {
		err = errCut
	}
	r.fault = fault(f.broken(err))
	return dst
}

var errCut = errors.New("the upstream's stream ended in mid-answer")

// note folds what Observe saw into the record.
func (f *flight) note(r *reply, seen *providers.Seen, frame []byte) {
	if !r.seenFirst {
		r.seenFirst = true
		if f.rec.Exact {
			f.rec.Served = cmp.Or(providers.Text(seen.Model), gjson.GetBytes(frame, "model").String())
		}
	}
	if seen.Content > 0 {
		if r.content == 0 {
			f.rec.FirstByte = time.Since(f.start)
		}
		r.content += int64(seen.Content)
	}
	if seen.HasUsage && !f.endpoint.About() { // else the call that made it was billed
		f.rec.Usage.Merge(seen.Usage)
	}
	if seen.Finish != "" {
		r.finish = seen.Finish
	}
	if seen.End {
		r.ended = true
	}
}

// hold reads a stream up to its first content, so that a failure before it can still move on.
func (f *flight) hold(t *target) error {
	const most = 256 << 10 // bytes held back
	r := &f.reply
	r.begin(f, t)
	until := r.since.Add(f.g.options.Limits.Hold)
	for r.content == 0 && !r.done && !r.ended && len(f.out) < most {
		var err error
		f.out, err = r.step(f, f.out)
		if err != nil && !errors.Is(err, errSilent) {
			return err
		}
		now := time.Now()
		if first := f.firstByte; first > 0 && !r.seenFirst && now.Sub(r.since) >= first {
			return f.broken(errFirstByte) // a 200 alone is no answer
		}
		if !now.Before(until) {
			break
		}
	}
	if r.fault != nil && r.content == 0 {
		return r.fault
	}
	r.contentType = "text/event-stream; charset=utf-8"
	return nil
}

// take reads a whole reply and says it in the client's words.
func (f *flight) take(t *target, head Head) error {
	r := &f.reply
	whole, err := f.readWhole(f.prompt(), f.scratch[:0], head.Length)
	f.scratch = whole
	if err != nil {
		return f.broken(err)
	}
	r.contentType = "application/json"
	said := head.Header("content-type")
	if f.rec.Exact && isJSON(said) {
		r.contentType = said
	}
	r.received = true
	if f.endpoint.About() {
		r.keepStored(f.endpoint.Stored, head)
	}
	f.letGo() // the head is the exchange's
	if f.endpoint.About() && len(whole) == 0 {
		r.contentType, r.whole = said, true
		return nil
	}
	if f.rec.Exact && !isObject(whole) {
		return &providers.Fault{Kind: providers.FaultUpstream, Retryable: true, Message: "The provider's answer is not a JSON object.",
			Cause: fmt.Errorf("%d bytes with status %d and content-type %q", len(whole), head.Status, said)}
	}
	seen := t.route.Dialect.Observe(whole)
	f.note(r, &seen, whole)
	if seen.Fault != nil {
		return seen.Fault
	}
	r.whole = true
	if f.rec.Exact {
		return nil
	}
	return f.translate(t, whole)
}

// readWhole reads a whole answer into dst. From when its length is known it takes of the memory of
// all bodies.
func (f *flight) readWhole(x Exchange, dst []byte, length int) ([]byte, error) {
	limit := f.g.options.Limits.MaxReply
	f.holdMemory(min(length, limit))
	whole, err := readAll(x, dst, length, limit)
	if length < 0 {
		f.holdMemory(len(whole))
	}
	return whole, err
}

// isObject looks at both ends only: what a proxy, an error page or a compressed body would be.
func isObject(b []byte) bool {
	b = bytes.TrimSpace(b)
	return len(b) > 1 && b[0] == '{' && b[len(b)-1] == '}'
}

func isJSON(contentType string) bool {
	const want = "application/json"
	return len(contentType) >= len(want) && strings.EqualFold(contentType[:len(want)], want)
}

// translate says a whole reply by way of the hub. An upstream may answer a streaming request
// whole; the client then gets its stream at once.
func (f *flight) translate(t *target, whole []byte) error {
	r := &f.reply
	r.decoder, r.writer = t.route.Dialect.ReadReply(&f.call), f.writer(t)
	r.events = r.decoder.Decode(r.events[:0], whole)
	f.out = r.write(f, f.out[:0])
	if r.fault == nil && !r.ended {
		r.events = r.decoder.Close(r.events[:0])
		f.out = r.write(f, f.out)
	}
	if r.fault != nil {
		return r.fault
	}
	f.scratch, f.out = f.out, f.scratch[:0]
	if f.call.Stream {
		r.contentType = "text/event-stream; charset=utf-8"
	}
	return nil
}

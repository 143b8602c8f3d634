package proxy

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// relay hands the answer to the client. A whole reply settles at once; a stream settles when
// its last byte has been written, in streamBody.Close.
func (f *flight) relay() {
	r := &f.reply
	if r.whole {
		f.offerContent(f.scratch, f.call.Stream)
		f.settle(nil, len(f.scratch))
		f.remember(f.scratch)
		f.keepPayload(f.scratch, f.call.Stream)
		f.writeHeaders()
		f.g.hurry(f.fc, len(f.scratch))
		f.scratch = f.fc.Response.SwapBody(f.scratch)
		f.g.end(f)
		return
	}
	f.writeHeaders()
	if r.status != 0 {
		f.rec.Status = r.status
		f.fc.SetStatusCode(r.status)
	}
	f.offerContent(nil, true)
	f.g.hurry(f.fc, 0) // for the head; events have their own
	f.fc.Response.ImmediateHeaderFlush = true
	if s := f.g.options.Streams; s != nil {
		s.StreamOpened()
	}
	length := -1
	if r.raw {
		length = r.length
	}
	f.fc.SetBodyStream(&streamBody{f: f}, length)
}

// hurry bounds the wait for a client that takes an answer of size bytes. Set in this way, the
// deadline is taken off again before the next request on the connection.
func (g *Gateway) hurry(fc *fasthttp.RequestCtx, size int) {
	l := &g.options.Limits
	_ = fc.SetWriteDeadline(time.Now().Add(l.ClientWrite + l.forBytes(size))) // on a closed connection the write fails
}

// streamBody is the client's stream, driven by fasthttp's connection goroutine after the
// handler has returned: each Write is one chunk and one flush.
type streamBody struct {
	f        *flight
	deadline time.Time // of writes, as last set
}

// SupportsBodyWriteTo tells fasthttp to call WriteTo, not Read.
func (*streamBody) SupportsBodyWriteTo() bool { return true }

// Read implements io.Reader, which fasthttp asks for and, given WriteTo, never calls.
func (*streamBody) Read([]byte) (int, error) {
	return 0, errors.New("a stream is written, not read")
}

const (
	gather  = 16 << 10           // bytes at hand are gathered up to this size into one write
	comment = ": keep-alive\n\n" // an endpoint's Awake where it says nothing else
)

// WriteTo relays events until the stream ends. Events that have come already go out in one
// write; none is held back to wait for another.
func (b *streamBody) WriteTo(w io.Writer) (total int64, err error) {
	f, r := b.f, &b.f.reply
	defer func() {
		if cause := recover(); cause != nil {
			r.fault = f.g.defect(f, cause)
			err = gone(r.fault)
		}
	}()
	for {
		if len(f.out) > 0 && (r.done || len(f.out) >= gather || !r.ready()) {
			f.noteSent(f.out)
			n, err := b.write(w, f.out)
			total += int64(n)
			if err != nil {
				return total, err
			}
			f.out = f.out[:0]
		}
		if r.done {
			return total, b.finish(w)
		}
		r.eager = len(f.out) > 0
		f.out, err = r.step(f, f.out)
		if errors.Is(err, errSilent) {
			err = b.silent(w)
		}
		if err != nil {
			return total, err
		}
	}
}

// ready reports whether another step would not wait.
func (r *reply) ready() bool { return r.frames.Buffered() || r.x.Buffered() }

// silent keeps a quiet stream alive. Gathered bytes go out first.
func (b *streamBody) silent(w io.Writer) error {
	f := b.f
	if len(f.out) > 0 {
		f.noteSent(f.out)
		_, err := b.write(w, f.out)
		f.out = f.out[:0]
		return err
	}
	if f.reply.ended {
		f.reply.done = true // the end mark has come; what the connection still says matters to nobody
		return nil
	}
	if l := &f.g.options.Limits; time.Since(b.deadline.Add(-l.ClientWrite)) < l.Comment-2*time.Second {
		return nil // an alias' first_byte wakes us more often
	}
	if f.reply.raw {
		return nil // nothing can be said between the bytes
	}
	_, err := b.write(w, []byte(f.endpoint.Awake))
	return err
}

// finish ends a stream that broke with an error event, so that no client takes it for whole.
func (b *streamBody) finish(w io.Writer) error {
	f := b.f
	if f.reply.fault == nil || f.reply.told {
		return nil
	}
	if f.reply.raw {
		f.settle(f.reply.fault, 0)
		return gone(f.reply.fault) // which closes the connection
	}
	last := f.lastWords()
	f.settle(f.reply.fault, len(last))
	_, err := b.write(w, last)
	return err
}

// lastWords is the error event of a stream that broke. A writer knows what was said before.
func (f *flight) lastWords() []byte {
	r, fault := &f.reply, f.fault(f.reply.fault)
	if r.decoder != nil {
		if last := r.writer.Write(nil, &providers.Event{Kind: providers.EventFault, Fault: fault}); len(last) > 0 {
			return last
		}
	}
	return f.endpoint.Face.Broken(fault)
}

func (b *streamBody) write(w io.Writer, p []byte) (int, error) {
	f := b.f
	switch r := &f.reply; { // a client that has read the last event finds its call in the ledger
	case r.told:
		f.settle(r.fault, len(p))
	case r.ended && r.fault == nil:
		f.settle(nil, len(p))
	}
	if now := time.Now(); now.After(b.deadline.Add(-f.g.options.Limits.ClientWrite + time.Second)) {
		b.deadline = now.Add(f.g.options.Limits.ClientWrite)
		if err := f.conn.SetWriteDeadline(b.deadline); err != nil {
			return 0, gone(err)
		}
	}
	n, err := w.Write(p)
	f.rec.BytesOut += int64(n)
	if err != nil {
		f.cancel(errClientGone)
		return n, gone(err)
	}
	return n, nil
}

// gone words a failed write so that fasthttp, which looks for the words, does not log it.
func gone(err error) error { return fmt.Errorf("broken pipe: %w", err) }

// Close implements io.Closer; fasthttp calls it exactly once, on every path.
func (b *streamBody) Close() error {
	f := b.f
	if f == nil {
		return nil
	}
	b.f = nil
	var err error
	switch {
	case f.left() != nil:
		err = f.broken(f.left())
	case f.reply.fault != nil:
		err = f.reply.fault
	case !f.reply.done:
		err = f.broken(errClientGone)
	}
	_ = f.conn.SetWriteDeadline(time.Now().Add(f.g.options.Limits.ClientWrite)) // for the last chunk; fasthttp takes it off
	f.letGo()
	f.settle(err, 0)
	if err == nil && !f.reply.cut {
		f.remember(f.recollection.body)
	}
	f.keepPayload(f.payload.sent, true)
	if s := f.g.options.Streams; s != nil {
		s.StreamClosed()
	}
	f.g.end(f)
	return nil
}

// settle closes the record, once: its cost, the ledger's entry, the log line and the metrics.
// It comes before the last bytes for the client, which has its answer only when the ledger has
// it too.
func (f *flight) settle(err error, last int) {
	if f.settled { // and failed in what came after
		return
	}
	f.settled = true
	rec := &f.rec
	rec.BytesOut += int64(last)
	rec.BytesIn = max(rec.BytesIn, f.bytesIn())
	rec.Duration = time.Since(f.start)
	rec.Finish, rec.ContentBytes, rec.Considered = f.reply.finish, f.reply.content, f.considered
	if len(rec.Usage.Lines) > 0 {
		rec.Tier = rec.Usage.Lines[0].Tier
	}
	if rec.FirstByte == 0 && err == nil {
		rec.FirstByte = rec.Duration
	}
	if rec.Status == 0 {
		rec.Status = http.StatusOK
	}
	if rec.Outcome == "" {
		rec.Outcome = f.ending(err)
	}
	if err != nil {
		rec.Err = storage.MaskBearers(err.Error())
		if rec.Outcome == storage.OutcomeClientGone {
			rec.Status = statusClientGone
		}
	}
	f.closeBill(err)
	f.payBill()
	f.observe()
}

// observe keeps a defect of the observer from the request, which has been served.
func (f *flight) observe() {
	defer func() {
		if cause := recover(); cause != nil {
			f.g.report(f, cause)
		}
	}()
	f.g.options.Observer.Observe(&f.rec)
}

// statusClientGone is what records say of a client that did not wait (nginx's word for it).
const statusClientGone = 499

// ending says how a request ended whose answer had begun.
func (f *flight) ending(err error) storage.Outcome {
	o := outcome(err)
	if o == storage.OutcomeUpstreamError && f.rec.Status/100 == 2 {
		return storage.OutcomeBrokenStream
	}
	return o
}

var _ interface {
	io.ReadCloser
	io.WriterTo
	SupportsBodyWriteTo() bool
} = (*streamBody)(nil)

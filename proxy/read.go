package proxy

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
)

// largeBody is the size from which a body counts against the memory budget of all bodies.
const largeBody = 64 << 10

// identify finds the key before anything of the body is read.
func (f *flight) identify() error {
	said := presented(f)
	if len(said) == 0 && f.fc.QueryArgs().Has("key") {
		return &providers.Fault{Kind: providers.FaultUnauthorized, NoRetry: true,
			Message: "A key in the URL (?key=) is not accepted, as URLs are logged. Send it in the header x-goog-api-key, or as a bearer token."}
	}
	key, err := f.state.Keys.Find(said, f.start)
	if err != nil {
		return err
	}
	f.key = key
	f.rec.KeyID, f.rec.KeyName, f.rec.User = key.ID, key.Name, key.Owner
	f.rec.Project, f.rec.Workspace, f.rec.Tags = key.Project, key.Workspace, key.Tags
	f.rec.Debug = f.state.Debug.of(key, f.start)
	return policy.AdmitAddress(key, f.rec.Client)
}

// presented gives the key a client sent, in any of the three headers that SDKs use.
func presented(f *flight) []byte {
	h := &f.fc.Request.Header
	if auth := h.Peek("authorization"); len(auth) > 7 && bytes.EqualFold(auth[:7], []byte("bearer ")) {
		return bytes.TrimSpace(auth[7:])
	}
	if key := h.Peek("x-api-key"); len(key) > 0 {
		return key
	}
	if key := h.Peek("x-goog-api-key"); len(key) > 0 || f.endpoint.Session == nil {
		return key
	}
	return f.keyProtocol()
}

// read takes the client's body in and makes a call around it.
func (f *flight) read() error {
	if f.endpoint.About() {
		return f.readStored()
	}
	if name, want, ok := strings.Cut(f.endpoint.Query, "="); ok && f.query(name) != want {
		return providers.Invalid(name, "This endpoint is served with "+f.endpoint.Query+" in the URL only.")
	}
	if err := f.readDocument(); err != nil {
		return err
	}
	f.received = time.Now()
	asked, err := f.endpoint.Ask(&f.doc)
	if err != nil {
		return err
	}
	asked.Model = cmp.Or(f.vars.model(), asked.Model)
	f.asked, f.rec.Asked = asked, asked.Model
	if err := f.label(); err != nil {
		return err
	}
	if err := f.usePrompt(); err != nil {
		return err
	}
	if asked = f.asked; asked.Model == "" {
		return providers.Invalid("model", "you must provide a model parameter")
	}
	asked.Stream = asked.Stream || f.endpoint.Stream
	f.asked = asked
	f.rec.Asked, f.rec.Stream = asked.Model, asked.Stream
	f.call = providers.Call{
		Op: f.endpoint.Op, Doc: &f.doc, Form: f.form != nil, Asked: asked.Model, Stream: asked.Stream, IncludeUsage: asked.IncludeUsage,
		ID: f.rec.ID, Created: f.start,
	}
	return nil
}

// readDocument reads the body, or as much of a form as must be known, into f.doc.
func (f *flight) readDocument() error {
	if f.endpoint.Form != nil && isForm(f.fc.Request.Header.ContentType()) {
		return f.readForm()
	}
	if err := f.readBody(); err != nil {
		return err
	}
	f.rec.BytesIn = int64(len(f.body))
	return f.scan(f.body)
}

// scan looks through a body, and finds what of it and of the headers is governed.
func (f *flight) scan(body []byte) error {
	if err := f.doc.Scan(body, f.g.options.Watch); err != nil {
		return err
	}
	f.watchHeaders()
	return nil
}

// watchHeaders finds what of the request's headers is governed.
func (f *flight) watchHeaders() {
	for i := range f.g.options.Headers {
		h := &f.g.options.Headers[i]
		for _, value := range f.fc.Request.Header.PeekAll(h.Name) {
			f.doc.Hits = h.Hits(f.doc.Hits, value)
		}
	}
}

// readBody reads and unpacks the body into f.body.
func (f *flight) readBody() error {
	limit := f.g.options.Limits.MaxBody
	length := f.fc.Request.Header.ContentLength()
	if length > limit {
		f.discard(length)
		return tooLarge(int64(limit))
	}
	if err := f.takeMemory(length); err != nil {
		f.discard(length)
		return err
	}
	in, err := f.newIntake(int64(limit))
	if err != nil {
		return err
	}
	defer in.close()
	if in.done != nil {
		length = -1
	}
	return f.fill(in, length, limit)
}

// fill reads a body to its end.
func (f *flight) fill(in *intake, length, limit int) error {
	b := f.body[:0]
	if length > cap(b) {
		b = make([]byte, 0, length)
	}
	for {
		if len(b) == cap(b) {
			size := min(max(4096, 2*cap(b)), limit+1)
			if err := f.takeMemory(size); err != nil {
				f.discard(-1) // of which nobody knows how much is to come
				return err
			}
			b = append(make([]byte, 0, size), b...)
		}
		n, err := in.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		f.body = b
		switch {
		case length >= 0 && len(b) == length, errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// grant gives a client whose body is large, and comes, more time to send it.
func (f *flight) grant(read int) {
	l := &f.g.options.Limits
	if more := l.forBytes(read); more > 0 {
		_ = f.fc.SetReadDeadline(f.start.Add(l.ClientRead + more)) // on a closed connection the next read fails
	}
}

// unread says why a body ended early.
func (f *flight) unread(err error) error {
	cause := f.left()
	switch {
	case cause != nil:
		return f.broken(cause)
	case errors.Is(err, io.EOF), hungUp(f.conn): // the watcher's news may come later
		return f.broken(errClientGone)
	case timedOut(err):
		return &providers.Fault{Kind: providers.FaultInvalid, Status: http.StatusRequestTimeout, Cause: err, Message: "The request did not arrive in time."}
	}
	return &providers.Fault{Kind: providers.FaultInvalid, Cause: err, Message: "The request body could not be read to its end."}
}

func tooLarge(limit int64) error {
	return &providers.Fault{Kind: providers.FaultTooLarge, NoRetry: true,
		Message: fmt.Sprintf("The request body is larger than the limit of %d bytes.", limit)}
}

// discard reads a body that is refused for its size or for want of memory, within reason, so that
// the client gets the answer and not a reset connection.
func (f *flight) discard(length int) {
	most := 2 * f.g.options.Limits.MaxBody
	if src := f.fc.RequestBodyStream(); src != nil && length <= most {
		_, _ = io.CopyN(io.Discard, src, int64(most)) // a client that stops sending gets its answer all the same
	}
}

// budget is memory that all large bodies share.
type budget struct{ left atomic.Int64 }

func (b *budget) take(n int64) bool {
	if b.left.Add(-n) >= 0 {
		return true
	}
	b.left.Add(n)
	return false
}

func (b *budget) give(n int64) { b.left.Add(n) }

// hold takes what is there already, whether or not there was room for it.
func (b *budget) hold(n int64) { b.left.Add(-n) }

// takeMemory makes room for a body of size bytes, of which some may be taken already.
func (f *flight) takeMemory(size int) error {
	more := int64(size) - (f.memory - f.copied)
	if size < largeBody || more <= 0 {
		return nil
	}
	return f.takeMore(more)
}

// takeCopy makes room for what was made of a body, which stays beside it: with what a prompt or the
// operator says, or all that was said before.
func (f *flight) takeCopy(size int) error {
	if size < largeBody {
		return nil
	}
	if err := f.takeMore(int64(size)); err != nil {
		return err
	}
	f.copied += int64(size)
	return nil
}

// takeSaid makes room for what is sent, of which each attempt's takes the place of the last one's.
func (f *flight) takeSaid(size int) error {
	more := int64(size) - f.said
	if size < largeBody || more <= 0 {
		return nil
	}
	if err := f.takeMore(more); err != nil {
		return err
	}
	f.copied, f.said = f.copied+more, f.said+more
	return nil
}

func (f *flight) takeMore(more int64) error {
	if !f.g.memory.take(more) {
		return &providers.Fault{Kind: providers.FaultUnavailable, Code: "overloaded", Retryable: true, RetryAfter: time.Second,
			Message: "The gateway is handling too many large requests at once. Please retry shortly.",
			Cause:   errors.New("body_memory is used up")}
	}
	f.memory += more
	return nil
}

// holdMemory counts a whole answer of size bytes. It is paid for, so it is never refused; what it
// takes no other body gets.
func (f *flight) holdMemory(size int) {
	if size >= largeBody {
		f.g.memory.hold(int64(size))
		f.memory += int64(size)
	}
}

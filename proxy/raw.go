package proxy

import (
	"errors"
	"io"

	"github.com/aistrale/aistrale/providers"
)

// An answer that is neither JSON nor events (a sound, a file's bytes) goes to
// the client as it comes, byte by byte. One that breaks off has no event to say so: the client's
// connection is cut, so that it takes no half for the whole.

// holdRaw reads such an answer up to its first bytes.
func (f *flight) holdRaw(t *target, head Head) error {
	r := &f.reply
	if cap(r.buf) < gather {
		r.buf = make([]byte, gather)
	}
	r.begin(f, t)
	r.raw, r.length, r.buf = true, -1, r.buf[:cap(r.buf)]
	f.recollection.reset() // it is not kept
	for len(f.out) == 0 && !r.done {
		var err error
		f.out, err = r.pass(f, f.out)
		if err != nil && !errors.Is(err, errSilent) {
			return err
		}
	}
	switch {
	case r.fault != nil:
		return r.fault
	case len(f.out) == 0 && !f.endpoint.About():
		return &providers.Fault{Kind: providers.FaultUpstream, Retryable: true, Message: "The provider's answer is empty."}
	}
	if r.contentType = head.Header("content-type"); r.contentType == "" {
		r.contentType = "application/octet-stream"
	}
	if f.endpoint.About() {
		r.length, r.status = head.Length, head.Status
		r.keepStored(f.endpoint.Stored, head)
	}
	return nil
}

// keepStored keeps what the head of an upstream's answer says for the client.
func (r *reply) keepStored(s *providers.Stored, head Head) {
	for _, name := range s.Tells {
		if value := head.Header(name); value != "" && printable([]byte(value)) {
			r.passed = append(r.passed, providers.Header{Name: name, Value: value})
		}
	}
	if s.Hands != nil {
		r.handed = head.Header(s.Hands.Header)
	}
}

// pass reads what has come and appends it for the client.
func (r *reply) pass(f *flight, dst []byte) ([]byte, error) {
	n, err := source{r}.Read(r.buf)
	dst = append(dst, r.buf[:n]...)
	if n > 0 && f.endpoint.Op == providers.OpSpeech {
		_, _ = r.sound.Write(r.buf[:n]) // it never fails
	}
	if n > 0 {
		f.note(r, &providers.Seen{Content: n}, nil)
	}
	switch {
	case err == nil, errors.Is(err, errSilent):
		return dst, err
	case errors.Is(err, io.EOF):
		r.done, r.ended = true, true
	default:
		r.done, r.fault = true, fault(f.broken(err))
	}
	return dst, nil
}

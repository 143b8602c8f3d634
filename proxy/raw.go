package proxy

import (
	"errors"
	"io"

	"github.com/aistrale/aistrale/providers"
)

// An answer that is neither JSON nor events (a sound, a text in a format of subtitles) goes to
// the client as it comes, byte by byte. One that breaks off has no event to say so: the client's
// connection is cut, so that it takes no half for the whole.

// holdRaw reads such an answer up to its first bytes.
func (f *flight) holdRaw(t *target, head Head) error {
	r := &f.reply
	r.begin(f, t)
	r.raw = true
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
	case len(f.out) == 0:
		return &providers.Fault{Kind: providers.FaultUpstream, Retryable: true, Message: "The provider's answer is empty."}
	}
	if r.contentType = head.Header("content-type"); r.contentType == "" {
		r.contentType = "application/octet-stream"
	}
	return nil
}

// pass reads what has come and appends it for the client.
func (r *reply) pass(f *flight, dst []byte) ([]byte, error) {
	n, err := source{r}.Read(r.buf)
	dst = append(dst, r.buf[:n]...)
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

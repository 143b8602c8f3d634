package proxy

import (
	"cmp"

	"github.com/aistrale/aistrale/providers"
)

// rawBody is a client's body that is sent on as it comes, whatever it is.
type rawBody struct {
	in     *intake
	length int64
	mime   string
	spent  bool // something has been read
}

// takeRaw makes ready to send the client's body on.
func (f *flight) takeRaw() error {
	h := &f.fc.Request.Header
	limit := f.g.options.Limits.MaxUpload
	length := h.ContentLength()
	if int64(length) > limit {
		f.discard(length)
		return tooLarge(limit)
	}
	in, err := f.newIntake(limit)
	if err != nil {
		return err
	}
	f.raw = &rawBody{in: in, length: int64(length), mime: string(h.ContentType())}
	if in.done != nil || length < 0 {
		f.raw.length = -1
	}
	f.rec.BytesIn = max(0, int64(length))
	f.listen()
	return nil
}

// Read implements Source.
func (r *rawBody) Read(p []byte) (int, error) {
	r.spent = true
	return r.in.Read(p)
}

// Length implements Source.
func (r *rawBody) Length() int64 { return r.length }

// Rewind implements Source.
func (r *rawBody) Rewind() bool { return !r.spent }

func (r *rawBody) contentType() string { return cmp.Or(r.mime, "application/octet-stream") }

// spent reports whether something of a body that is not kept has been sent: it cannot be sent again.
func (f *flight) spent() bool {
	return f.form != nil && f.form.spent || f.raw != nil && f.raw.spent
}

// closeBody lets go of a body that was not read at once.
func (f *flight) closeBody() {
	if f.form != nil {
		f.form.close()
		f.form = nil
	}
	if f.raw != nil {
		f.raw.in.close()
		f.raw = nil
	}
}

// bytesIn counts what has come of such a body.
func (f *flight) bytesIn() int64 {
	switch {
	case f.form != nil:
		return f.form.in.total
	case f.raw != nil:
		return f.raw.in.total
	}
	return 0
}

var _ Source = (*rawBody)(nil)

// wants refuses a call without the headers that its endpoint must have.
func (f *flight) wants(pairs [][2]string) error {
	for _, want := range pairs {
		if said := string(f.fc.Request.Header.Peek(want[0])); said != want[1] {
			return providers.Invalid(want[0], "This path is served with the header "+want[0]+": "+want[1]+" only.")
		}
	}
	return nil
}

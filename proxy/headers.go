package proxy

import (
	"bytes"
	"errors"
	"strconv"

	"github.com/valyala/fasthttp"
)

// keptHeaders are lines of the upstream's head that the client gets under names of ours, which
// cannot be taken for the gateway's own. They stand in one buffer, name and value in turn.
type keptHeaders struct {
	text []byte
	ends []int
	id   string // the provider's own request id
}

// keepHeaders goes through the upstream's head once.
func (f *flight) keepHeaders(head Head) {
	f.kept.reset()
	if f.noteHeader == nil {
		f.noteHeader = f.kept.note
	}
	head.Headers.Headers(f.noteHeader)
}

func (k *keptHeaders) reset() { k.text, k.ends, k.id = k.text[:0], k.ends[:0], "" }

// note keeps a line that begins as any provider's rate limits do, and the request id.
func (k *keptHeaders) note(name, value []byte) {
	if len(name) < len("request-id") {
		return
	}
	switch name[0] | 0x20 {
	case 'x':
		k.limit(name, value, "x-ratelimit-")
		if bytes.EqualFold(name, []byte("x-request-id")) {
			k.id = clientID(value)
		}
	case 'a':
		k.limit(name, value, "anthropic-ratelimit-")
	case 'r':
		if k.id == "" && bytes.EqualFold(name, []byte("request-id")) {
			k.id = clientID(value)
		}
	}
}

func (k *keptHeaders) limit(name, value []byte, prefix string) {
	if len(name) <= len(prefix) || !bytes.EqualFold(name[:len(prefix)], []byte(prefix)) || !printable(value) {
		return
	}
	k.text = appendCanonical(append(k.text, "X-Aistrale-Upstream-Ratelimit-"...), name[len(prefix):])
	k.ends = append(k.ends, len(k.text))
	k.text = append(k.text, value...)
	k.ends = append(k.ends, len(k.text))
}

func printable(value []byte) bool {
	for _, c := range value {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// appendCanonical spells a header's name as the library keeps it, so that it need not.
func appendCanonical(dst, name []byte) []byte {
	upper := true
	for _, c := range name {
		switch {
		case upper && c >= 'a' && c <= 'z':
			c -= 'a' - 'A'
		case !upper && c >= 'A' && c <= 'Z':
			c += 'a' - 'A'
		}
		dst = append(dst, c)
		upper = c == '-'
	}
	return dst
}

func (k *keptHeaders) write(h *fasthttp.ResponseHeader) {
	from := 0
	for i := 0; i+1 < len(k.ends); i += 2 {
		h.SetCanonical(k.text[from:k.ends[i]], k.text[k.ends[i]:k.ends[i+1]])
		from = k.ends[i+1]
	}
}

// lines writes response headers under names that are spelled as the library keeps them.
type lines struct {
	h    *fasthttp.ResponseHeader
	text []byte
}

func (l *lines) put(name, value string) {
	n := len(name)
	l.text = append(append(l.text[:0], name...), value...)
	l.h.SetCanonical(l.text[:n], l.text[n:])
}

func (l *lines) putInt(name string, value int64) {
	n := len(name)
	l.text = strconv.AppendInt(append(l.text[:0], name...), value, 10)
	l.h.SetCanonical(l.text[:n], l.text[n:])
}

// writeHeaders puts the gateway's own headers on the response.
func (f *flight) writeHeaders() {
	h := &f.fc.Response.Header
	rec := &f.rec
	h.SetNoDefaultContentType(true)
	if f.g.draining.Load() {
		h.SetConnectionClose() // so that Server.Shutdown sees when the answer has left
	}
	if f.reply.contentType != "" {
		h.SetContentType(f.reply.contentType)
	}
	l := lines{h, f.line}
	l.put("X-Request-Id", rec.ID)
	if rec.ClientRequestID != "" {
		l.put("X-Client-Request-Id", rec.ClientRequestID)
	}
	if rec.Prompt != "" {
		l.put("X-Aistrale-Prompt", rec.Prompt)
	}
	if rec.Provider != "" {
		f.writeServed(&l)
	}
	f.writeLimits(&l)
	f.recollection.writeCache(&l)
	f.kept.write(h)
	for i := range f.reply.passed {
		h.Set(f.reply.passed[i].Name, f.reply.passed[i].Value)
	}
	if f.call.Stream && rec.Status == 0 {
		l.put("Cache-Control", "no-cache")
		l.put("X-Accel-Buffering", "no")
	}
	f.state.CORS.write(f.fc)
	f.line = l.text[:0]
}

// writeServed says who answered and how.
func (f *flight) writeServed(l *lines) {
	rec := &f.rec
	l.put("X-Aistrale-Provider", rec.Provider)
	if rec.Model != "" {
		l.put("X-Aistrale-Model", rec.Model)
	}
	fidelity := "translated"
	if rec.Exact {
		fidelity = "exact"
	}
	l.put("X-Aistrale-Fidelity", fidelity)
	if dropped := droppedHeader(rec.Dropped); dropped != "" {
		l.put("X-Aistrale-Dropped", dropped)
	}
	l.putInt("X-Aistrale-Attempts", int64(len(rec.Attempts)))
	l.putInt("X-Aistrale-Overhead-Us", rec.Overhead.Microseconds())
	if f.reply.whole {
		l.put("X-Aistrale-Cost-Usd", rec.CostText())
	}
	if n := len(rec.Attempts); n > 0 && rec.Attempts[n-1].UpstreamID != "" {
		l.put("X-Aistrale-Upstream-Request-Id", rec.Attempts[n-1].UpstreamID)
	}
}

// droppedHeader lists names within 1 KB, in characters that are safe in a header.
func droppedHeader(names []string) string {
	const most = 1024
	var b []byte
	for _, name := range names {
		if len(b)+len(name)+1 > most {
			break
		}
		if len(b) > 0 {
			b = append(b, ',')
		}
		for i := range len(name) {
			c := name[i]
			if c <= ' ' || c > '~' || c == ',' || c == '"' {
				c = '_'
			}
			b = append(b, c)
		}
	}
	return string(b)
}

func isSmallBuffer(err error) bool {
	if err == nil {
		return false
	}
	var small *fasthttp.ErrSmallBuffer
	return errors.As(err, &small)
}

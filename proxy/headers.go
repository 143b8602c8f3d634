package proxy

import (
	"bytes"
	"errors"
	"strconv"

	"github.com/valyala/fasthttp"
)

// answerHead keeps of the upstream's head what the client may see.
func (f *flight) answerHead(head Head, contentType string) {
	f.reply.contentType = contentType
	f.keepUpstreamHeaders(head)
}

// keepUpstreamHeaders hands on the provider's request id and rate limits, under names that
// cannot be taken for the gateway's own.
func (f *flight) keepUpstreamHeaders(head Head) {
	f.kept = f.kept[:0]
	head.Headers.Headers(func(name, value []byte) {
		if rest, ok := limitHeader(name); ok {
			f.kept = append(f.kept, keptHeader{"x-aistrale-upstream-ratelimit-" + string(rest), string(value)})
		}
	})
}

// limitHeader gives what follows the ratelimit prefix of any provider's spelling.
func limitHeader(name []byte) ([]byte, bool) {
	for _, prefix := range [...]string{"x-ratelimit-", "anthropic-ratelimit-"} {
		if len(name) > len(prefix) && bytes.EqualFold(name[:len(prefix)], []byte(prefix)) {
			return bytes.ToLower(name[len(prefix):]), true
		}
	}
	return nil, false
}

// upstreamID finds the provider's own request id.
func upstreamID(head Head) string {
	for _, name := range [...]string{"x-request-id", "request-id"} {
		if id := head.Header(name); id != "" {
			return clientID([]byte(id))
		}
	}
	return ""
}

// keptHeader is a response header that waits for the answer to begin.
type keptHeader struct{ name, value string }

// writeHeaders puts the gateway's own headers on the response.
func (f *flight) writeHeaders() {
	h := &f.fc.Response.Header
	rec := &f.rec
	h.SetNoDefaultContentType(true)
	if f.reply.contentType != "" {
		h.SetContentType(f.reply.contentType)
	}
	h.Set("x-request-id", rec.ID)
	if rec.ClientRequestID != "" {
		h.Set("x-client-request-id", rec.ClientRequestID)
	}
	if rec.Provider != "" {
		f.writeServed(h)
	}
	for _, k := range f.kept {
		h.Set(k.name, k.value)
	}
	if f.call.Stream && rec.Status == 0 {
		h.Set("cache-control", "no-cache")
		h.Set("x-accel-buffering", "no")
	}
}

// writeServed says who answered and how.
func (f *flight) writeServed(h *fasthttp.ResponseHeader) {
	rec := &f.rec
	h.Set("x-aistrale-provider", rec.Provider)
	h.Set("x-aistrale-model", rec.Model)
	fidelity := "translated"
	if rec.Exact {
		fidelity = "exact"
	}
	h.Set("x-aistrale-fidelity", fidelity)
	if dropped := droppedHeader(rec.Dropped); dropped != "" {
		h.Set("x-aistrale-dropped", dropped)
	}
	h.Set("x-aistrale-attempts", strconv.Itoa(len(rec.Attempts)))
	h.Set("x-aistrale-overhead-us", strconv.FormatInt(rec.Overhead.Microseconds(), 10))
	if f.reply.whole {
		h.Set("x-aistrale-cost-usd", rec.CostText())
	}
	if n := len(rec.Attempts); n > 0 && rec.Attempts[n-1].UpstreamID != "" {
		h.Set("x-aistrale-upstream-request-id", rec.Attempts[n-1].UpstreamID)
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
	var small *fasthttp.ErrSmallBuffer
	return errors.As(err, &small)
}

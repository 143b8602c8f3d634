package proxy

import (
	"strconv"
	"time"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// address puts the headers on a request.
func (f *flight) address(t *target, req *providers.UpstreamRequest, contentType string) {
	accept := "application/json"
	switch {
	case f.endpoint.Op.Media(), f.endpoint.Binary():
		accept = "*/*"
	case f.call.Stream && t.route.Framed:
		accept = "application/vnd.amazon.eventstream"
	case f.call.Stream:
		accept = "text/event-stream"
	}
	req.Headers = append(req.Headers,
		providers.Header{Name: "content-type", Value: contentType},
		providers.Header{Name: "accept", Value: accept},
		providers.Header{Name: "accept-encoding", Value: "identity"})
	for _, h := range f.call.Forwarded {
		req.Headers = joinHeader(req.Headers, h.Name, h.Value)
	}
	for _, name := range t.account.ForwardExact {
		if v := f.fc.Request.Header.Peek(name); len(v) > 0 && f.exact(t) {
			req.Headers = setHeader(req.Headers, name, string(v))
		}
	}
	if f.endpoint.Stored != nil {
		for _, name := range f.endpoint.Stored.Sends {
			if v := f.fc.Request.Header.Peek(name); len(v) > 0 {
				req.Headers = setHeader(req.Headers, name, string(v))
			}
		}
	}
}

// propagate tells an upstream its place in the trace. The headers are not part of what was signed:
// whoever stands in between may set its own.
func (f *flight) propagate(req *providers.UpstreamRequest, span storage.SpanID) {
	t := &f.rec.Trace
	if !t.On() || t.Private {
		return
	}
	req.Headers = setHeader(req.Headers, "traceparent", t.Header(span))
	if t.State != "" {
		req.Headers = setHeader(req.Headers, "tracestate", t.State)
	}
}

// joinHeader adds a header, or adds to the list that the dialect has begun (anthropic-beta).
func joinHeader(headers []providers.Header, name, value string) []providers.Header {
	for i := range headers {
		if headers[i].Name == name {
			headers[i].Value += "," + value
			return headers
		}
	}
	return append(headers, providers.Header{Name: name, Value: value})
}

// setHeader adds a header, or puts it in the place of the dialect's own.
func setHeader(headers []providers.Header, name, value string) []providers.Header {
	for i := range headers {
		if headers[i].Name == name {
			headers[i].Value = value
			return headers
		}
	}
	return append(headers, providers.Header{Name: name, Value: value})
}

// timeouts are the limits of this call. SDKs say how long they will wait; waiting longer would
// only pay for an answer that nobody reads.
func (f *flight) timeouts() Timeouts {
	l := &f.g.options.Limits
	own, a := &f.key.Timeouts, f.target.account
	t := Timeouts{FirstByte: shorter(a.FirstByte, own.FirstByte), Idle: shorter(a.StreamIdle, own.StreamIdle), Pause: min(l.Comment, l.Hold)}
	f.hurried = t.FirstByte < a.FirstByte || t.Idle < a.StreamIdle
	if first := f.firstByte; first > 0 {
		t.FirstByte, t.Pause = min(t.FirstByte, first), min(t.Pause, first)
	}
	if v := f.fc.Request.Header.Peek("x-stainless-timeout"); len(v) > 0 {
		if s, err := strconv.ParseFloat(string(v), 64); err == nil && s > 0 && s < t.FirstByte.Seconds() {
			t.FirstByte, f.hurried = time.Duration(s*float64(time.Second)), true
		}
	}
	return t
}

// shorter is the shorter of two waits, of which 0 is none.
func shorter(a, b time.Duration) time.Duration {
	if a <= 0 || b > 0 && b < a {
		return b
	}
	return a
}

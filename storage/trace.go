package storage

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
)

// Trace is a request's place in a distributed trace, as W3C Trace Context has it. The zero value
// is none: tracing is off.
type Trace struct {
	ID      TraceID
	Span    SpanID // of the request here
	Parent  SpanID // of the caller's; zero: the trace begins here
	Sampled bool   // it is recorded, and whoever is called may record it too
	Forced  bool   // Sampled is the caller's word, not the gateway's own choice
	Private bool   // it is not told to upstreams
	Within  bool   // Parent is another request's here: a reply in a session
	State   string // the caller's tracestate, "" none
}

// Inner is the place of a request within this one.
func (t *Trace) Inner() Trace {
	if !t.On() {
		return Trace{}
	}
	in := *t
	in.Span, in.Parent, in.Within = NewSpanID(), t.Span, true
	return in
}

// TraceID names a trace; zero is none.
type TraceID [16]byte

// SpanID names a span in its trace; zero is none.
type SpanID [8]byte

// On reports whether the request is part of a trace, recorded or not.
func (t *Trace) On() bool { return t.ID != TraceID{} }

// NewTraceID gives a random id.
func NewTraceID() (id TraceID) {
	binary.NativeEndian.PutUint64(id[:8], rand.Uint64())   //nolint:gosec // tells traces apart, guards nothing
	binary.NativeEndian.PutUint64(id[8:], rand.Uint64()|1) //nolint:gosec // likewise; never zero
	return id
}

// NewSpanID gives a random id.
func NewSpanID() (id SpanID) {
	binary.NativeEndian.PutUint64(id[:], rand.Uint64()|1) //nolint:gosec // tells spans apart, guards nothing; never zero
	return id
}

// String is the id as logs, headers and back ends spell it: lower-case hexadecimal.
func (id TraceID) String() string { return hex.EncodeToString(id[:]) }

// String is the id in lower-case hexadecimal.
func (id SpanID) String() string { return hex.EncodeToString(id[:]) }

// Header is the traceparent of a span of the trace.
func (t *Trace) Header(span SpanID) string {
	var b [55]byte
	copy(b[:], "00-")
	hex.Encode(b[3:], t.ID[:])
	b[35] = '-'
	hex.Encode(b[36:], span[:])
	copy(b[52:], "-00")
	if t.Sampled {
		b[54] = '1'
	}
	return string(b[:])
}

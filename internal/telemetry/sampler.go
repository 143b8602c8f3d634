package telemetry

import (
	"encoding/binary"
	"encoding/hex"

	"github.com/aistrale/aistrale/storage"
)

// ParentRule says what counts of a client's own trace.
type ParentRule string

// The rules.
const (
	// ParentTrust joins the client's trace, which is recorded where the client says so. Who has no
	// valid key has no say in that.
	ParentTrust ParentRule = "trust"
	// ParentRatio joins the client's trace, and the gateway itself chooses what is recorded.
	ParentRatio ParentRule = "ratio"
	// ParentIgnore begins a trace for every request.
	ParentIgnore ParentRule = "ignore"
)

// Sampling says which requests are recorded.
type Sampling struct {
	Ratio  float64 // of the traces that begin here, 0 to 1
	Parent ParentRule
	// Errors records every request that ends in an error, and Slow every one that takes as long
	// (0 none), whatever was chosen at its begin. What the client or the upstream record they have
	// chosen by then.
	Errors bool
	Slow   int64 // nanoseconds
}

// maxState bounds the tracestate that is taken over, as W3C allows to.
const maxState = 512

// Begin gives a request its place in a trace.
func (t *Tracer) Begin(parent, state []byte) storage.Trace {
	at := storage.Trace{Span: storage.NewSpanID(), Private: t.private}
	sampled, ok := false, false
	if t.sampling.Parent != ParentIgnore && len(parent) > 0 {
		at.ID, at.Parent, sampled, ok = readParent(parent)
	}
	if !ok {
		at.ID, at.Parent = storage.NewTraceID(), storage.SpanID{}
		at.Sampled = t.chosen(at.Span)
		return at
	}
	if len(state) <= maxState && printable(state) {
		at.State = string(state)
	}
	if t.sampling.Parent == ParentTrust {
		at.Sampled, at.Forced = sampled, true
	} else {
		at.Sampled = t.chosen(at.Span)
	}
	return at
}

// chosen decides by an id that is random and ours: the trace's may be the client's.
func (t *Tracer) chosen(id storage.SpanID) bool {
	return binary.NativeEndian.Uint64(id[:])>>1 < t.below
}

// wants reports whether the spans of a request that has ended are recorded.
func (t *Tracer) wants(r *storage.Record) bool {
	tr := &r.Trace
	switch {
	case t == nil || !tr.On():
		return false
	case tr.Sampled && (!tr.Forced || r.KeyID != ""):
		return true
	case tr.Sampled && t.chosen(tr.Span):
		return true
	case t.sampling.Slow > 0 && int64(r.Duration) >= t.sampling.Slow:
		return true
	}
	return t.sampling.Errors && failed(r)
}

// readParent reads a traceparent. What a later version puts behind the flags is left unread.
func readParent(b []byte) (id storage.TraceID, span storage.SpanID, sampled, ok bool) {
	const whole = 2 + 1 + 32 + 1 + 16 + 1 + 2
	if len(b) < whole || b[2] != '-' || b[35] != '-' || b[52] != '-' {
		return id, span, false, false
	}
	var version, flags [1]byte
	ok = unhex(version[:], b[:2]) && unhex(id[:], b[3:35]) && unhex(span[:], b[36:52]) && unhex(flags[:], b[53:55])
	switch {
	case !ok, version[0] == 0xff, id == storage.TraceID{}, span == storage.SpanID{}:
		return id, span, false, false
	case len(b) > whole && (version[0] == 0 || b[whole] != '-'):
		return id, span, false, false
	}
	return id, span, flags[0]&1 != 0, true
}

// unhex reads lower-case hexadecimal.
func unhex(dst, b []byte) bool {
	for _, c := range b {
		if c >= 'A' && c <= 'F' {
			return false
		}
	}
	_, err := hex.Decode(dst, b)
	return err == nil
}

// printable reports whether a header's value is ASCII without control characters.
func printable(b []byte) bool {
	for _, c := range b {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

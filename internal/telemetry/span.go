package telemetry

import (
	"cmp"
	"net/url"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/aistrale/aistrale/storage"
)

// Fields of OTLP's messages, by their numbers.
const (
	scopeSpans = 2 // of ScopeSpans: a span

	spanTraceID    = 1
	spanID         = 2
	spanState      = 3
	spanParent     = 4
	spanName       = 5
	spanKind       = 6
	spanStart      = 7
	spanEnd        = 8
	spanAttributes = 9
	spanEvents     = 11
	spanStatus     = 15
	spanFlags      = 16

	eventTime       = 1
	eventName       = 2
	eventAttributes = 3

	statusMessage = 2
	statusCode    = 3
	statusError   = 2 // a value of statusCode
)

// Kinds of spans.
const (
	kindInternal = 1
	kindServer   = 2
	kindClient   = 3
)

// Flags of spans beside those of W3C.
const (
	flagSampled  = 0x1
	flagKnows    = 0x100 // whether the parent is another process's is known
	flagIsRemote = 0x200
)

// spansOf is how many spans appendSpans prints.
func spansOf(r *storage.Record) int { return 1 + len(r.Attempts) }

// appendSpans prints the record as spans: one for the request, one for each attempt.
func appendSpans(dst []byte, r *storage.Record) []byte {
	m, _ := appendSpansAt(dst, r)
	return m
}

// appendSpansAt gives, too, where the last of them was opened.
func appendSpansAt(dst []byte, r *storage.Record) (m message, last int) {
	last = len(dst)
	m = appendRequest(dst, r)
	for i := range r.Attempts {
		last = len(m)
		m = appendAttempt(m, r, i)
	}
	return m, last + protowire.SizeTag(scopeSpans)
}

// begin is what every span has; its attributes follow.
func (m message) begin(t *storage.Trace, id, parent storage.SpanID, kind uint64) message {
	m = m.bytes(spanTraceID, t.ID[:]).bytes(spanID, id[:]).text(spanState, t.State)
	flags := uint32(flagKnows)
	if t.Sampled {
		flags |= flagSampled
	}
	if parent != (storage.SpanID{}) {
		m = m.bytes(spanParent, parent[:])
		if id == t.Span && !t.Within {
			flags |= flagIsRemote
		}
	}
	return m.number(spanKind, kind).fixed32(spanFlags, flags)
}

func (m message) times(start, end time.Time) message {
	return m.fixed64(spanStart, uint64(start.UnixNano())).fixed64(spanEnd, uint64(end.UnixNano()))
}

func (m message) failed(why string) message {
	m, at := m.open(spanStatus)
	m = m.text(statusMessage, head(why, maxError)).number(statusCode, statusError)
	m.shut(at)
	return m
}

// event begins an event, whose attributes follow until its message is shut.
func (m message) event(name string, at time.Time) (attributes, int) {
	m, start := m.open(spanEvents)
	return attributes{m.fixed64(eventTime, uint64(at.UnixNano())).text(eventName, name), eventAttributes}, start
}

func (m message) plainEvent(name string, at time.Time) message {
	a, start := m.event(name, at)
	a.shut(start)
	return a.message
}

// appendRequest prints the span of the request itself.
func appendRequest(dst []byte, r *storage.Record) message {
	m, at := message(dst).open(scopeSpans)
	kind := uint64(kindServer)
	if r.Trace.Within {
		kind = kindInternal
	}
	m = m.begin(&r.Trace, r.Trace.Span, r.Trace.Parent, kind).times(r.Time, r.Time.Add(r.Duration))
	if r.Trace.Within {
		m = m.named(r.Op.String(), r.Model)
	} else {
		m = m.named(cmp.Or(r.Method, "HTTP"), r.Route)
	}
	a := attributes{m, spanAttributes}
	a.http(r)
	a.caller(r)
	a.outcome(r)
	m = appendEvents(a.message, r)
	if failed(r) {
		m = m.failed(r.Err)
	}
	m.shut(at)
	return m
}

// named puts a name of two parts, the second of which may be missing.
func (m message) named(first, second string) message {
	first, second = valid(head(first, maxName)), valid(head(second, maxName))
	if second == "" {
		return m.text(spanName, first)
	}
	m = protowire.AppendTag(m, spanName, protowire.BytesType)
	m = protowire.AppendVarint(m, uint64(len(first)+1+len(second)))
	return append(append(append(m, first...), ' '), second...)
}

// failed tells the requests whose span is an error: no refusal that is the client's own fault.
func failed(r *storage.Record) bool {
	switch r.Outcome {
	case storage.OutcomePanic, storage.OutcomeUpstreamError, storage.OutcomeBrokenStream, storage.OutcomeTimeout:
		return true
	default:
		return r.Status >= 500
	}
}

// appendEvents prints what happened to the request. What has no time of its own is told where the
// first attempt begins, which it came before, or at the end.
func appendEvents(m message, r *storage.Record) message {
	end := r.Time.Add(r.Duration)
	first := end
	if len(r.Attempts) > 0 {
		first = r.Attempts[0].Began
	}
	for i := range r.Considered {
		c := &r.Considered[i]
		switch c.Fate {
		case storage.FateBreaker, storage.FateCooling, storage.FateAside, storage.FateRefused:
			a, at := m.event(eventPassedOver, first)
			a.text(attrProvider, c.Provider)
			a.text(attrModel, c.Model)
			a.text(attrCredential, c.Credential)
			a.text(attrFate, string(c.Fate))
			a.text(attrFault, c.Fault)
			a.shut(at)
			m = a.message
		default: // an attempt's span tells of it, or it was not needed
		}
	}
	if r.Waited > 0 {
		a, at := m.event(eventWaited, first)
		a.double(attrWaited, r.Waited.Seconds())
		a.shut(at)
		m = a.message
	}
	for i := 1; i < len(r.Attempts); i++ {
		t := &r.Attempts[i]
		a, at := m.event(eventOf(r, i), t.Began)
		a.text(attrProvider, t.Provider)
		a.text(attrModel, t.Model)
		a.text(attrCredential, t.Credential)
		a.shut(at)
		m = a.message
	}
	if r.Outcome == storage.OutcomeCached {
		m = m.plainEvent(eventCached, end)
	}
	if r.FirstByte > 0 && r.Stream {
		m = m.plainEvent(eventFirstToken, r.Time.Add(r.FirstByte))
	}
	return m
}

// eventOf says what a further attempt is: a hedge, another try of a place, or a fallback to one.
func eventOf(r *storage.Record, i int) string {
	a := &r.Attempts[i]
	if a.Hedge {
		return eventHedge
	}
	for j := range r.Attempts {
		if o := &r.Attempts[j]; o.Began.Before(a.Began) && o.Provider == a.Provider && o.Model == a.Model && o.Credential == a.Credential {
			return eventRetry
		}
	}
	return eventFallback
}

// appendAttempt prints the span of one attempt.
func appendAttempt(m message, r *storage.Record, i int) message {
	t := &r.Attempts[i]
	m, at := m.open(scopeSpans)
	outcome, why, end := t.Outcome, t.Err, t.Began.Add(t.Duration)
	serves := i == len(r.Attempts)-1 && t.Outcome == storage.OutcomeOK
	if serves && (r.Stream || r.Outcome != storage.OutcomeOK) { // its answer went on
		outcome, why, end = r.Outcome, r.Err, r.Time.Add(r.Duration)
	}
	m = m.begin(&r.Trace, t.Span, r.Trace.Span, kindClient).times(t.Began, end)
	m = m.named(r.Op.String(), t.Model)
	a := attributes{m, spanAttributes}
	a.upstream(r, t, outcome)
	a.integer(attrAttempt, int64(i+1))
	if serves {
		a.answer(r, t)
	}
	m = a.message
	if t.Answered > 0 {
		m = m.plainEvent(eventHead, t.Began.Add(t.Answered))
	}
	if serves && r.Stream && r.FirstByte > 0 {
		m = m.plainEvent(eventFirstToken, r.Time.Add(r.FirstByte))
	}
	switch outcome {
	case storage.OutcomeOK, storage.OutcomeHedged, storage.OutcomeCached, storage.OutcomeDryRun, storage.OutcomeClientGone:
	default:
		m = m.failed(why)
	}
	m.shut(at)
	return m
}

// server gives the host and the port of a provider's address.
func server(baseURL string) (host string, port int64) {
	rest, secure := strings.CutPrefix(baseURL, "https://")
	if !secure {
		rest, _ = strings.CutPrefix(baseURL, "http://")
	}
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end]
	}
	u := url.URL{Host: rest[strings.LastIndexByte(rest, '@')+1:]}
	host, port = u.Hostname(), 80
	if secure {
		port = 443
	}
	if said := u.Port(); said != "" { // an error would be made for nothing
		if n, err := strconv.ParseInt(said, 10, 32); err == nil {
			port = n
		}
	}
	return host, port
}

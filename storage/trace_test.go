package storage

import "testing"

func TestTrace_Header(t *testing.T) {
	trace := Trace{ID: TraceID{0x4b, 15: 0x36}, Sampled: true}
	span := SpanID{0xf0, 7: 0xb7}
	if got, want := trace.Header(span), "00-4b000000000000000000000000000036-f0000000000000b7-01"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	trace.Sampled = false
	if got, want := trace.Header(span), "00-4b000000000000000000000000000036-f0000000000000b7-00"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestTrace_Inner(t *testing.T) {
	var none Trace
	if in := none.Inner(); in != none {
		t.Errorf("within no trace is %+v", in)
	}
	trace := Trace{ID: NewTraceID(), Span: NewSpanID(), Sampled: true, State: "a=b"}
	in := trace.Inner()
	if in.Span == trace.Span || in.Span == (SpanID{}) {
		t.Error("no span of its own")
	}
	in.Span = SpanID{}
	if want := (Trace{ID: trace.ID, Parent: trace.Span, Sampled: true, Within: true, State: "a=b"}); in != want {
		t.Errorf("%+v, want %+v", in, want)
	}
}

package anthropic_test

import (
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/anthropic"
)

const (
	usageSaid = `{"input_tokens":21,"cache_creation_input_tokens":188,"cache_read_input_tokens":5,"cache_creation":` +
		`{"ephemeral_5m_input_tokens":188,"ephemeral_1h_input_tokens":0},"output_tokens":97,"service_tier":"standard","inference_geo":"not_available"}`
	wholeSaid = `{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-5","content":[{"type":"text","text":"It is a quick brown fox."}],` +
		`"stop_reason":"end_turn","stop_sequence":null,"usage":` + usageSaid + `}`
	startSaid = `{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-5","content":[],` +
		`"stop_reason":null,"stop_sequence":null,"usage":` + usageSaid + `}}`
	blockSaid = `{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`
	deltaSaid = `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello, \"world\""}}`
)

// streaming gives a decoder with a text block under way.
func streaming() providers.Decoder {
	d := anthropic.Dialect{}.ReadReply(&providers.Call{Stream: true})
	d.Decode(nil, []byte(startSaid))
	d.Decode(nil, []byte(blockSaid))
	return d
}

// A delta is copied once, since its text lives on in the event; one with a quote in it is unescaped too.
func TestDecoder_DeltaAllocs(t *testing.T) {
	d, events, frame := streaming(), make([]providers.Event, 0, 4), []byte(deltaSaid)
	if n := testing.AllocsPerRun(100, func() {
		if events = d.Decode(events[:0], frame); len(events) != 1 || events[0].Text != `Hello, "world"` {
			t.Fatalf("%+v", events)
		}
	}); n > 2 {
		t.Errorf("%v allocations for a text delta, want 2 at most", n)
	}
}

func TestObserve_WholeAllocs(t *testing.T) {
	frame := []byte(wholeSaid)
	if n := testing.AllocsPerRun(100, func() {
		if seen := (anthropic.Dialect{}).Observe(frame); !seen.HasUsage || seen.Finish != "end_turn" {
			t.Fatalf("%+v", seen)
		}
	}); n > 5 {
		t.Errorf("%v allocations for a whole reply, want 5 at most", n)
	}
}

func BenchmarkObserve_whole(b *testing.B) {
	frame := []byte(wholeSaid)
	b.ReportAllocs()
	for b.Loop() {
		anthropic.Dialect{}.Observe(frame)
	}
}

func BenchmarkDecoder_delta(b *testing.B) {
	d, events, frame := streaming(), make([]providers.Event, 0, 4), []byte(deltaSaid)
	b.ReportAllocs()
	for b.Loop() {
		events = d.Decode(events[:0], frame)
	}
}

func BenchmarkDecoder_whole(b *testing.B) {
	events, frame := make([]providers.Event, 0, 16), []byte(wholeSaid)
	b.ReportAllocs()
	for b.Loop() {
		events = anthropic.Dialect{}.ReadReply(&providers.Call{}).Decode(events[:0], frame)
	}
}

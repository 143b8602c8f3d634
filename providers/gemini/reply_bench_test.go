package gemini_test

import (
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/gemini"
)

// delta is an event as the API streams them: a whole response each time.
const delta = `{"candidates":[{"content":{"parts":[{"text":" jumps over"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":12,"candidatesTokenCount":7,"totalTokenCount":19,"promptTokensDetails":[{"modality":"TEXT","tokenCount":12}]},"modelVersion":"gemini-2.5-flash","responseId":"mUx1aJvVB8uQ-sAP4J3t6A4"}`

func BenchmarkDecoder_delta(b *testing.B) {
	d, events, frame := (gemini.Dialect{}).ReadReply(&providers.Call{Op: providers.OpChat, Stream: true}), make([]providers.Event, 0, 4), []byte(delta)
	b.ReportAllocs()
	for b.Loop() {
		events = d.Decode(events[:0], frame)
	}
}

func BenchmarkObserve_delta(b *testing.B) {
	frame := []byte(delta)
	b.ReportAllocs()
	for b.Loop() {
		gemini.Dialect{}.Observe(frame)
	}
}

package catalog_test

import (
	"strings"
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/anthropic"
	"github.com/aistrale/aistrale/providers/bedrock"
	"github.com/aistrale/aistrale/providers/gemini"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/providers/responses"
)

// translation is one chat from OpenAI's words into another language, and its stream's piece back.
type translation struct {
	name     string
	dialect  providers.Dialect
	opening  []string
	delta    string
	request  float64 // allocations, at most
	perEvent float64
	observe  float64
	asksChat []byte
}

func translations() []translation {
	ask := []byte(`{"model":"m","stream":true,"messages":[{"role":"system","content":"You are a helpful assistant."},{"role":"user","content":"` +
		strings.Repeat("The quick brown fox. ", 8) + `"}],"temperature":0.7,"max_tokens":256}`)
	return []translation{
		{
			name: "anthropic", dialect: anthropic.Dialect{}, asksChat: ask, request: 28, perEvent: 1,
			opening: []string{
				`{"type":"message_start","message":{"id":"m","model":"m","usage":{"input_tokens":1,"output_tokens":1}}}`,
				`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`,
			},
			delta: `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" token"}}`,
		},
		{
			name: "gemini", dialect: gemini.Dialect{}, asksChat: ask, request: 31, perEvent: 1,
			delta: `{"candidates":[{"content":{"parts":[{"text":" token"}],"role":"model"},"index":0}],"modelVersion":"m","responseId":"r"}`,
		},
		{
			name: "openai", dialect: openai.Dialect{}, asksChat: ask, request: 34, perEvent: 3,
			delta: `{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":" token"},"finish_reason":null}]}`,
		},
		{
			name: "responses", dialect: responses.Dialect{}, asksChat: ask, request: 37, perEvent: 1,
			opening: []string{
				`{"type":"response.created","sequence_number":0,"response":{"id":"r","object":"response","status":"in_progress","model":"m","output":[]}}`,
				`{"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":{"id":"msg_1","type":"message","status":"in_progress","role":"assistant","content":[]}}`,
				`{"type":"response.content_part.added","sequence_number":2,"item_id":"msg_1","output_index":0,"content_index":0,"part":{"type":"output_text","text":"","annotations":[]}}`,
			},
			delta: `{"type":"response.output_text.delta","sequence_number":3,"item_id":"msg_1","output_index":0,"content_index":0,"delta":" token","logprobs":[]}`,
		},
		{
			name: "bedrock", dialect: bedrock.Dialect{}, asksChat: ask, request: 41, perEvent: 1, observe: 1,
			opening: []string{`{"messageStart":{"role":"assistant"}}`},
			delta:   `{"contentBlockDelta":{"contentBlockIndex":0,"delta":{"text":" token"}}}`,
		},
	}
}

func (tr *translation) say() (providers.Plan, error) {
	var doc providers.Document
	if err := doc.Scan(tr.asksChat, nil); err != nil {
		return providers.Plan{}, err
	}
	req, err := openai.Face{}.ReadRequest(&doc)
	if err != nil {
		return providers.Plan{}, err
	}
	return tr.dialect.WriteRequest(req, &providers.Call{Op: providers.OpChat, Doc: &doc, Model: "m", Stream: true})
}

// stream gives what says one piece of a stream that is under way.
func (tr *translation) stream() func() []byte {
	call := providers.Call{Op: providers.OpChat, Model: "m", Stream: true}
	decoder, writer := tr.dialect.ReadReply(&call), openai.Face{}.Writer(&call)
	var events []providers.Event
	var out []byte
	piece := func(frame []byte) []byte {
		out = out[:0]
		events = decoder.Decode(events[:0], frame)
		for i := range events {
			out = writer.Write(out, &events[i])
		}
		return out
	}
	for _, frame := range tr.opening {
		piece([]byte(frame))
	}
	delta := []byte(tr.delta)
	piece(delta)
	return func() []byte { return piece(delta) }
}

func TestTranslationAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector has pools drop what they keep")
	}
	for _, tr := range translations() {
		plan, err := tr.say()
		if err != nil || len(plan.Requests) != 1 || !strings.Contains(string(plan.Requests[0].Body), "quick brown fox") {
			t.Fatalf("%s: %+v, %v", tr.name, plan, err)
		}
		if n := testing.AllocsPerRun(100, func() { _, _ = tr.say() }); n > tr.request {
			t.Errorf("%s: %v allocations for a request, want %v at most", tr.name, n, tr.request)
		}
		next := tr.stream()
		if got := string(next()); !strings.Contains(got, `" token"`) {
			t.Fatalf("%s: %q", tr.name, got)
		}
		if n := testing.AllocsPerRun(100, func() { next() }); n > tr.perEvent {
			t.Errorf("%s: %v allocations for an event, want %v at most", tr.name, n, tr.perEvent)
		}
		delta := []byte(tr.delta)
		if n := testing.AllocsPerRun(100, func() { tr.dialect.Observe(delta) }); n > tr.observe {
			t.Errorf("%s: %v allocations to look at an event without usage, want %v at most", tr.name, n, tr.observe)
		}
	}
}

func BenchmarkTranslate(b *testing.B) {
	for _, tr := range translations() {
		b.Run(tr.name+"/request", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = tr.say()
			}
		})
		b.Run(tr.name+"/event", func(b *testing.B) {
			next := tr.stream()
			b.ReportAllocs()
			for b.Loop() {
				next()
			}
		})
		b.Run(tr.name+"/observe", func(b *testing.B) {
			delta := []byte(tr.delta)
			b.ReportAllocs()
			for b.Loop() {
				tr.dialect.Observe(delta)
			}
		})
	}
}

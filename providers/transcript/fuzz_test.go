package transcript_test

import (
	"encoding/json"
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/anthropic"
	"github.com/aistrale/aistrale/providers/gemini"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/providers/responses"
	"github.com/aistrale/aistrale/providers/transcript"
)

// Whatever is read, as a request or an answer of any language, is told as arrays in JSON, or not at all.
func FuzzTranscript(f *testing.F) {
	f.Add([]byte(`{"model":"m","messages":[{"role":"system","content":"a"},{"role":"user","content":[{"type":"text","text":"b\u0000"}]},{"role":"assistant","tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{"}}]}]}`))
	f.Add([]byte(`{"model":"m","max_tokens":1,"system":"a","messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"1","content":"x"}]}]}`))
	f.Add([]byte(`{"contents":[{"parts":[{"text":"a"},{"functionCall":{"name":"f","args":{"b":1}}}]}],"systemInstruction":{"parts":[{"text":"s"}]}}`))
	f.Add([]byte(`{"model":"m","input":[{"role":"user","content":"a"},{"type":"function_call_output","call_id":"1","output":"o"}],"instructions":"i"}`))
	f.Add([]byte(`{"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}`))
	f.Add([]byte(`{"type":"message","id":"m","role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"s"},{"type":"text","text":"b"}],"stop_reason":"end_turn"}`))
	f.Add([]byte(`{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}]}`))
	faces := []providers.Face{openai.Face{}, anthropic.Face{}, gemini.Face{}, responses.Face{}}
	dialects := []providers.Dialect{openai.Dialect{}, anthropic.Dialect{}, gemini.Dialect{}, responses.Dialect{}}
	f.Fuzz(func(t *testing.T, body []byte) {
		told := func(parts ...[]byte) {
			for _, said := range parts {
				if said != nil && (!json.Valid(said) || said[0] != '[') {
					t.Errorf("%q is told as %s", body, said)
				}
			}
		}
		doc := &providers.Document{}
		if doc.Scan(body, nil) != nil {
			return
		}
		for _, face := range faces {
			if hub, err := face.ReadRequest(doc); err == nil {
				told(transcript.Asked(hub))
			}
		}
		for _, d := range dialects {
			told(transcript.Answered(d.ReadReply(&providers.Call{Op: providers.OpChat, Doc: doc}), body))
		}
	})
}

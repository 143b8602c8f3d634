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

const (
	weatherSaid = `[{"type":"text","content":"Be brief."}]`
	weatherTold = `[{"role":"user","parts":[{"type":"text","content":"Rain in \"Kyiv\"?"}]},` +
		`{"role":"assistant","parts":[{"type":"tool_call","id":"c1","name":"weather","arguments":{"city":"Kyiv"}}]},` +
		`{"role":"tool","parts":[{"type":"tool_call_response","id":"c1","response":"dry"}]}]`
)

// The same dialogue is the same in each of the four languages.
func TestAsked(t *testing.T) {
	f := func(name string, face providers.Face, body, wantSystem, wantInput string) {
		t.Helper()
		doc := &providers.Document{}
		if err := doc.Scan([]byte(body), nil); err != nil {
			t.Fatal(err)
		}
		hub, err := face.ReadRequest(doc)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		system, input := transcript.Asked(hub)
		if string(system) != wantSystem {
			t.Errorf("%s: the instructions are\n%s, want\n%s", name, system, wantSystem)
		}
		if string(input) != wantInput {
			t.Errorf("%s: the dialogue is\n%s, want\n%s", name, input, wantInput)
		}
		if len(input) > 0 && !json.Valid(input) {
			t.Errorf("%s: %s is no JSON", name, input)
		}
	}
	f("chat", openai.Face{}, `{"model":"m","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Rain in \"Kyiv\"?"},
		{"role":"assistant","tool_calls":[{"id":"c1","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Kyiv\"}"}}]},
		{"role":"tool","tool_call_id":"c1","content":"dry"}]}`, weatherSaid, weatherTold)
	f("responses", responses.Face{}, `{"model":"m","instructions":"Be brief.","input":[{"role":"user","content":"Rain in \"Kyiv\"?"},
		{"type":"function_call","call_id":"c1","name":"weather","arguments":"{\"city\":\"Kyiv\"}"},{"type":"function_call_output","call_id":"c1","output":"dry"}]}`, weatherSaid, weatherTold)
	f("messages", anthropic.Face{}, `{"model":"m","max_tokens":9,"system":"Be brief.","messages":[{"role":"user","content":"Rain in \"Kyiv\"?"},
		{"role":"assistant","content":[{"type":"tool_use","id":"c1","name":"weather","input":{"city":"Kyiv"}}]},
		{"role":"user","content":[{"type":"tool_result","tool_use_id":"c1","content":"dry"}]}]}`, weatherSaid, weatherTold)
	f("gemini", gemini.Face{}, `{"systemInstruction":{"parts":[{"text":"Be brief."}]},"contents":[{"role":"user","parts":[{"text":"Hello"}]}]}`,
		weatherSaid, `[{"role":"user","parts":[{"type":"text","content":"Hello"}]}]`)
	f("pictures", openai.Face{}, `{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x.test/a.png"}},
		{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]}]}`,
		"", `[{"role":"user","parts":[{"type":"uri","modality":"image","uri":"https://x.test/a.png"},{"type":"blob","modality":"image","mime_type":"image/png","content":""}]}]`)
	f("instructions", openai.Face{}, `{"model":"m","messages":[{"role":"developer","content":"Be brief."}]}`, weatherSaid, "")
}

func TestAnswered(t *testing.T) {
	f := func(name string, d providers.Dialect, reply, want string) {
		t.Helper()
		if got := string(transcript.Answered(d.ReadReply(&providers.Call{Op: providers.OpChat}), []byte(reply))); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	f("text", openai.Dialect{}, `{"id":"1","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"It is dry."},"finish_reason":"stop"}]}`,
		`[{"role":"assistant","parts":[{"type":"text","content":"It is dry."}],"finish_reason":"stop"}]`)
	f("two", openai.Dialect{}, `{"id":"1","model":"m","choices":[{"index":1,"message":{"role":"assistant","content":"b"},"finish_reason":"length"},{"index":0,"message":{"role":"assistant","content":"a"},"finish_reason":"stop"}]}`,
		`[{"role":"assistant","parts":[{"type":"text","content":"a"}],"finish_reason":"stop"},{"role":"assistant","parts":[{"type":"text","content":"b"}],"finish_reason":"length"}]`)
	f("call", anthropic.Dialect{}, `{"id":"1","type":"message","role":"assistant","model":"m","content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"text","text":"Let me look."},{"type":"tool_use","id":"c1","name":"weather","input":{"city":"Kyiv"}}],"stop_reason":"tool_use","usage":{"input_tokens":1,"output_tokens":1}}`,
		`[{"role":"assistant","parts":[{"type":"reasoning","content":"hm"},{"type":"text","content":"Let me look."},{"type":"tool_call","id":"c1","name":"weather","arguments":{"city":"Kyiv"}}],"finish_reason":"tool_call"}]`)
	f("nothing", openai.Dialect{}, `{"error":{"message":"no"}}`, "")
}

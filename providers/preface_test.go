package providers_test

import (
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/catalog"
)

// said is what a stored prompt says in these tests.
func said() []providers.Message {
	return []providers.Message{
		{Role: providers.RoleSystem, Text: `Be "brief".`},
		{Role: providers.RoleUser, Text: "Hi\n"},
		{Role: providers.RoleAssistant, Text: "Hello."},
	}
}

func TestPreface(t *testing.T) {
	f := func(path, body, want string) {
		t.Helper()
		if got := prefaced(t, path, body, said()); got != want {
			t.Errorf("%s %s:\n%s\nwant\n%s", path, body, got, want)
		}
	}
	const chat = `{"role":"system","content":"Be \"brief\"."},{"role":"user","content":"Hi\n"},{"role":"assistant","content":"Hello."}`
	f("/v1/chat/completions", `{"model":"m"}`, `{"model":"m","messages":[`+chat+`]}`)
	f("/v1/chat/completions", `{"messages":null}`, `{"messages":[`+chat+`]}`)
	f("/v1/chat/completions", `{"messages": [ ] }`, `{"messages": [`+chat+`] }`)
	f("/v1/chat/completions", `{"messages": [ {"role":"user","content":"x"} ], "n":1}`, `{"messages": [`+chat+`,{"role":"user","content":"x"} ], "n":1}`)
	f("/v1/chat/completions", `{"messages":"x"}`, "messages")

	f("/v1/responses", `{"model":"m"}`, `{"model":"m","input":[`+chat+`]}`)
	f("/v1/responses", `{"input":"x\u0041"}`, `{"input":[`+chat+`,{"role":"user","content":"x\u0041"}]}`)
	f("/v1/responses/input_tokens", `{"input":[{"type":"item_reference","id":"msg_1"}]}`, `{"input":[`+chat+`,{"type":"item_reference","id":"msg_1"}]}`)
	f("/v1/responses", `{"input":{}}`, "input")

	const dialogue = `{"role":"user","content":"Hi\n"},{"role":"assistant","content":"Hello."}`
	const system = `{"type":"text","text":"Be \"brief\"."}`
	f("/anthropic/v1/messages", `{}`, `{"messages":[`+dialogue+`],"system":[`+system+`]}`)
	f("/anthropic/v1/messages", `{"system":"x","messages":[{"role":"user","content":"y"}]}`,
		`{"system":[`+system+`,{"type":"text","text":"x"}],"messages":[`+dialogue+`,{"role":"user","content":"y"}]}`)
	f("/anthropic/v1/messages/count_tokens", `{"system":[{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}]}`,
		`{"system":[`+system+`,{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}],"messages":[`+dialogue+`]}`)
	f("/anthropic/v1/messages", `{"system":1}`, "system")

	const contents = `{"role":"user","parts":[{"text":"Hi\n"}]},{"role":"model","parts":[{"text":"Hello."}]}`
	const part = `{"text":"Be \"brief\"."}`
	f("/gemini/v1beta/models/{model}:generateContent", `{}`, `{"contents":[`+contents+`],"systemInstruction":{"parts":[`+part+`]}}`)
	f("/gemini/v1/models/{model}:streamGenerateContent", `{"system_instruction":{"parts":{"text":"x"}},"contents":[{"parts":[{"text":"y"}]}]}`,
		`{"system_instruction":{"parts":[`+part+`,{"text":"x"}]},"contents":[`+contents+`,{"parts":[{"text":"y"}]}]}`)
	f("/gemini/v1/models/{model}:generateContent", `{"systemInstruction":"x"}`, "systemInstruction")
}

// Where a prompt has no instructions, or nothing else, the client's own stay as they are.
func TestPrefaceOfOneKind(t *testing.T) {
	user, system := []providers.Message{{Role: providers.RoleUser, Text: "a"}}, []providers.Message{{Role: providers.RoleDeveloper, Text: "b"}}
	f := func(path, body string, before []providers.Message, want string) {
		t.Helper()
		if got := prefaced(t, path, body, before); got != want {
			t.Errorf("%s %s:\n%s\nwant\n%s", path, body, got, want)
		}
	}
	f("/anthropic/v1/messages", `{"system":"x"}`, user, `{"system":"x","messages":[{"role":"user","content":"a"}]}`)
	f("/anthropic/v1/messages", `{"messages":[{"role":"user","content":"y"}]}`, system,
		`{"messages":[{"role":"user","content":"y"}],"system":[{"type":"text","text":"b"}]}`)
	f("/gemini/v1/models/{model}:generateContent", `{"contents":[{"parts":[]}]}`, system, `{"contents":[{"parts":[]}],"systemInstruction":{"parts":[{"text":"b"}]}}`)
	f("/v1/chat/completions", `{}`, system, `{"messages":[{"role":"developer","content":"b"}]}`)
}

// prefaced gives the body with messages before it; where it is refused, the name of the member.
func prefaced(t *testing.T, path, body string, before []providers.Message) string {
	t.Helper()
	for _, s := range catalog.Surfaces() {
		for _, at := range s.Endpoints {
			if s.Prefix+at.Path != path || at.Preface == nil {
				continue
			}
			var doc providers.Document
			if err := doc.Scan([]byte(body), nil); err != nil {
				t.Fatal(err)
			}
			edits, err := at.Preface(&doc, before)
			if refused, ok := err.(*providers.Fault); ok { //nolint:errorlint // as it is given
				return refused.Param
			}
			out := doc.Splice(nil, edits...)
			if err := doc.Scan(out, nil); err != nil {
				t.Errorf("%s %s: %s: %v", path, body, out, err)
			}
			return string(out)
		}
	}
	t.Fatalf("nothing at %s takes a prompt", path)
	return ""
}

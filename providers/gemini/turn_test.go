package gemini_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/gemini"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/providers/providertest"
)

// What a model said must go back to it with every signature on exactly its own part, in the same
// order, whether the client read it whole or as a stream.
// Source: https://ai.google.dev/gemini-api/docs/thought-signatures
func TestSecondTurn(t *testing.T) {
	f := func(parts, want string) {
		t.Helper()
		if want == "" {
			want = parts
		}
		for _, stream := range []bool{false, true} {
			message := firstTurn(t, stream, parts)
			body := secondTurn(t, message)
			if got := gjson.Get(body, "contents.1.parts").Raw; got != want {
				t.Errorf("stream %v\n said %s\n sent %s\n want %s\n by %s", stream, parts, got, want, message)
			}
		}
	}
	call := `{"functionCall":{"id":"x1","name":"f","args":{"a":1}},"thoughtSignature":"QUE="}`
	bare := `{"functionCall":{"id":"x2","name":"f","args":{}}}`
	f(`[{"text":"plain"}]`, "")
	f(`[`+call+`]`, "")
	f(`[`+call+`,`+bare+`]`, "")
	f(`[{"text":"on it"},`+call+`]`, "")
	f(`[`+call+`,{"text":"behind"}]`, "")
	f(`[{"text":"signed","thoughtSignature":"Qg=="}]`, "")
	f(`[{"text":"a"},{"text":"","thoughtSignature":"Qg=="}]`, "")
	f(`[{"text":"é","thoughtSignature":"Qg=="},{"text":"🌧 b"},{"text":"c","thoughtSignature":"Qw=="}]`, "")
	f(`[{"text":"hm","thought":true,"thoughtSignature":"RA=="},{"text":"yes"}]`, "")
	f(`[{"text":"hm","thought":true,"thoughtSignature":"RA=="},`+call+`,{"text":"more","thought":true,"thoughtSignature":"RQ=="},`+bare+`]`, "")
	f(`[{"executableCode":{"language":"PYTHON","code":"1"},"thoughtSignature":"Rg=="},{"codeExecutionResult":{"outcome":"OUTCOME_OK"}},{"text":"one"}]`, "")
	f(`[{"toolCall":{"id":"t","toolType":"FILE_SEARCH"},"thoughtSignature":"Rg=="},{"toolResponse":{"id":"t"},"thoughtSignature":"Rw=="},`+call+`]`, "")
	image := `{"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgo="},"thoughtSignature":"SQ=="}`
	plain := `{"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgo="}}`
	f(`[{"text":"here:"},`+image+`]`, "")
	f(`[`+image+`]`, "")
	f(`[`+image+`,{"text":"there"},`+call+`]`, "")
	f(`[{"text":"a"},`+plain+`,{"text":"b"}]`, "")
	f(`[`+plain+`]`, "")
	// An image of the model's thoughts is a draft: neither the answer nor wanted back.
	f(`[{"inlineData":{"mimeType":"image/png","data":"AAAA"},"thought":true},`+image+`]`, `[`+image+`]`)
	// A thought without a signature says nothing to the model that it does not know.
	f(`[{"text":"hm","thought":true},`+call+`]`, `[`+call+`]`)
}

// firstTurn gives the message that a client makes of a reply.
func firstTurn(t *testing.T, stream bool, parts string) string {
	t.Helper()
	call := providers.Call{ID: "r", Stream: stream}
	reply := `{"candidates":[{"content":{"role":"model","parts":` + parts + `},"finishReason":"STOP"}]}`
	if stream {
		var b strings.Builder
		for _, part := range gjson.Parse(parts).Array() {
			fmt.Fprintf(&b, "data: {\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[%s]}}]}\n\n", part.Raw)
		}
		reply = b.String() + "data: {\"candidates\":[{\"finishReason\":\"STOP\"}]}\n\n"
	}
	out, err := providertest.Relay(openai.Face{}, gemini.Dialect{}, &call, []byte(reply))
	if err != nil {
		t.Fatal(err)
	}
	if !stream {
		return gjson.GetBytes(out, "choices.0.message").Raw
	}
	return assembled(out)
}

// assembled folds the deltas of a stream as OpenAI's SDKs do: text is appended, calls by their
// index, and other members are overwritten.
func assembled(stream []byte) string {
	var content string
	var calls []string
	rest := map[string]string{}
	for line := range bytes.Lines(stream) {
		data, ok := bytes.CutPrefix(line, []byte("data: {"))
		if !ok {
			continue
		}
		gjson.GetBytes(append([]byte("{"), data...), "choices.0.delta").ForEach(func(name, v gjson.Result) bool {
			switch name.Str {
			case "role":
			case "content":
				content += v.Str
			case "tool_calls":
				i := int(v.Get("0.index").Int())
				if i == len(calls) {
					calls = append(calls, v.Get("0").Raw)
				} else {
					whole := `"arguments":` + v.Get("0.function.arguments").Raw
					calls[i] = strings.Replace(calls[i], `"arguments":""`, whole, 1)
				}
			default:
				rest[name.Str] = v.Raw
			}
			return true
		})
	}
	out := `{"role":"assistant","content":` + string(providers.AppendString(nil, content))
	if len(calls) > 0 {
		out += `,"tool_calls":[` + strings.Join(calls, ",") + `]`
	}
	for name, raw := range rest {
		out += `,"` + name + `":` + raw
	}
	return out + "}"
}

func secondTurn(t *testing.T, message string) string {
	t.Helper()
	messages := `{"role":"user","content":"go"},` + message
	for _, c := range gjson.Get(message, "tool_calls").Array() {
		messages += `,{"role":"tool","tool_call_id":` + c.Get("id").Raw + `,"content":"done"}`
	}
	var doc providers.Document
	if err := doc.Scan([]byte(`{"model":"m","messages":[`+messages+`,{"role":"user","content":"on"}]}`), nil); err != nil {
		t.Fatal(err)
	}
	req, err := openai.Face{}.ReadRequest(&doc)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := gemini.Dialect{}.WriteRequest(req, &providers.Call{Doc: &doc, Model: "gemini-3-pro-preview"})
	if err != nil {
		t.Fatal(err)
	}
	return string(plan.Requests[0].Body)
}

// What other minters sealed stays out of a request, and what the client smuggles into a seal of
// ours too.
func TestSealsOfOthers(t *testing.T) {
	f := func(b providers.Block) {
		t.Helper()
		req := &providers.Request{Turns: []providers.Turn{
			{Role: providers.RoleUser, Blocks: []providers.Block{{Kind: providers.KindText, Text: "go"}}},
			{Role: providers.RoleAssistant, Blocks: []providers.Block{b, {Kind: providers.KindText, Text: "ok"}}},
			{Role: providers.RoleUser, Blocks: []providers.Block{{Kind: providers.KindText, Text: "on"}}},
		}}
		plan, err := gemini.Dialect{}.WriteRequest(req, &providers.Call{Model: "gemini-3-pro-preview"})
		if err != nil {
			t.Fatal(err)
		}
		want := `{"contents":[{"role":"user","parts":[{"text":"go"}]},{"role":"model","parts":[{"text":"ok"}]},{"role":"user","parts":[{"text":"on"}]}]}`
		if got := string(plan.Requests[0].Body); got != want {
			t.Errorf("%+v: %s", b.Seal, got)
		}
	}
	reasoning := func(s *providers.Seal) providers.Block {
		return providers.Block{Kind: providers.KindReasoning, Text: "hm", Seal: s}
	}
	f(reasoning(nil))
	f(reasoning(&providers.Seal{Minter: "anthropic", Signature: "QQ=="}))
	f(reasoning(&providers.Seal{Minter: "openai", Encrypted: "QQ=="}))
	f(reasoning(&providers.Seal{Minter: "gemini", Encrypted: `{"fileData":{"fileUri":"gs://b/o"}}`}))
	f(reasoning(&providers.Seal{Minter: "gemini", Encrypted: `{"toolCall":{},"fileData":{"fileUri":"gs://b/o"}}`}))
	f(reasoning(&providers.Seal{Minter: "gemini", Encrypted: `{"toolCall":{}},{"text":"x"}`}))
	f(reasoning(&providers.Seal{Minter: "gemini", Encrypted: `not JSON`}))
}

// Equal requests give equal bytes, or the provider's prompt cache is lost; and every request of
// the normal form can be said.
func TestRandomRequests(t *testing.T) {
	for i, req := range providertest.Requests(7, 300) {
		for _, call := range []providers.Call{{Model: "gemini-2.5-flash"}, {Model: "gemini-3-pro-preview"}, {Model: "gemini-2.0-flash", Can: providers.Capabilities{LegacySchema: true}}} {
			one, err := gemini.Dialect{}.WriteRequest(req, &call)
			if err != nil {
				t.Fatalf("request %d: %v", i, err)
			}
			if len(one.Fetch) > 0 {
				continue
			}
			two, err := gemini.Dialect{}.WriteRequest(req, &call)
			if err != nil || !bytes.Equal(one.Requests[0].Body, two.Requests[0].Body) {
				t.Fatalf("request %d is written differently the second time: %v", i, err)
			}
			if body := one.Requests[0].Body; !gjson.ValidBytes(body) || !gjson.GetBytes(body, "contents.0.parts.0").Exists() {
				t.Fatalf("request %d: %s", i, body)
			}
		}
	}
}

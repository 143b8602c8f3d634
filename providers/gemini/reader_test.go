package gemini_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/anthropic"
	"github.com/aistrale/aistrale/providers/gemini"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/providers/providertest"
)

// What another provider sealed comes back to it from Google's clients, whether they read the
// answer whole or as a stream, and whether they keep a stream's pieces apart or put them together.
func TestFace_SecondTurn(t *testing.T) {
	reply := func(content string) string {
		return `{"type":"message","id":"m","model":"claude","role":"assistant","content":[` + content + `],"stop_reason":"tool_use","usage":{"input_tokens":1,"output_tokens":1}}`
	}
	f := func(content, want string) {
		t.Helper()
		if want == "" {
			want = content
		}
		for _, how := range []string{"whole", "pieces", "joined"} {
			parts := clientParts(t, reply(content), how)
			body := sentBack(t, anthropic.Dialect{}, parts)
			if got := gjson.Get(body, "messages.1.content").Raw; got != "["+want+"]" {
				t.Errorf("%s\n said [%s]\n sent %s\n want [%s]\n by %s", how, content, got, want, parts)
			}
		}
	}
	thought := `{"type":"thinking","thinking":"Oslo is cold, é.","signature":"c2ln"}`
	hidden := `{"type":"redacted_thinking","data":"cmVk"}`
	call := `{"type":"tool_use","id":"toolu_1","name":"f","input":{"a":1}}`
	another := `{"type":"tool_use","id":"toolu_2","name":"f","input":{}}`
	text := `{"type":"text","text":"Looking."}`
	f(text, "")
	f(thought+","+text, "")
	f(thought+","+call, "")
	f(thought+","+text+","+call+","+another, "")
	f(hidden+","+thought+","+hidden+","+call, "")
	f(thought+","+call+","+strings.Replace(thought, "Oslo", "Rome", 1)+","+another, "")
	f(`{"type":"thinking","thinking":"","signature":"c2ln"},`+call, "")
	f(text+`,{"type":"text","text":" On."},`+call, `{"type":"text","text":"Looking. On."},`+call)
}

// clientParts gives the contents that a client keeps of a reply.
func clientParts(t *testing.T, reply, how string) string {
	t.Helper()
	call := providers.Call{ID: "r", Asked: "a/b", Stream: how != "whole"}
	body := reply
	if call.Stream {
		body = streamed(reply)
	}
	out, err := providertest.Relay(gemini.Face{}, anthropic.Dialect{}, &call, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	if how == "whole" {
		return gjson.GetBytes(out, "candidates.0.content").Raw
	}
	var contents, parts []string
	for line := range strings.SplitSeq(string(out), "\r\n\r\n") {
		content := gjson.Get(strings.TrimPrefix(line, "data: "), "candidates.0.content")
		if content.Exists() {
			contents = append(contents, content.Raw)
			parts = append(parts, strings.Trim(content.Get("parts").Raw, "[]"))
		}
	}
	if how == "pieces" {
		return strings.Join(contents, ",")
	}
	return `{"role":"model","parts":[` + strings.Join(parts, ",") + `]}`
}

// streamed plays a whole message of Anthropic's as a stream.
func streamed(message string) string {
	var b strings.Builder
	event := func(format string, args ...any) { fmt.Fprintf(&b, "data: "+format+"\n\n", args...) }
	event(`{"type":"message_start","message":{"id":"m","model":"claude","usage":{"input_tokens":1,"output_tokens":1}}}`)
	for i, c := range gjson.Get(message, "content").Array() {
		delta := func(said string) { event(`{"type":"content_block_delta","index":%d,"delta":%s}`, i, said) }
		start := c.Raw
		switch c.Get("type").Str {
		case "text":
			start = `{"type":"text","text":""}`
		case "thinking":
			start = `{"type":"thinking","thinking":"","signature":""}`
		case "tool_use":
			start = strings.Replace(c.Raw, c.Get("input").Raw, "{}", 1)
		}
		event(`{"type":"content_block_start","index":%d,"content_block":%s}`, i, start)
		switch c.Get("type").Str {
		case "text":
			for _, r := range c.Get("text").Str {
				delta(`{"type":"text_delta","text":` + string(providers.AppendString(nil, string(r))) + `}`)
			}
		case "thinking":
			for _, r := range c.Get("thinking").Str {
				delta(`{"type":"thinking_delta","thinking":` + string(providers.AppendString(nil, string(r))) + `}`)
			}
			delta(`{"type":"signature_delta","signature":` + c.Get("signature").Raw + `}`)
		case "tool_use":
			delta(`{"type":"input_json_delta","partial_json":` + string(providers.AppendString(nil, c.Get("input").Raw)) + `}`)
		}
		event(`{"type":"content_block_stop","index":%d}`, i)
	}
	event(`{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":1}}`)
	event(`{"type":"message_stop"}`)
	return b.String()
}

// sentBack gives what an upstream is sent of a second turn that answers all calls.
func sentBack(t *testing.T, dialect providers.Dialect, contents string) string {
	t.Helper()
	var answers []string
	for _, c := range gjson.Get("["+contents+"]", "#.parts.#.functionCall").Array() {
		for _, one := range c.Array() {
			answers = append(answers, `{"functionResponse":{"id":`+one.Get("id").Raw+`,"name":"f","response":{"output":"12"}}}`)
		}
	}
	answers = append(answers, `{"text":"on"}`)
	body := `{"contents":[{"role":"user","parts":[{"text":"go"}]},` + contents + `,{"role":"user","parts":[` + strings.Join(answers, ",") + `]}]}`
	var doc providers.Document
	if err := doc.Scan([]byte(body), nil); err != nil {
		t.Fatal(err)
	}
	req, err := gemini.Face{}.ReadRequest(&doc)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := dialect.WriteRequest(req, &providers.Call{Doc: &doc, Model: "claude-sonnet-4-5"})
	if err != nil {
		t.Fatal(err)
	}
	return string(plan.Requests[0].Body)
}

// A number may stand in a string, as the API's JSON has it, and is one that other languages know.
func TestFace_Numbers(t *testing.T) {
	f := func(value, want string) {
		t.Helper()
		var doc providers.Document
		if err := doc.Scan([]byte(`{"contents":[{"parts":[{"text":"hi"}]}],"generationConfig":{"temperature":`+value+`}}`), nil); err != nil {
			t.Fatal(err)
		}
		_, err := gemini.Face{}.ReadRequest(&doc)
		var fault *providers.Fault
		if errors.As(err, &fault) != (want != "") || want != "" && fault.Message != "Invalid value at 'generationConfig.temperature': "+want {
			t.Errorf("%s: %v, want %q", value, err, want)
		}
	}
	f("0.5", "")
	f(`"0.5"`, "")
	f(`"warm"`, "expected a number.")
	f("1e400", "expected a finite number.")
	f(`"-Infinity"`, "expected a finite number.")
	f(`"NaN"`, "expected a finite number.")
}

// A client that changed what was thought loses the seal, not the request.
func TestFace_ChangedThought(t *testing.T) {
	parts := clientParts(t, `{"type":"message","id":"m","content":[{"type":"thinking","thinking":"Hm.","signature":"c2ln"},{"type":"text","text":"So."}],"stop_reason":"end_turn"}`, "whole")
	changed := strings.Replace(parts, "Hm.", "Hm, no.", 1)
	if changed == parts {
		t.Fatalf("no thought in %s", parts)
	}
	body := sentBack(t, anthropic.Dialect{}, changed)
	if got := gjson.Get(body, "messages.1.content").Raw; got != `[{"type":"text","text":"So."}]` {
		t.Errorf("sent %s", got)
	}
}

// Whatever bytes come, the reader ends with a request or a refusal, and both can be said.
func FuzzReadRequest(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "faces", "*", "*", "request.json"))
	if err != nil || len(files) == 0 {
		f.Fatal("no requests to begin with")
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		providertest.Stable(t, gemini.Face{}, gemini.Dialect{}, raw)
		var doc providers.Document
		if doc.Scan(raw, nil) != nil {
			return
		}
		req, err := gemini.Face{}.ReadRequest(&doc)
		if err != nil {
			var fault *providers.Fault
			if !errors.As(err, &fault) || fault.Message == "" {
				t.Fatalf("not a fault: %v", err)
			}
			if _, body := (gemini.Face{}).Refuse(fault); !gjson.ValidBytes(body) {
				t.Fatalf("refused with %s", body)
			}
			return
		}
		for _, d := range []providers.Dialect{openai.Dialect{}, anthropic.Dialect{}} {
			plan, err := d.WriteRequest(req, &providers.Call{Doc: &doc, Model: "m"})
			if err == nil && len(plan.Fetch) == 0 && !gjson.ValidBytes(plan.Requests[0].Body) {
				t.Fatalf("sent %s", plan.Requests[0].Body)
			}
		}
		if plan, err := (gemini.Dialect{}).Splice(&providers.Call{Doc: &doc, Model: "m", Clamp: 100}); err == nil && !gjson.ValidBytes(plan.Requests[0].Body) {
			t.Fatalf("spliced %s", plan.Requests[0].Body)
		}
	})
}

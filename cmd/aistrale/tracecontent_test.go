package main_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
)

const toldKey = "sk-ais-toldkey1-0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"

// What a key asks and is answered stands on its spans, redacted, where the key and the operator want
// that, and nowhere else.
func TestTracing_Content(t *testing.T) {
	t.Parallel()
	to := collects(t)
	by := startCollector(t, to)
	keys := `  - {name: told, key: ` + toldKey + `, payloads: {spans: true, request: true, response: true, max_bytes: 512}}
tracing: {endpoint: "http://` + by.http + `", content: `
	r := start(t, keys+"true}\n")
	ask := func(path, body string) string {
		t.Helper()
		req, err := http.NewRequest(http.MethodPost, r.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("authorization", "Bearer "+toldKey)
		req.Header.Set("anthropic-version", "2023-06-01")
		status, header, answer := do(t, req)
		if status != http.StatusOK {
			t.Fatalf("%s: %d %s", path, status, answer)
		}
		return header.Get("x-request-id")
	}
	const said = `"messages":[{"role":"user","content":"write to ada@example.com"}]`
	for name, id := range map[string]string{
		"whole":    ask(chatPath, `{"model":"mock/gpt",`+said+`}`),
		"stream":   ask(chatPath, `{"model":"mock/gpt","stream":true,`+said+`}`),
		"told on":  ask(chatPath, `{"model":"mock/claude","stream":true,`+said+`}`),
		"messages": ask("/anthropic/v1/messages", `{"model":"mock/gemini","max_tokens":100,"system":"Be brief.",`+said+`}`),
	} {
		request, attempts := to.request(t, id)
		if attribute(request, "gen_ai.input.messages") != "" || len(attempts) != 1 {
			t.Fatalf("%s: the request is %v", name, request)
		}
		input, output := attribute(attempts[0], "gen_ai.input.messages"), attribute(attempts[0], "gen_ai.output.messages")
		if want := `[{"role":"user","parts":[{"type":"text","content":"write to [redacted:email]"}]}]`; input != want {
			t.Errorf("%s: the input is %s, omitted %q", name, input, attribute(attempts[0], "aistrale.content.omitted"))
		}
		if text := gjson.Get(output, "0.parts.0.content").Str; !strings.Contains(text, "write to [redacted:email]") || gjson.Get(output, "0.finish_reason").Str != "stop" {
			t.Errorf("%s: the output is %s", name, output)
		}
		if got := attribute(attempts[0], "gen_ai.system_instructions"); (got != "") != (name == "messages") {
			t.Errorf("%s: the instructions are %s", name, got)
		}
	}
	_, attempts := to.request(t, ask(chatPath, `{"model":"mock/gpt","messages":[{"role":"user","content":"`+strings.Repeat("long ", 200)+`"}]}`))
	if got := attribute(attempts[0], "gen_ai.input.messages"); attribute(attempts[0], "aistrale.content.truncated") != "true" || !gjson.Valid(got) || len(got) > 600 {
		t.Errorf("cut, the input is %d bytes: %s", len(got), got)
	}
	to.request(t, r.call(t, "mock/gpt", "", http.StatusOK)) // another key
	r.stop(t)
	r = start(t, keys+"false}\n")
	_, attempts = to.request(t, ask(chatPath, `{"model":"mock/gpt",`+said+`}`))
	if got := attribute(attempts[0], "gen_ai.input.messages"); got != "" {
		t.Errorf("without tracing.content the input is %s", got)
	}
	to.mu.Lock()
	defer to.mu.Unlock()
	if text := to.raw.String(); strings.Contains(text, canaryPrompt) || strings.Contains(text, "ada@example") {
		t.Error("what nobody asked for is in the spans")
	}
}

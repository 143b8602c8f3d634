package mock

import (
	"context"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
)

const geminiTools = `"tools":[{"functionDeclarations":[` +
	`{"name":"get_weather","parametersJsonSchema":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}},` +
	`{"name":"population","parameters":{"type":"OBJECT","properties":{"city":{"type":"STRING"}},"required":["city"]}}]}]`

// contentsOf builds a request: contents, then further members.
func contentsOf(contents, extra string) string {
	if extra != "" {
		extra = "," + extra
	}
	return `{"contents":[` + contents + `]` + extra + `}`
}

const userTurn = `{"role":"user","parts":[{"text":"hi"}]}`

func TestGenerate_Reply(t *testing.T) {
	r := newRig(t)
	got := r.ok(genPath, "events=4; input=19; thinking=1; cached=5", contentsOf(userTurn, `"generationConfig":{"thinkingConfig":{"includeThoughts":true}}`))
	f := func(path, want string) {
		t.Helper()
		if v := got.Get(path); v.Raw != want {
			t.Errorf("%s is %s, want %s", path, v.Raw, want)
		}
	}
	f("candidates.#", "1")
	f("candidates.0.content.role", `"model"`)
	f("candidates.0.content.parts.#", "2")
	f("candidates.0.content.parts.0.thought", "true")
	f("candidates.0.content.parts.1.text", `"The mock provider answers"`)
	f("candidates.0.finishReason", `"STOP"`)
	f("candidates.0.index", "0")
	f("usageMetadata.promptTokenCount", "19")
	f("usageMetadata.candidatesTokenCount", "4")
	f("usageMetadata.thoughtsTokenCount", "9")
	f("usageMetadata.totalTokenCount", "32")
	f("usageMetadata.cachedContentTokenCount", "5")
	f("modelVersion", `"gemini"`)
	if got.Get("candidates.0.content.parts.1.thoughtSignature").Str == "" || len(got.Get("responseId").Str) != 22 {
		t.Errorf("no signature or id: %s", got.Raw)
	}
}

func TestGenerate_Stream(t *testing.T) {
	r := newRig(t)
	got := r.post(streamPath, "events=4; input=19", contentsOf(userTurn, `"generationConfig":{"thinkingConfig":{"thinkingLevel":"LOW"}}`))
	if strings.Count(got.body, "\r\n\r\n") != 5 || strings.Contains(got.body, "DONE") {
		t.Errorf("frames: %q", got.body)
	}
	events := dataOf(t, got.body)
	var last int64
	for _, e := range events {
		n := gjson.Get(e, "usageMetadata.totalTokenCount").Int()
		if n < last {
			t.Errorf("usage goes back: %q", events)
		}
		last = n
		if gjson.Get(e, "candidates.0.content.parts.0.thought").Exists() {
			t.Errorf("a thought that nobody asked for: %s", e)
		}
	}
	end := events[len(events)-1]
	if last != 32 || gjson.Get(end, "candidates.0.finishReason").Str != "STOP" || gjson.Get(end, "candidates.0.content.parts.0.thoughtSignature").Str == "" {
		t.Errorf("end: %s", end)
	}
	events = r.events(streamPath, "thinking=1; events=2", contentsOf(userTurn, `"generationConfig":{"thinkingConfig":{"includeThoughts":true}}`))
	if !gjson.Get(events[0], "candidates.0.content.parts.0.thought").Bool() || len(events) != 9+2+1 {
		t.Errorf("thoughts that were asked for: %q", events)
	}
	if got := r.post(GeminiPath+"/models/gemini:streamGenerateContent", "", genBody); got.status != 400 || !strings.Contains(got.body, "alt=sse") {
		t.Errorf("a stream that is no event stream: %d %s", got.status, got.body)
	}
}

func TestGenerate_Signatures(t *testing.T) {
	r := newRig(t)
	first := r.ok(genPath, "tool=get_weather,population", contentsOf(userTurn, geminiTools)).Get("candidates.0")
	parts := first.Get("content.parts").Array()
	if len(parts) != 2 || first.Get("finishReason").Str != "STOP" || parts[0].Get("functionCall.name").Str != "get_weather" ||
		parts[0].Get("functionCall.args").Raw != `{"city":"sample"}` || parts[0].Get("thoughtSignature").Str == "" || parts[1].Get("thoughtSignature").Exists() {
		t.Fatalf("the first answer: %s", first.Raw)
	}
	events := r.events(streamPath, "tool=get_weather,population", contentsOf(userTurn, geminiTools))
	if join(events, "candidates.0.content.parts.0.thoughtSignature") != parts[0].Get("thoughtSignature").Str || len(events) != 3 {
		t.Errorf("streamed: %q", events)
	}
	answer := func(names ...string) string {
		var list []string
		for _, name := range names {
			list = append(list, `{"functionResponse":{"name":"`+name+`","response":{"output":"12"}}}`)
		}
		return `{"role":"user","parts":[` + strings.Join(list, ",") + `]}`
	}
	both := answer("get_weather", "population")
	f := func(name, want string, contents ...string) {
		t.Helper()
		got := r.post(genPath, "", contentsOf(strings.Join(contents, ","), geminiTools))
		if text := gjson.Get(got.body, "candidates.0.content.parts.0.text").Str + gjson.Get(got.body, "error.message").Str; !strings.Contains(text, want) {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	model := func(parts ...string) string { return `{"role":"model","parts":[` + strings.Join(parts, ",") + `]}` }
	one, two := parts[0].Raw, parts[1].Raw
	bare := `{"functionCall":{"name":"get_weather","args":{}}}`
	f("unchanged", "The tool get_weather said: 12 The tool population said: 12", userTurn, model(one, two), both)
	f("lost", "missing a thought_signature", userTurn, model(bare, two), both)
	f("out of order", "Corrupted thought signature", userTurn, model(two, one), both)
	f("one call lost", "Corrupted thought signature", userTurn, model(one), answer("get_weather"))
	f("changed", "Corrupted thought signature", userTurn, model(strings.Replace(one, `"thoughtSignature": "`, `"thoughtSignature": "A`, 1), two), both)
	f("on the wrong call", "Corrupted", userTurn, model(one, strings.TrimSuffix(two, "}")+`,"thoughtSignature":"AAAA"}`), both)
	f("an older turn", "You said: hi", userTurn, model(bare), answer("get_weather"), model(`{"text":"so"}`), userTurn)
	f("of another model", "The tool get_weather said", userTurn, model(strings.TrimSuffix(bare, "}")+`,"thoughtSignature":"`+skipSignature+`"}`), answer("get_weather"))
	f("the same, encoded", "The tool get_weather said", userTurn, model(strings.TrimSuffix(bare, "}")+`,"thoughtSignature":"c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="}`), answer("get_weather"))
	f("too few responses", "number of function response parts", userTurn, model(one, two), answer("get_weather"))
	f("too many responses", "immediately after a function call turn", userTurn, answer("get_weather"))
	f("calls out of place", "immediately after a user turn", userTurn, model(`{"text":"a"}`), model(one, two), both)
	f("a foreign text signature", "Corrupted", userTurn, model(`{"text":"a","thoughtSignature":"AAAA"}`), userTurn)
	text := r.ok(genPath, "thinking=1", genBody).Get("candidates.0.content.parts.0").Raw
	f("a text signature", "You said: hi", userTurn, model(text), userTurn)
}

func TestGenerate_Answers(t *testing.T) {
	r := newRig(t)
	f := func(behaviour, extra, path, want string) {
		t.Helper()
		got := r.ok(genPath, behaviour, contentsOf(userTurn, extra))
		if v := got.Get(path).String(); v != want {
			t.Errorf("%s with %s: %s is %q, want %q", behaviour, extra, path, v, want)
		}
	}
	f("refuse", "", "promptFeedback.blockReason", "PROHIBITED_CONTENT")
	f("refuse", "", "candidates.#", "")
	f("finish=content_filter", "", "candidates.0.finishReason", "SAFETY")
	f("finish=RECITATION", "", "candidates.0.finishReason", "RECITATION")
	f("events=100", `"generationConfig":{"maxOutputTokens":10}`, "candidates.0.finishReason", "MAX_TOKENS")
	f("events=100", `"generationConfig":{"maxOutputTokens":10}`, "usageMetadata.candidatesTokenCount", "10")
	f("", `"generationConfig":{"responseMimeType":"application/json","responseJsonSchema":{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}}`, "candidates.0.content.parts.0.text", `{"n":1}`)
	f("", `"generationConfig":{"responseMimeType":"application/json"}`, "candidates.0.content.parts.0.text", `{"answer": "This is the mock provider."}`)
	f("", geminiTools+`,"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["population"]}}`, "candidates.0.content.parts.0.functionCall.name", "population")
	f("", geminiTools+`,"toolConfig":{"functionCallingConfig":{"mode":"NONE"}}`, "candidates.0.content.parts.0.text", "This is the mock provider. You said: hi")
	if events := r.events(streamPath, "refuse", genBody); len(events) != 1 || !gjson.Get(events[0], "promptFeedback").Exists() {
		t.Errorf("a refused stream: %q", events)
	}
}

func TestGenerate_Refuses(t *testing.T) {
	r := newRig(t)
	f := func(body, message string) {
		t.Helper()
		for _, path := range []string{genPath, streamPath} {
			got := r.post(path, "", body)
			e := gjson.Get(got.body, "error")
			if got.status != 400 || e.Get("status").Str != "INVALID_ARGUMENT" || e.Get("code").Int() != 400 || !strings.Contains(e.Get("message").Str, message) {
				t.Errorf("%s\ngave %d %s", body, got.status, got.body)
			}
		}
	}
	f(`{}`, "contents is not specified")
	f(contentsOf(userTurn, `"messages":[]`), `Unknown name "messages": Cannot find field.`)
	f(contentsOf(userTurn, `"generationConfig":{"max_completion_tokens":1}`), `Unknown name "max_completion_tokens" at 'generation_config'`)
	f(contentsOf(`{"role":"assistant","parts":[{"text":"x"}]}`, ""), "valid role: user, model")
	f(contentsOf(`{"role":"user","parts":[]}`, ""), "parts must not be empty")
	f(contentsOf(`{"role":"user","parts":[{"type":"text"}]}`, ""), `Unknown name "type" at 'contents[0].parts[0]'`)
	f(contentsOf(`{"role":"user","parts":[{"thought":true}]}`, ""), "required oneof field 'data'")
	f(contentsOf(userTurn+`,{"role":"model","parts":[{"text":"x"}]}`, ""), "end with a user role")
	f(contentsOf(userTurn, `"toolConfig":{"functionCallingConfig":{"mode":"ANY"}}`), "without function_declarations")
	f(contentsOf(userTurn, `"generationConfig":{"candidateCount":2}`), "Multiple candidates")
	f(contentsOf(userTurn, `"generationConfig":{"temperature":3}`), "temperature")
	f(contentsOf(userTurn, `"generationConfig":{"responseSchema":{}}`), "application/json")
	f(contentsOf(userTurn, `"generationConfig":{"thinkingConfig":{"thinkingBudget":1,"thinkingLevel":"LOW"}}`), "only one of")
	f(contentsOf(userTurn, `"tools":[{"functionDeclarations":[{"name":"a","parameters":{"type":"object","additionalProperties":false}}]}]`), `Unknown name "additionalProperties"`)
}

func TestGemini_Faults(t *testing.T) {
	r := newRig(t)
	f := func(behaviour string, code int64, status, detail string) {
		t.Helper()
		got := r.post(genPath, behaviour, genBody)
		e := gjson.Get(got.body, "error")
		if int64(got.status) != code || e.Get("code").Int() != code || e.Get("status").Str != status || e.Get("message").Str == "" || !strings.Contains(got.body, detail) {
			t.Errorf("%s: %d %s", behaviour, got.status, got.body)
		}
	}
	f("status=400", 400, "INVALID_ARGUMENT", "")
	f("status=403", 403, "PERMISSION_DENIED", "")
	f("status=404", 404, "NOT_FOUND", "")
	f("status=429; retry-after=1.5", 429, "RESOURCE_EXHAUSTED", `google.rpc.RetryInfo","retryDelay": "1.5s"`)
	f("status=429; quota", 429, "RESOURCE_EXHAUSTED", "PerDay")
	f("status=500", 500, "INTERNAL", "")
	f("status=503", 503, "UNAVAILABLE", "")
	f("status=504", 504, "DEADLINE_EXCEEDED", "")
	f("nonsense", 400, "INVALID_ARGUMENT", "x-mock: nonsense")
	if got := r.post(streamPath, "status=503", genBody); got.head.Get("Content-Type") != "text/event-stream" || got.status != 503 {
		t.Errorf("a refused stream: %d %v", got.status, got.head)
	}
	if got := r.post(GeminiPath+"/models/missing-1:generateContent", "", genBody); got.status != 404 || !strings.Contains(got.body, "models/missing-1 is not found") {
		t.Errorf("an unknown model: %d %s", got.status, got.body)
	}
	for key, want := range map[string]string{"": "PERMISSION_DENIED", "bad": "API_KEY_INVALID"} {
		req := r.request(context.Background(), genPath, "", genBody)
		req.Header.Set("X-Goog-Api-Key", key)
		if got := r.do(req); got.status/100 != 4 || !strings.Contains(got.body, want) {
			t.Errorf("key %q: %d %s", key, got.status, got.body)
		}
	}
}

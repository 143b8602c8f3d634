package mock

import (
	"context"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
)

const (
	weather    = `{"type":"function","function":{"name":"get_weather","parameters":{"type":"object","properties":{"city":{"type":"string"},"unit":{"type":"string","enum":["celsius","kelvin"]}},"required":["city","unit"]}}}`
	population = `{"type":"function","function":{"name":"population","parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}}`
)

func TestChat_Reply(t *testing.T) {
	r := newRig(t)
	got := r.ok(chatPath, "events=4; input=19; cached=5; reasoning=7", chatBody)
	f := func(path, want string) {
		t.Helper()
		if v := got.Get(path); v.Raw != want {
			t.Errorf("%s is %s, want %s", path, v.Raw, want)
		}
	}
	f("object", `"chat.completion"`)
	f("model", `"gpt"`)
	f("choices.#", "1")
	f("choices.0.index", "0")
	f("choices.0.message.role", `"assistant"`)
	f("choices.0.message.content", `"The mock provider answers"`)
	f("choices.0.message.refusal", "null")
	f("choices.0.logprobs", "null")
	f("choices.0.finish_reason", `"stop"`)
	f("usage.prompt_tokens", "19")
	f("usage.completion_tokens", "11")
	f("usage.total_tokens", "30")
	f("usage.prompt_tokens_details.cached_tokens", "5")
	f("usage.completion_tokens_details.reasoning_tokens", "7")
	f("service_tier", `"default"`)
	if id := got.Get("id").Str; !strings.HasPrefix(id, "chatcmpl-") || len(id) != 38 {
		t.Errorf("id %q", id)
	}
}

func TestChat_Headers(t *testing.T) {
	r := newRig(t)
	one, two := r.post(chatPath, "", chatBody), r.post(chatPath, "", chatBody)
	if id := one.head.Get("X-Request-Id"); !strings.HasPrefix(id, "req_") || id == two.head.Get("X-Request-Id") {
		t.Errorf("request ids %q and %q", id, two.head.Get("X-Request-Id"))
	}
	for _, name := range []string{"Limit", "Remaining", "Reset"} {
		for _, what := range []string{"Requests", "Tokens"} {
			if one.head.Get("X-Ratelimit-"+name+"-"+what) == "" {
				t.Errorf("no X-Ratelimit-%s-%s", name, what)
			}
		}
	}
}

func TestChat_StreamUsage(t *testing.T) {
	r := newRig(t)
	events := r.events(chatPath, "events=3", chatStreamBody)
	if n := len(events); n != 6 || events[5] != "[DONE]" || strings.Contains(strings.Join(events, ""), `"usage"`) {
		t.Errorf("without include_usage: %q", events)
	}
	if gjson.Get(events[0], "choices.0.delta.role").Str != "assistant" || gjson.Get(events[4], "choices.0.finish_reason").Str != "stop" {
		t.Errorf("ends of the stream: %s ... %s", events[0], events[4])
	}
	events = r.events(chatPath, "events=3; input=7", `{"model":"gpt","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"hi"}]}`)
	last := events[len(events)-2]
	if gjson.Get(last, "choices").Raw != "[]" || gjson.Get(last, "usage.total_tokens").Int() != 10 {
		t.Errorf("usage event: %s", last)
	}
	for _, e := range events[:len(events)-2] {
		if gjson.Get(e, "usage").Raw != "null" {
			t.Errorf("an event before it has no null usage: %s", e)
		}
	}
}

func TestChat_ToolLoop(t *testing.T) {
	r := newRig(t)
	call := func(behaviour, rest string) gjson.Result {
		t.Helper()
		return r.ok(chatPath, behaviour, `{"model":"gpt","tools":[`+weather+`,`+population+`],"messages":[{"role":"user","content":"Please USE the tool"}`+rest+`]}`)
	}
	first := call("", "").Get("choices.0")
	want := `{"city":"sample","unit":"celsius"}`
	if first.Get("finish_reason").Str != "tool_calls" || first.Get("message.content").Raw != "null" ||
		first.Get("message.tool_calls.0.function.name").Str != "get_weather" ||
		first.Get("message.tool_calls.0.function.arguments").Str != want || first.Get("message.tool_calls.#").Int() != 1 {
		t.Fatalf("the first answer: %s", first.Raw)
	}
	id := first.Get("message.tool_calls.0.id").Str
	result := `,{"role":"tool","tool_call_id":"` + id + `","content":"12 degrees"}`
	if text := call("tool=get_weather", ","+first.Get("message").Raw+result).Get("choices.0.message.content").Str; text != "The tool get_weather said: 12 degrees" {
		t.Errorf("behind the result: %s", text)
	}
	again := call("steps=2; tool=population", ","+first.Get("message").Raw+result).Get("choices.0.message.tool_calls.0")
	if again.Get("function.name").Str != "population" || again.Get("id").Str == id {
		t.Errorf("the second step: %s", again.Raw)
	}
	if two := call("tool=get_weather,population", "").Get("choices.0.message.tool_calls"); two.Get("#").Int() != 2 || two.Get("0.id").Str == two.Get("1.id").Str {
		t.Errorf("parallel calls: %s", two.Raw)
	}
}

func TestChat_ToolStream(t *testing.T) {
	r := newRig(t)
	events := r.events(chatPath, "tool=get_weather,population", `{"model":"gpt","stream":true,"tools":[`+weather+`,`+population+`],"messages":[{"role":"user","content":"hi"}]}`)
	args := map[int64]string{}
	names := map[int64]string{}
	for _, e := range events {
		gjson.Get(e, "choices.0.delta.tool_calls").ForEach(func(_, call gjson.Result) bool {
			index := call.Get("index").Int()
			names[index] += call.Get("function.name").Str
			args[index] += call.Get("function.arguments").Str
			return true
		})
	}
	if names[0] != "get_weather" || names[1] != "population" || args[0] != `{"city":"sample","unit":"celsius"}` || args[1] != `{"city":"sample"}` {
		t.Errorf("names %v, arguments %v", names, args)
	}
	if finish := gjson.Get(events[len(events)-2], "choices.0.finish_reason").Str; finish != "tool_calls" {
		t.Errorf("finish %s", finish)
	}
}

func TestChat_Answers(t *testing.T) {
	r := newRig(t)
	f := func(behaviour, extra, path, want string) {
		t.Helper()
		got := r.ok(chatPath, behaviour, `{"model":"gpt","messages":[{"role":"user","content":"some json"}]`+extra+`}`)
		if v := got.Get(path).String(); v != want {
			t.Errorf("%s with %s: %s is %q, want %q", behaviour, extra, path, v, want)
		}
	}
	f(`json={"a": [1, "b"]}`, "", "choices.0.message.content", `{"a": [1, "b"]}`)
	f("", `,"response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{"type":"object","properties":{"n":{"type":"integer","minimum":3}},"required":["n"]}}}`, "choices.0.message.content", `{"n":3}`)
	f("", `,"response_format":{"type":"json_object"}`, "choices.0.message.content", `{"answer": "This is the mock provider."}`)
	f("refuse", "", "choices.0.message.refusal", "I'm sorry, I can't assist with that request.")
	f("refuse", "", "choices.0.message.content", "")
	f("refuse", "", "choices.0.finish_reason", "stop")
	f("finish=length", "", "choices.0.finish_reason", "length")
	f("events=100", `,"max_completion_tokens":10`, "choices.0.finish_reason", "length")
	f("events=100", `,"max_completion_tokens":10`, "usage.completion_tokens", "10")
	f("events=100; thinking=1", `,"max_tokens":10`, "usage.completion_tokens_details.reasoning_tokens", "9")
	f("output=42", "", "usage.completion_tokens", "42")
	f("events=5", `,"n":3`, "choices.#", "3")
	f("events=5", `,"n":3`, "usage.completion_tokens", "15")
	f("", `,"reasoning_effort":"low"`, "usage.completion_tokens_details.reasoning_tokens", "9")
	f("", `,"tools":[`+weather+`],"tool_choice":"required"`, "choices.0.finish_reason", "tool_calls")
	f("", `,"tools":[`+weather+`],"tool_choice":{"type":"function","function":{"name":"get_weather"}}`, "choices.0.message.tool_calls.0.function.name", "get_weather")
	f("tool=a,b", `,"parallel_tool_calls":false`, "choices.0.message.tool_calls.#", "1")
}

func TestChat_Refuses(t *testing.T) {
	r := newRig(t)
	f := func(body, param, code, message string) {
		t.Helper()
		got := r.post(chatPath, "", body)
		e := gjson.Get(got.body, "error")
		status := 400
		if code == "model_not_found" {
			status = 404
		}
		if got.status != status || e.Get("type").Str != "invalid_request_error" || e.Get("param").String() != param ||
			e.Get("code").String() != code || !strings.Contains(e.Get("message").Str, message) {
			t.Errorf("%s\ngave %d %s", body, got.status, got.body)
		}
	}
	m := func(list string) string { return `{"model":"gpt","messages":[` + list + `]}` }
	call := `{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]}`
	user := `{"role":"user","content":"hi"}`
	f(`{`, "", "", "could not parse")
	f(`[]`, "", "", "could not parse")
	f(`{"messages":[]}`, "", "", "must provide a model")
	f(`{"model":"missing-1","messages":[`+user+`]}`, "", "model_not_found", "`missing-1` does not exist")
	f(`{"model":"gpt"}`, "messages", "missing_required_parameter", "'messages'")
	f(m(``), "messages", "empty_array", "empty array")
	f(m(`{"role":"wizard","content":"x"}`), "messages[0].role", "invalid_value", "'wizard'")
	f(m(`{"content":"x"}`), "messages[0].role", "missing_required_parameter", "role")
	f(m(`{"role":"user","content":null}`), "messages.[0].content", "", "got null")
	f(m(`{"role":"user","content":[{"type":"video"}]}`), "messages[0].content[0].type", "invalid_value", "'video'")
	f(m(user+`,{"role":"tool","tool_call_id":"c1","content":"x"}`), "messages.[1].role", "", "preceeding message with 'tool_calls'")
	f(m(user+`,`+call), "messages.[1].role", "", "did not have response messages: c1")
	f(m(user+`,`+call+`,`+user), "messages.[2].role", "", "c1")
	f(m(user+`,`+call+`,{"role":"tool","tool_call_id":"c2","content":"x"}`), "messages.[2].tool_call_id", "", "'c2' not found")
	f(m(user+`,`+call+`,{"role":"tool","content":"x"}`), "messages[2].tool_call_id", "missing_required_parameter", "tool_call_id")
	f(`{"model":"gpt","temperature":3,"messages":[`+user+`]}`, "temperature", "decimal_above_max_value", "<= 2, but got 3")
	f(`{"model":"gpt","top_p":-1,"messages":[`+user+`]}`, "top_p", "decimal_below_min_value", ">= 0")
	f(`{"model":"gpt","max_tokens":0,"messages":[`+user+`]}`, "max_tokens", "integer_below_min_value", ">= 1")
	f(`{"model":"gpt","max_tokens":1,"max_completion_tokens":1,"messages":[`+user+`]}`, "max_tokens", "invalid_parameter_combination", "same time")
	f(`{"model":"gpt","stream":"yes","messages":[`+user+`]}`, "stream", "invalid_type", "a boolean, but got a string")
	f(`{"model":"gpt","stream_options":{},"messages":[`+user+`]}`, "stream_options", "", "only allowed when 'stream'")
	f(`{"model":"gpt","tools":[],"messages":[`+user+`]}`, "tools", "empty_array", "tools")
	f(`{"model":"gpt","tools":[{"type":"function","function":{"name":"a b"}}],"messages":[`+user+`]}`, "tools[0].function.name", "invalid_value", "pattern")
	f(`{"model":"gpt","tool_choice":"required","messages":[`+user+`]}`, "tool_choice", "", "only allowed when 'tools'")
	f(`{"model":"gpt","response_format":{"type":"json_object"},"messages":[`+user+`]}`, "messages", "", "word 'json'")
	f(`{"model":"gpt","response_format":{"type":"xml"},"messages":[`+user+`]}`, "response_format.type", "invalid_value", "'xml'")
}

func TestOpenAI_Faults(t *testing.T) {
	r := newRig(t)
	f := func(behaviour string, status int, kind, code string) reply {
		t.Helper()
		got := r.post(chatPath, behaviour, chatBody)
		e := gjson.Get(got.body, "error")
		if got.status != status || e.Get("type").Str != kind || e.Get("code").String() != code || e.Get("message").Str == "" || !e.Get("param").Exists() {
			t.Errorf("%s: %d %s", behaviour, got.status, got.body)
		}
		return got
	}
	f("status=400", 400, "invalid_request_error", "")
	f("status=401", 401, "invalid_request_error", "invalid_api_key")
	f("status=403", 403, "invalid_request_error", "")
	f("status=404", 404, "invalid_request_error", "model_not_found")
	f("status=500", 500, "server_error", "")
	f("status=503", 503, "server_error", "")
	f("error=3", 500, "server_error", "")
	f("nonsense=1", 400, "invalid_request_error", "")
	if got := f("status=429; retry-after=1.5", 429, "requests", "rate_limit_exceeded"); got.head.Get("Retry-After") != "2" || got.head.Get("Retry-After-Ms") != "1500" {
		t.Errorf("headers of a 429: %v", got.head)
	}
	if got := f("status=429; quota", 429, "insufficient_quota", "insufficient_quota"); got.head.Get("X-Should-Retry") != "false" {
		t.Errorf("headers of a spent quota: %v", got.head)
	}
	for key, code := range map[string]string{"": "", "Bearer bad": "invalid_api_key"} {
		req := r.request(context.Background(), chatPath, "", chatBody)
		req.Header.Set("Authorization", key)
		if got := r.do(req); got.status != 401 || gjson.Get(got.body, "error.code").String() != code {
			t.Errorf("key %q: %d %s", key, got.status, got.body)
		}
	}
}

func TestCompletions(t *testing.T) {
	r := newRig(t)
	path := OpenAIPath + "/completions"
	got := r.ok(path, "", `{"model":"gpt","prompt":"Once"}`)
	if got.Get("object").Str != "text_completion" || got.Get("choices.0.text").Str != "This is the mock provider. You said: Once" ||
		got.Get("choices.0.finish_reason").Str != "stop" || got.Get("usage.completion_tokens").Int() != 8 {
		t.Errorf("whole: %s", got.Raw)
	}
	if got = r.ok(path, "events=40", `{"model":"gpt","prompt":["a","b"]}`); got.Get("choices.#").Int() != 2 ||
		got.Get("choices.1.finish_reason").Str != "length" || got.Get("usage.completion_tokens").Int() != 32 {
		t.Errorf("two prompts, 16 tokens each by default: %s", got.Raw)
	}
	events := r.events(path, "", `{"model":"gpt","prompt":"Once","stream":true,"stream_options":{"include_usage":true}}`)
	if text := join(events, "choices.0.text"); text != "This is the mock provider. You said: Once" {
		t.Errorf("streamed %q", text)
	}
	if n := len(events); events[n-1] != "[DONE]" || gjson.Get(events[n-2], "usage.completion_tokens").Int() != 8 || gjson.Get(events[n-2], "choices").Raw != "[]" {
		t.Errorf("end of the stream: %q", events)
	}
	if bad := r.post(path, "", `{"model":"gpt","n":100,"prompt":["a"`+strings.Repeat(`,"a"`, 20)+`]}`); bad.status != 400 || gjson.Get(bad.body, "error.param").Str != "prompt" {
		t.Errorf("too many prompts: %d %s", bad.status, bad.body)
	}
	if bad := r.post(path, "", `{"model":"gpt","prompt":[]}`); bad.status != 400 || gjson.Get(bad.body, "error.code").Str != "empty_array" {
		t.Errorf("no prompt: %d %s", bad.status, bad.body)
	}
}

func TestModels(t *testing.T) {
	r := newRig(t)
	f := func(path, at, want string) {
		t.Helper()
		if got := r.ok(path, "", ""); got.Get(at).Str != want {
			t.Errorf("%s: %s", path, got.Raw)
		}
	}
	f(OpenAIPath+"/models", "data.0.id", "gpt")
	f(AnthropicPath+"/v1/models?limit=1000", "data.0.id", "claude")
	f(GeminiPath+"/models?pageSize=1000", "models.0.name", "models/gemini")
}

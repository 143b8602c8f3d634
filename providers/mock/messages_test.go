package mock

import (
	"context"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
)

const (
	weatherTool    = `{"name":"get_weather","input_schema":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}`
	populationTool = `{"name":"population","input_schema":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}`
	thinkingOn     = `"thinking":{"type":"enabled","budget_tokens":1024},`
)

// messagesOf builds a request: further members, then messages.
func messagesOf(extra, messages string) string {
	return `{"model":"claude","max_tokens":2000,` + extra + `"messages":[` + messages + `]}`
}

func TestMessages_Reply(t *testing.T) {
	r := newRig(t)
	got := r.ok(msgPath, "events=4; input=19; cached=5", msgBody)
	f := func(path, want string) {
		t.Helper()
		if v := got.Get(path); v.Raw != want {
			t.Errorf("%s is %s, want %s", path, v.Raw, want)
		}
	}
	f("type", `"message"`)
	f("role", `"assistant"`)
	f("model", `"claude"`)
	f("content", `[{"type":"text","text":"The mock provider answers"}]`)
	f("stop_reason", `"end_turn"`)
	f("stop_sequence", "null")
	f("usage.input_tokens", "14")
	f("usage.cache_read_input_tokens", "5")
	f("usage.cache_creation_input_tokens", "0")
	f("usage.output_tokens", "4")
	f("usage.service_tier", `"standard"`)
	if id := got.Get("id").Str; !strings.HasPrefix(id, "msg_01") || len(id) != 28 {
		t.Errorf("id %q", id)
	}
}

func TestMessages_Stream(t *testing.T) {
	r := newRig(t)
	got := r.post(msgPath, "events=2; input=19; thinking=1; tool=get_weather", messagesOf(`"stream":true,"tools":[`+weatherTool+`],`, `{"role":"user","content":"hi"}`))
	var names []string
	for line := range strings.Lines(got.body) {
		if name, ok := strings.CutPrefix(line, "event: "); ok {
			names = append(names, strings.TrimSpace(name))
		}
	}
	events := dataOf(t, got.body)
	for i, e := range events {
		if gjson.Get(e, "type").Str != names[i] {
			t.Errorf("event %s has the data of %s", names[i], e)
		}
	}
	deltas := func(n int) string { return strings.Repeat(" content_block_delta", n) }
	want := "message_start content_block_start ping" + deltas(9+1) + " content_block_stop" +
		" content_block_start" + deltas(1+2) + " content_block_stop message_delta message_stop"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("events\n got %s\nwant %s", got, want)
	}
	if start := gjson.Get(events[0], "message"); start.Get("usage.input_tokens").Int() != 19 || start.Get("content").Raw != "[]" || start.Get("stop_reason").Raw != "null" {
		t.Errorf("start: %s", start.Raw)
	}
	if join(events, "delta.signature") == "" || join(events, "delta.thinking") == "" || join(events, "delta.partial_json") != `{"city":"sample"}` {
		t.Errorf("deltas: %q", events)
	}
	end := events[len(events)-2]
	if gjson.Get(end, "delta.stop_reason").Str != "tool_use" || gjson.Get(end, "usage.output_tokens").Int() != 11 {
		t.Errorf("end: %s", end)
	}
}

// A loop of calls with reasoning, as clients make it: what came goes back, streamed or whole.
func TestMessages_Signatures(t *testing.T) {
	r := newRig(t)
	user := `{"role":"user","content":"hi"}`
	tools := `"tools":[` + weatherTool + `,` + populationTool + `],`
	first := r.ok(msgPath, "tool=get_weather,population; thinking=2", messagesOf(thinkingOn+tools, user))
	blocks := first.Get("content").Array()
	kinds := ""
	for _, b := range blocks {
		kinds += b.Get("type").Str + " "
	}
	if kinds != "thinking tool_use thinking tool_use " || first.Get("stop_reason").Str != "tool_use" {
		t.Fatalf("the first answer: %s", first.Raw)
	}
	results := `{"role":"user","content":[{"type":"tool_result","tool_use_id":"` + blocks[1].Get("id").Str + `","content":"12 degrees"},` +
		`{"type":"tool_result","tool_use_id":"` + blocks[3].Get("id").Str + `","content":[{"type":"text","text":"9 million"}]}]}`
	f := func(name, extra, want string, turn ...string) {
		t.Helper()
		got := r.post(msgPath, "", messagesOf(extra, user+`,{"role":"assistant","content":[`+strings.Join(turn, ",")+`]},`+results))
		if text := gjson.Get(got.body, "content.#(type==text).text").Str + gjson.Get(got.body, "error.message").Str; !strings.Contains(text, want) {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	raw := make([]string, len(blocks))
	for i, b := range blocks {
		raw[i] = b.Raw
	}
	adaptive := `"thinking":{"type":"adaptive"},`
	f("unchanged", thinkingOn+tools, "The tool get_weather said: 12 degrees The tool population said: 9 million", raw...)
	f("lost", thinkingOn+tools, "Expected `thinking` or `redacted_thinking`, but found `tool_use`", raw[1], raw[3])
	f("lost where the model thinks as it likes", adaptive+tools, "Expected `thinking`", raw[1], raw[3])
	f("lost, and no longer thinking", tools, "The tool get_weather said", raw[1], raw[3])
	f("second lost", thinkingOn+tools, "The tool get_weather said", raw[0], raw[1], raw[3])
	f("changed", thinkingOn+tools, "Invalid `signature` in `thinking` block", strings.Replace(raw[0], "step 1", "step 7", 1), raw[1], raw[2], raw[3])
	f("out of order", thinkingOn+tools, "messages.1.content.1: Invalid `signature`", raw[0], raw[2], raw[1], raw[3])
	f("swapped", thinkingOn+tools, "messages.1.content.0: Invalid `signature`", raw[2], raw[1], raw[0], raw[3])
	f("unsigned", thinkingOn+tools, "signature: Field required", `{"type":"thinking","thinking":"hm"}`, raw[1], raw[3])
	f("foreign", tools, "Invalid `signature`", `{"type":"thinking","thinking":"hm","signature":"AAAA"}`, raw[1], raw[3])
}

func TestMessages_RedactedAndOmitted(t *testing.T) {
	r := newRig(t)
	user := `{"role":"user","content":"hi"}`
	f := func(behaviour, thinking, kind string) {
		t.Helper()
		extra := `"thinking":` + thinking + `,"tools":[` + weatherTool + `],`
		got := r.ok(msgPath, behaviour, messagesOf(extra, user))
		block := got.Get("content.0")
		if block.Get("type").Str != kind || block.Get("thinking").Str != "" {
			t.Errorf("%s: %s", behaviour, got.Raw)
		}
		events := r.events(msgPath, behaviour, messagesOf(`"stream":true,`+extra, user))
		if join(events, "delta.thinking") != "" {
			t.Errorf("%s streams reasoning: %q", behaviour, events)
		}
		back := user + `,{"role":"assistant","content":` + got.Get("content").Raw + `},{"role":"user","content":[{"type":"tool_result","tool_use_id":"` + got.Get("content.1.id").Str + `","content":"x"}]}`
		r.ok(msgPath, "", messagesOf(extra, back))
		if kind == "redacted_thinking" {
			bad := r.post(msgPath, "", messagesOf(extra, strings.Replace(back, `"data":"`, `"data":"A`, 1)))
			if bad.status != 400 || !strings.Contains(bad.body, "Invalid `data`") {
				t.Errorf("changed data: %d %s", bad.status, bad.body)
			}
		}
	}
	f("tool=get_weather; redacted", `{"type":"enabled","budget_tokens":1024}`, "redacted_thinking")
	f("tool=get_weather", `{"type":"adaptive","display":"omitted"}`, "thinking")
}

func TestMessages_Answers(t *testing.T) {
	r := newRig(t)
	f := func(behaviour, extra, path, want string) {
		t.Helper()
		got := r.ok(msgPath, behaviour, messagesOf(extra, `{"role":"user","content":[{"type":"text","text":"hi"}]}`))
		if v := got.Get(path).String(); v != want {
			t.Errorf("%s with %s: %s is %q, want %q", behaviour, extra, path, v, want)
		}
	}
	f("refuse", "", "stop_reason", "refusal")
	f("refuse", "", "content.#", "0")
	f("refuse", "", "stop_details.type", "refusal")
	f("finish=pause_turn", "", "stop_reason", "pause_turn")
	f("finish=content_filter", "", "stop_reason", "refusal")
	f("thinking=1; events=3", "", "usage.output_tokens_details.thinking_tokens", "9")
	f("thinking=1; events=3", "", "usage.output_tokens", "12")
	f("events=3000", "", "stop_reason", "max_tokens")
	f("events=3000", "", "usage.output_tokens", "2000")
	f("", `"output_config":{"format":{"type":"json_schema","schema":{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}}},`, "content.0.text", `{"n":1}`)
	f("", `"tools":[`+weatherTool+`],"tool_choice":{"type":"any"},`, "content.0.input.city", "sample")
	f("", `"tools":[`+weatherTool+`,`+populationTool+`],"tool_choice":{"type":"tool","name":"population"},`, "content.0.name", "population")
	f("tool=a,b", `"tools":[`+weatherTool+`],"tool_choice":{"type":"auto","disable_parallel_tool_use":true},`, "content.#", "1")
}

func TestMessages_Refuses(t *testing.T) {
	r := newRig(t)
	f := func(body, message string) {
		t.Helper()
		got := r.post(msgPath, "", body)
		if got.status != 400 || gjson.Get(got.body, "type").Str != "error" || gjson.Get(got.body, "error.type").Str != "invalid_request_error" ||
			!strings.Contains(gjson.Get(got.body, "error.message").Str, message) || gjson.Get(got.body, "request_id").Str != got.head.Get("Request-Id") {
			t.Errorf("%s\ngave %d %s", body, got.status, got.body)
		}
	}
	user := `{"role":"user","content":"hi"}`
	use := `{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"f","input":{}}]}`
	result := func(id string) string {
		return `{"role":"user","content":[{"type":"tool_result","tool_use_id":"` + id + `","content":"x"}]}`
	}
	f(`{"model":"claude","messages":[`+user+`]}`, "max_tokens: Field required")
	f(`{"model":"claude","max_tokens":0,"messages":[`+user+`]}`, "greater than or equal to 1")
	f(`{"max_tokens":1,"messages":[`+user+`]}`, "model: Field required")
	f(`{"model":"claude","max_tokens":1}`, "messages: Field required")
	f(messagesOf("", ""), "at least one message")
	f(messagesOf(`"n":1,`, user), "n: Extra inputs are not permitted")
	f(messagesOf(`"temperature":1.5,`, user), "temperature: range: 0..1")
	f(messagesOf("", `{"role":"system","content":"x"}`), `Unexpected role "system"`)
	f(messagesOf("", `{"role":"wizard","content":"x"}`), "Input should be 'user' or 'assistant'")
	f(messagesOf("", `{"role":"assistant","content":"x"}`), `must use the "user" role`)
	f(messagesOf("", `{"role":"user","content":""}`), "non-empty content")
	f(messagesOf("", `{"role":"user","content":[{"type":"text","text":" "}]}`), "text content blocks must be non-empty")
	f(messagesOf("", `{"role":"user","content":[{"type":"input_audio"}]}`), "Input tag 'input_audio'")
	f(messagesOf("", user+","+use), "without `tool_result` blocks immediately after: t1")
	f(messagesOf("", user+","+use+","+user), "messages.1: `tool_use` ids were found without")
	f(messagesOf("", user+","+use+","+result("t2")), "unexpected `tool_use_id` found in `tool_result` blocks: t2")
	f(messagesOf("", user+","+result("t1")), "unexpected `tool_use_id`")
	f(messagesOf("", user+","+use+`,{"role":"user","content":[{"type":"text","text":"a"},{"type":"tool_result","tool_use_id":"t1","content":"x"}]}`), "without `tool_result` blocks immediately after")
	f(messagesOf(`"tools":[{"name":"f"}],`, user), "tools.0.custom.input_schema: Field required")
	f(messagesOf(`"tools":[{"name":"f","input_schema":{}}],`, user), "input_schema.type: Field required")
	f(messagesOf(`"tools":[{"name":"f","input_schema":{"type":"string"}}],`, user), "Input should be 'object'")
	f(messagesOf(`"tools":[`+weatherTool+`,`+weatherTool+`],`, user), "Tool names must be unique")
	f(messagesOf(`"tool_choice":{"type":"auto"},`, user), "while providing tools")
	f(messagesOf(`"thinking":{"type":"enabled","budget_tokens":10},`, user), "greater than or equal to 1024")
	f(messagesOf(`"thinking":{"type":"enabled","budget_tokens":2000},`, user), "`max_tokens` must be greater than `thinking.budget_tokens`")
	f(messagesOf(thinkingOn+`"temperature":0.5,`, user), "may only be set to 1 when thinking")
	f(messagesOf(thinkingOn+`"tools":[`+weatherTool+`],"tool_choice":{"type":"any"},`, user), "tool_choice forces tool use")
}

func TestAnthropic_Faults(t *testing.T) {
	r := newRig(t)
	f := func(behaviour string, status int, kind, again string) reply {
		t.Helper()
		got := r.post(msgPath, behaviour, msgBody)
		if got.status != status || gjson.Get(got.body, "error.type").Str != kind || gjson.Get(got.body, "error.message").Str == "" || got.head.Get("X-Should-Retry") != again {
			t.Errorf("%s: %d %s", behaviour, got.status, got.body)
		}
		return got
	}
	f("status=400", 400, "invalid_request_error", "false")
	f("status=400; quota", 400, "invalid_request_error", "false")
	f("status=401", 401, "authentication_error", "false")
	f("status=403", 403, "permission_error", "false")
	f("status=404", 404, "not_found_error", "false")
	f("status=413", 413, "request_too_large", "false")
	f("status=500", 500, "api_error", "true")
	f("status=529", 529, "overloaded_error", "true")
	f("nonsense", 400, "invalid_request_error", "false")
	got := f("status=429; retry-after=7", 429, "rate_limit_error", "true")
	for name, want := range map[string]string{
		"Retry-After": "7", "Anthropic-Ratelimit-Requests-Limit": "4000", "Anthropic-Ratelimit-Input-Tokens-Remaining": "1999000",
		"Anthropic-Ratelimit-Output-Tokens-Reset": "2026-01-01T00:00:01Z",
	} {
		if got.head.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, got.head.Get(name), want)
		}
	}
	without := func(name, value string, status int, message string) {
		t.Helper()
		req := r.request(context.Background(), msgPath, "", msgBody)
		req.Header.Set(name, value)
		if got := r.do(req); got.status != status || gjson.Get(got.body, "error.message").Str != message {
			t.Errorf("%s %q: %d %s", name, value, got.status, got.body)
		}
	}
	without("X-Api-Key", "", 401, "x-api-key header is required")
	without("X-Api-Key", "bad", 401, "invalid x-api-key")
	without("Anthropic-Version", "", 400, "anthropic-version: header is required")
}

package main_test

import (
	"encoding/json"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers/providertest"
)

var messagesFace = &clientFace{
	name: "Anthropic Messages", language: "anthropic",
	headers:   map[string]string{"x-api-key": fullKey, "anthropic-version": "2023-06-01"},
	path:      func(*question) string { return "/anthropic/v1/messages" },
	ask:       askMessages,
	read:      readMessages,
	stream:    func() assembler { return &messagesStream{} },
	readFault: readMessagesFault,
	words:     finishes{stop: "end_turn", length: "max_tokens", calls: "tool_use", refusal: "refusal", limited: "rate_limit_error"},

	countsThoughts: true,
}

func askMessages(q *question) object {
	_, pixel, _ := strings.Cut(pixelURL, ",")
	user := []any{object{"type": "text", "text": q.user}}
	if q.image {
		user = append(user, object{"type": "image", "source": object{"type": "base64", "media_type": "image/png", "data": pixel}})
	}
	messages := []any{object{"role": "user", "content": user}}
	for _, r := range q.past {
		var results []any
		for i := range r.calls {
			results = append(results, object{"type": "tool_result", "tool_use_id": r.calls[i].id, "content": r.calls[i].result()})
		}
		messages = append(messages, object{"role": "assistant", "content": r.turn}, object{"role": "user", "content": results})
	}
	asked := object{"model": q.model, "messages": messages, "system": q.system, "max_tokens": 4096}
	if q.stream {
		asked["stream"] = true
	}
	if q.tools {
		var tools []any
		for _, name := range toolNames {
			tools = append(tools, object{"name": name, "input_schema": placeSchema()})
		}
		asked["tools"] = tools
	}
	if q.schema {
		asked["output_config"] = object{"format": object{"type": "json_schema", "schema": personSchema()}}
	}
	if q.thinks {
		asked["thinking"] = object{"type": "enabled", "budget_tokens": 2048}
	}
	if q.stop != "" {
		asked["stop_sequences"] = []string{q.stop}
	}
	if q.most > 0 {
		asked["max_tokens"] = q.most
	}
	return asked
}

func readMessages(whole gjson.Result) *reply {
	usage := whole.Get("usage")
	r := &reply{
		stop: whole.Get("stop_reason").Str, refusal: whole.Get("stop_details.explanation").Str,
		output: usage.Get("output_tokens").Int(), thoughts: usage.Get("output_tokens_details.thinking_tokens").Int(),
		input: usage.Get("input_tokens").Int() + usage.Get("cache_read_input_tokens").Int() + usage.Get("cache_creation_input_tokens").Int(),
		turn:  json.RawMessage(whole.Get("content").Raw),
	}
	for _, b := range whole.Get("content").Array() {
		switch b.Get("type").Str {
		case "text":
			r.text += b.Get("text").Str
		case "thinking":
			r.reasoning += b.Get("thinking").Str
		case "tool_use":
			r.calls = append(r.calls, toolCall{b.Get("id").Str, b.Get("name").Str, b.Get("input").Raw})
		}
	}
	return r
}

func readMessagesFault(body gjson.Result) *toldFault {
	e := body.Get("error")
	if body.Get("type").Str != "error" || e.Get("type").Str == "" {
		return nil
	}
	return &toldFault{kind: e.Get("type").Str, message: e.Get("message").Str}
}

// A messagesStream keeps a stream whole.
type messagesStream struct{ all []byte }

func (s *messagesStream) event(raw, _ string) { s.all = append(s.all, raw...) }

func (s *messagesStream) end() (whole, fault gjson.Result, ended bool, wrong []string) {
	message, broken, wrong := providertest.MessageStream(s.all)
	if broken != nil {
		fault = gjson.Parse(jsonOf(object{"type": "error", "error": broken}))
	}
	return gjson.Parse(jsonOf(message)), fault, broken == nil && message["stop_reason"] != nil, wrong
}

package main_test

import (
	"encoding/json"
	"strings"

	"github.com/tidwall/gjson"
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

// A messagesStream puts the events of a message together: a start; blocks, of which one is open
// at a time; a delta of the message; a stop. Pings may stand between them.
type messagesStream struct {
	grammar
	message object
	blocks  []object
	open    bool
	partial string
	told    bool // the message's delta came
	ended   bool
	fault   gjson.Result
}

func (s *messagesStream) event(raw, data string) {
	o := parsed(data)
	kind, _ := o["type"].(string)
	s.check(strings.HasPrefix(raw, "event: "+kind+"\n"), "an event of another name: %q", raw)
	s.check(!s.ended && !s.fault.Exists(), "an event behind the last: %s", data)
	s.check(s.message != nil || kind == "message_start" || kind == "error", "it begins with %s", data)
	at, _ := o["index"].(float64)
	switch kind {
	case "ping":
	case "message_start":
		s.check(s.message == nil, "it starts twice")
		s.message = sub(o, "message")
		content, _ := s.message["content"].([]any)
		s.check(s.message["type"] == "message" && s.message["role"] == "assistant" && content != nil && len(content) == 0, "start %s", data)
	case "content_block_start":
		s.check(!s.open && !s.told && int(at) == len(s.blocks), "block %v starts behind %d", at, len(s.blocks))
		s.open, s.partial = true, ""
		s.blocks = append(s.blocks, sub(o, "content_block"))
	case "content_block_delta", "content_block_stop":
		if !s.open || int(at) != len(s.blocks)-1 {
			s.check(false, "%s of block %v, which is not open", kind, at)
			return
		}
		s.block(kind, sub(o, "delta"))
	case "message_delta":
		s.check(!s.open && !s.told, "the message's delta in a block, or twice")
		s.told = true
		for name, value := range sub(o, "delta") {
			s.message[name] = value
		}
		for name, value := range sub(o, "usage") {
			sub(s.message, "usage")[name] = value
		}
	case "message_stop":
		s.check(s.told && s.message["stop_reason"] != nil, "it stops without a reason")
		s.ended = true
	case "error":
		s.fault = gjson.Parse(data)
	default:
		s.check(false, "event %s", data)
	}
}

func (s *messagesStream) block(event string, delta object) {
	b := s.blocks[len(s.blocks)-1]
	if event == "content_block_stop" {
		s.open = false
		if s.partial != "" {
			input := parsed(s.partial)
			s.check(input != nil, "arguments %s", s.partial)
			b["input"] = input
		}
		return
	}
	kind, _ := delta["type"].(string)
	fits := map[string]string{"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "thinking", "input_json_delta": "tool_use"}
	s.check(fits[kind] != "" && fits[kind] == b["type"], "a %s in a block of %v", kind, b["type"])
	for _, name := range []string{"text", "thinking", "signature"} {
		if delta[name] != nil {
			plus(b, name, delta[name])
		}
	}
	piece, _ := delta["partial_json"].(string)
	s.partial += piece
}

func (s *messagesStream) end() (whole, fault gjson.Result, ended bool, wrong []string) {
	if s.message == nil {
		s.message = object{}
	}
	s.message["content"] = s.blocks
	return gjson.Parse(jsonOf(s.message)), s.fault, s.ended, s.wrong
}

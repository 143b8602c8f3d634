package main_test

import (
	"encoding/json"
	"fmt"

	"github.com/tidwall/gjson"
)

var chatFace = &clientFace{
	name: "OpenAI Chat Completions", language: "openai",
	headers:   map[string]string{"authorization": "Bearer " + fullKey},
	path:      func(*question) string { return chatPath },
	ask:       askChat,
	read:      readChat,
	stream:    func() assembler { return &chatStream{message: object{}} },
	readFault: readOpenAIFault,
	words:     finishes{stop: "stop", length: "length", calls: "tool_calls", refusal: "content_filter", limited: "rate_limit_exceeded"},

	countsThoughts: true,
}

func askChat(q *question) object {
	var user any = q.user
	if q.image {
		user = []any{object{"type": "text", "text": q.user}, object{"type": "image_url", "image_url": object{"url": pixelURL}}}
	}
	messages := []any{object{"role": "system", "content": q.system}, object{"role": "user", "content": user}}
	for _, r := range q.past {
		messages = append(messages, r.turn)
		for i := range r.calls {
			messages = append(messages, object{"role": "tool", "tool_call_id": r.calls[i].id, "content": r.calls[i].result()})
		}
	}
	asked := object{"model": q.model, "messages": messages}
	if q.stream {
		asked["stream"], asked["stream_options"] = true, object{"include_usage": true}
	}
	if q.tools {
		var tools []any
		for _, name := range toolNames {
			tools = append(tools, object{"type": "function", "function": object{"name": name, "parameters": placeSchema()}})
		}
		asked["tools"] = tools
	}
	if q.schema {
		asked["response_format"] = object{"type": "json_schema", "json_schema": object{"name": "person", "strict": true, "schema": personSchema()}}
	}
	if q.thinks {
		asked["reasoning_effort"] = "low"
	}
	if q.stop != "" {
		asked["stop"] = []string{q.stop}
	}
	if q.most > 0 {
		asked["max_completion_tokens"] = q.most
	}
	return asked
}

func readChat(whole gjson.Result) *reply {
	choice, usage := whole.Get("choices.0"), whole.Get("usage")
	message := choice.Get("message")
	r := &reply{
		text: message.Get("content").Str, reasoning: message.Get("reasoning_content").Str, refusal: message.Get("refusal").Str,
		stop: choice.Get("finish_reason").Str, input: usage.Get("prompt_tokens").Int(), output: usage.Get("completion_tokens").Int(),
		thoughts: usage.Get("completion_tokens_details.reasoning_tokens").Int(), turn: json.RawMessage(message.Raw),
	}
	for _, c := range message.Get("tool_calls").Array() {
		r.calls = append(r.calls, toolCall{c.Get("id").Str, c.Get("function.name").Str, c.Get("function.arguments").Str})
	}
	return r
}

func readOpenAIFault(body gjson.Result) *toldFault {
	e := body.Get("error")
	if !e.Get("message").Exists() || !e.Get("type").Exists() || !e.Get("code").Exists() || !e.Get("param").Exists() {
		return nil
	}
	return &toldFault{kind: e.Get("code").Str, message: e.Get("message").Str}
}

// A chatStream puts chunks together as OpenAI's clients do: texts are joined, and of members
// that they do not know the last one stays.
type chatStream struct {
	grammar
	id, finish    any
	message       object
	calls         []any
	usage         any
	fault         gjson.Result
	chunks, ended int
}

func (s *chatStream) event(_, data string) {
	s.check(s.ended == 0 && !s.fault.Exists(), "an event behind the last: %s", data)
	if data == "[DONE]" {
		s.ended++
		return
	}
	o := parsed(data)
	if _, broken := o["error"]; broken {
		s.fault = gjson.Parse(data)
		return
	}
	s.check(o["object"] == "chat.completion.chunk" && o["id"] != nil && (s.id == nil || s.id == o["id"]), "chunk %s", data)
	s.id = o["id"]
	if o["usage"] != nil {
		s.check(s.finish != nil && s.usage == nil, "usage before the finish, or twice: %s", data)
		s.usage = o["usage"]
	}
	choices, _ := o["choices"].([]any)
	for _, c := range choices {
		choice, _ := c.(object)
		s.choice(choice)
	}
}

func (s *chatStream) choice(choice object) {
	delta := sub(choice, "delta")
	s.check(s.finish == nil, "a choice behind its finish: %v", choice)
	s.check(s.chunks > 0 || delta["role"] == "assistant", "it begins with %v", delta)
	s.chunks++
	for name, value := range delta {
		switch name {
		case "content", "refusal", "reasoning_content":
			if value != nil {
				plus(s.message, name, value)
			}
		case "tool_calls":
			list, _ := value.([]any)
			for _, one := range list {
				s.call(one.(object))
			}
		default:
			s.message[name] = value
		}
	}
	s.finish = choice["finish_reason"]
}

func (s *chatStream) call(piece object) {
	at, _ := piece["index"].(float64)
	if int(at) == len(s.calls) {
		function := sub(piece, "function")
		s.check(piece["id"] != nil && piece["type"] == "function" && function["name"] != nil, "a call begins with %v", piece)
		s.calls = append(s.calls, object{"function": object{}})
	}
	if int(at) >= len(s.calls) {
		s.check(false, "a piece of call %v, of %d", at, len(s.calls))
		return
	}
	call, _ := s.calls[int(at)].(object)
	for name, value := range piece {
		switch name {
		case "index":
		case "function":
			function := sub(piece, "function")
			if function["name"] != nil {
				sub(call, "function")["name"] = function["name"]
			}
			plus(sub(call, "function"), "arguments", function["arguments"])
		default:
			call[name] = value
		}
	}
}

func (s *chatStream) end() (whole, fault gjson.Result, ended bool, wrong []string) {
	if s.calls != nil {
		s.message["tool_calls"] = s.calls
	}
	if s.ended > 0 {
		s.check(s.finish != nil && s.usage != nil, "it ends without a finish or usage")
	}
	whole = gjson.Parse(jsonOf(object{"choices": []any{object{"message": s.message, "finish_reason": s.finish}}, "usage": s.usage}))
	return whole, s.fault, s.ended > 0, s.wrong
}

// grammar notes what breaks it.
type grammar struct{ wrong []string }

func (g *grammar) check(ok bool, format string, args ...any) {
	if !ok {
		g.wrong = append(g.wrong, fmt.Sprintf(format, args...))
	}
}

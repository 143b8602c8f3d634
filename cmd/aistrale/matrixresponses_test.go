package main_test

import (
	"encoding/json"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers/providertest"
)

var responsesFace = &clientFace{
	name: "OpenAI Responses", language: "responses",
	headers:   map[string]string{"authorization": "Bearer " + fullKey},
	path:      func(*question) string { return "/v1/responses" },
	ask:       askResponses,
	read:      readResponses,
	stream:    func() assembler { return &responsesStream{} },
	readFault: readResponsesFault,
	words: finishes{
		stop: "completed", length: "incomplete: max_output_tokens", calls: "completed",
		refusal: "incomplete: content_filter", limited: "rate_limit_exceeded",
	},

	countsThoughts: true, noStops: true,
}

func askResponses(q *question) object {
	content := []any{object{"type": "input_text", "text": q.user}}
	if q.image {
		content = append(content, object{"type": "input_image", "image_url": pixelURL, "detail": "auto"})
	}
	input := []any{object{"role": "user", "content": content}}
	for _, r := range q.past {
		for _, item := range gjson.ParseBytes(r.turn).Array() {
			input = append(input, json.RawMessage(item.Raw))
		}
		for i := range r.calls {
			input = append(input, object{"type": "function_call_output", "call_id": r.calls[i].id, "output": r.calls[i].result()})
		}
	}
	asked := object{
		"model": q.model, "instructions": q.system, "input": input, "store": false, "include": []string{"reasoning.encrypted_content"},
	}
	if q.stream {
		asked["stream"] = true
	}
	if q.tools {
		var tools []any
		for _, name := range toolNames {
			tools = append(tools, object{"type": "function", "name": name, "parameters": placeSchema(), "strict": false})
		}
		asked["tools"] = tools
	}
	if q.schema {
		asked["text"] = object{"format": object{"type": "json_schema", "name": "person", "strict": true, "schema": personSchema()}}
	}
	if q.thinks {
		asked["reasoning"] = object{"effort": "low", "summary": "auto"}
	}
	if q.most > 0 {
		asked["max_output_tokens"] = q.most
	}
	return asked
}

// readResponsesFault reads an error, or the event of one, which OpenAI's own streams have flat.
func readResponsesFault(body gjson.Result) *toldFault {
	if f := readOpenAIFault(body); f != nil || body.Get("type").Str != "error" || body.Get("code").Str == "" {
		return f
	}
	return &toldFault{kind: body.Get("code").Str, message: body.Get("message").Str}
}

func readResponses(whole gjson.Result) *reply {
	usage := whole.Get("usage")
	r := &reply{
		stop: whole.Get("status").Str, input: usage.Get("input_tokens").Int(), output: usage.Get("output_tokens").Int(),
		thoughts: usage.Get("output_tokens_details.reasoning_tokens").Int(), turn: json.RawMessage(whole.Get("output").Raw),
	}
	if why := whole.Get("incomplete_details.reason").Str; why != "" {
		r.stop += ": " + why
	}
	for _, item := range whole.Get("output").Array() {
		switch item.Get("type").Str {
		case "message":
			for _, part := range item.Get("content").Array() {
				r.text += part.Get("text").Str
				r.refusal += part.Get("refusal").Str
			}
		case "reasoning":
			for _, part := range item.Get("summary").Array() {
				r.reasoning += part.Get("text").Str
			}
		case "function_call":
			r.calls = append(r.calls, toolCall{item.Get("call_id").Str, item.Get("name").Str, item.Get("arguments").Str})
		}
	}
	return r
}

// A responsesStream keeps a stream whole: its last event has the response. Where it broke off,
// the pieces of text are what the client has.
type responsesStream struct {
	all    []byte
	pieces string
	fault  gjson.Result
}

func (s *responsesStream) event(raw, data string) {
	s.all = append(s.all, raw...)
	switch o := gjson.Parse(data); o.Get("type").Str {
	case "response.output_text.delta":
		s.pieces += o.Get("delta").Str
	case "error":
		s.fault = o
	}
}

func (s *responsesStream) end() (whole, fault gjson.Result, ended bool, wrong []string) {
	response, wrong := providertest.ResponseStream(s.all)
	if status := response["status"]; status == "completed" || status == "incomplete" {
		return gjson.Parse(jsonOf(response)), s.fault, true, wrong
	}
	content := []any{object{"type": "output_text", "text": s.pieces}}
	return gjson.Parse(jsonOf(object{"output": []any{object{"type": "message", "content": content}}})), s.fault, false, wrong
}

package responses

import (
	"strconv"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// player says the events of a response that is kept: what came in pieces comes in one.
type player struct {
	dst    []byte
	number int
	after  int // the number of the last event that the client has
}

// replay gives the stream of a kept response behind the event with the number given, -1 all of it.
func replay(response []byte, after int) []byte {
	p := &player{after: after}
	begun := edited(response, []providers.Edit{
		{Name: "status", Value: []byte(`"in_progress"`)}, {Name: "output", Value: []byte("[]")},
		{Name: "usage", Value: []byte("null")}, {Name: "incomplete_details", Value: []byte("null")},
	})
	p.event("response.created", `,"response":`, string(begun))
	p.event("response.in_progress", `,"response":`, string(begun))
	at := 0
	gjson.GetBytes(response, "output").ForEach(func(_, item gjson.Result) bool {
		p.item(item, strconv.Itoa(at))
		at++
		return true
	})
	last := "response." + gjson.GetBytes(response, "status").Str
	p.event(last, `,"response":`, string(response))
	return p.dst
}

// event says one, unless the client has it.
func (p *player) event(kind string, members ...string) {
	n := p.number
	p.number++
	if n <= p.after {
		return
	}
	p.dst = append(append(append(p.dst, "event: "...), kind...), "\ndata: {\"type\":\""...)
	p.dst = strconv.AppendInt(append(append(p.dst, kind...), `","sequence_number":`...), int64(n), 10)
	for _, m := range members {
		p.dst = append(p.dst, m...)
	}
	p.dst = append(p.dst, eventEnd...)
}

func (p *player) item(item gjson.Result, at string) {
	place := `,"output_index":` + at
	open := []providers.Edit{{Name: "status", Value: []byte(`"in_progress"`)}}
	kind := item.Get("type").Str
	switch kind {
	case "message":
		open = append(open, providers.Edit{Name: "content", Value: []byte("[]")})
	case "function_call":
		open = append(open, providers.Edit{Name: "arguments", Value: []byte(`""`)})
	case "custom_tool_call":
		open = append(open, providers.Edit{Name: "input", Value: []byte(`""`)})
	case "image_generation_call":
		open = append(open, providers.Edit{Name: "result", Value: []byte("null")})
	case "reasoning":
		open = []providers.Edit{{Name: "summary", Value: []byte("[]")}, {Name: "encrypted_content"}}
	}
	p.event("response.output_item.added", place, `,"item":`, string(edited([]byte(item.Raw), open)))
	member := `,"item_id":` + item.Get("id").Raw + place
	switch kind {
	case "message":
		p.parts(item.Get("content"), member)
	case "reasoning":
		p.summary(item.Get("summary"), member)
	case "function_call":
		text := item.Get("arguments").Raw
		p.event("response.function_call_arguments.delta", member, `,"delta":`, text)
		p.event("response.function_call_arguments.done", member, `,"arguments":`, text)
	case "custom_tool_call":
		text := item.Get("input").Raw
		p.event("response.custom_tool_call_input.delta", member, `,"delta":`, text)
		p.event("response.custom_tool_call_input.done", member, `,"input":`, text)
	case "image_generation_call":
		p.event("response.image_generation_call.completed", member)
	}
	p.event("response.output_item.done", place, `,"item":`, item.Raw)
}

func (p *player) summary(parts gjson.Result, member string) {
	for i, part := range parts.Array() {
		at := member + `,"summary_index":` + strconv.Itoa(i)
		p.event("response.reasoning_summary_part.added", at, `,"part":{"type":"summary_text","text":""}`)
		p.event("response.reasoning_summary_text.delta", at, `,"delta":`, part.Get("text").Raw)
		p.event("response.reasoning_summary_text.done", at, `,"text":`, part.Get("text").Raw)
		p.event("response.reasoning_summary_part.done", at, `,"part":`, part.Raw)
	}
}

func (p *player) parts(parts gjson.Result, member string) {
	for i, part := range parts.Array() {
		at := member + `,"content_index":` + strconv.Itoa(i)
		said := part.Get("text").Raw
		switch part.Get("type").Str {
		case "output_text":
			p.event("response.content_part.added", at, `,"part":{"type":"output_text","text":"","annotations":[],"logprobs":[]}`)
			p.event("response.output_text.delta", at, `,"delta":`, said, `,"logprobs":`, logprobs(part))
			for n, note := range part.Get("annotations").Array() {
				p.event("response.output_text.annotation.added", at, `,"annotation_index":`, strconv.Itoa(n), `,"annotation":`, note.Raw)
			}
			p.event("response.output_text.done", at, `,"text":`, said, `,"logprobs":`, logprobs(part))
		case "refusal":
			said = part.Get("refusal").Raw
			p.event("response.content_part.added", at, `,"part":{"type":"refusal","refusal":""}`)
			p.event("response.refusal.delta", at, `,"delta":`, said)
			p.event("response.refusal.done", at, `,"refusal":`, said)
		default:
			p.event("response.content_part.added", at, `,"part":`, part.Raw)
		}
		p.event("response.content_part.done", at, `,"part":`, part.Raw)
	}
}

func logprobs(part gjson.Result) string {
	if list := part.Get("logprobs"); list.IsArray() {
		return list.Raw
	}
	return "[]"
}

package gemini

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/providers"
)

// functionCall appends a call to a model's content.
func (r *request) functionCall(c *content, b *providers.Block, param string) error {
	name, err := encodeName(param, b.Call.Name)
	if err != nil {
		return err
	}
	w := &c.parts
	w.open('{')
	w.key("functionCall")
	w.open('{')
	if id := nativeID(b.Call.ID); id != "" {
		w.field("id", id)
	}
	w.field("name", name)
	w.rawField("args", arguments(b.Call))
	w.shut('}')
	seal := own(b.Seal)
	if seal == nil && len(c.calls) == 0 && modern(r.call) {
		seal = &providers.Seal{Signature: noSignature}
	}
	w.signature(seal)
	w.shut('}')
	c.calls = append(c.calls, b.Call)
	return nil
}

// nativeID gives the id of a call as the API shall see it again. Those with OpenAI's prefix were
// made by this gateway or by another provider; the API matches calls without one by their order.
func nativeID(id string) string {
	if strings.HasPrefix(id, "call_") {
		return ""
	}
	return id
}

// arguments gives a call's arguments as an object, which the API insists on. What is none (text
// that was cut off, a free-form tool's input) is kept whole in one member.
func arguments(call *providers.ToolCall) []byte {
	text := strings.TrimSpace(call.Arguments)
	if text == "" || text == "null" { // which some models write for none
		return []byte("{}")
	}
	if text[0] == '{' && jsontext.Value(text).IsValid() && !call.Custom {
		return []byte(text)
	}
	var w body
	w.open('{')
	w.field("arguments", call.Arguments)
	w.shut('}')
	return w.b
}

// answers writes the results of the calls in the last content, in the order of the calls and as
// many: the API answers 400 where a result is missing, so one that the client left out is told
// as an error. It looks from turn next on to the next turn that calls again.
func (r *request) answers(next int, used map[*providers.Block]bool) error {
	if len(r.turns) == 0 || r.turns[len(r.turns)-1].role != "model" || len(r.turns[len(r.turns)-1].calls) == 0 {
		return nil
	}
	calls := r.turns[len(r.turns)-1].calls
	found := map[string][]answer{} // by the call's id, in their order
	for _, a := range r.results(next) {
		if id := a.block.Result.CallID; !used[a.block] {
			found[id] = append(found[id], a)
		}
	}
	c := content{role: "user", results: true}
	var media []answer
	for _, call := range calls {
		name, _ := encodeName("", call.Name) // written before
		var hit *providers.ToolResult
		if list := found[call.ID]; len(list) > 0 {
			found[call.ID] = list[1:]
			used[list[0].block] = true
			hit = list[0].block.Result
			media = append(media, list[0])
		}
		c.parts.functionResponse(call, name, hit)
	}
	r.turns = append(r.turns, c)
	for _, m := range media {
		if err := r.resultMedia(m.block, m.param); err != nil {
			return err
		}
	}
	return nil
}

// answer is a result and its place.
type answer struct {
	block *providers.Block
	param string
}

func (r *request) results(next int) []answer {
	var list []answer
	for t := next; t < len(r.req.Turns); t++ {
		blocks := r.req.Turns[t].Blocks
		for i := range blocks {
			if blocks[i].Kind == providers.KindToolCall {
				return list
			}
			if blocks[i].Kind == providers.KindToolResult {
				list = append(list, answer{&blocks[i], param(t, i)})
			}
		}
	}
	return list
}

func (w *body) functionResponse(call *providers.ToolCall, name string, hit *providers.ToolResult) {
	w.open('{')
	w.key("functionResponse")
	w.open('{')
	if id := nativeID(call.ID); id != "" {
		w.field("id", id)
	}
	w.field("name", name)
	w.key("response")
	if hit == nil {
		w.open('{')
		w.field("error", "no result was given for this call")
		w.shut('}')
	} else {
		w.response(hit)
	}
	w.shut('}')
	w.shut('}')
}

// response says a result as an object: its own JSON where it is one, else {"output": text}.
// Source: https://ai.google.dev/api/caching#FunctionResponse
func (w *body) response(result *providers.ToolResult) {
	text := resultText(result)
	trimmed := strings.TrimSpace(text)
	object := trimmed != "" && trimmed[0] == '{' && jsontext.Value(trimmed).IsValid()
	if object && !result.IsError {
		w.raw([]byte(trimmed))
		return
	}
	w.open('{')
	switch {
	case object:
		w.rawField("error", []byte(trimmed))
	case result.IsError:
		w.field("error", text)
	default:
		w.field("output", text)
	}
	w.shut('}')
}

func resultText(result *providers.ToolResult) string {
	var b strings.Builder
	for i := range result.Blocks {
		if k := result.Blocks[i].Kind; k == providers.KindText || k == providers.KindRefusal {
			b.WriteString(result.Blocks[i].Text)
		}
	}
	return b.String()
}

// resultMedia puts the media of a result behind the results, as the user's: only the newest
// models take parts within a functionResponse.
func (r *request) resultMedia(b *providers.Block, param string) error {
	for i := range b.Result.Blocks {
		r.mark(&b.Result.Blocks[i])
		if b.Result.Blocks[i].Media == nil {
			continue
		}
		if err := r.media(&r.turn("user").parts, &b.Result.Blocks[i], param); err != nil {
			return err
		}
	}
	return nil
}

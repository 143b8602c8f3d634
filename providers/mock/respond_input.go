package mock

import (
	"fmt"
	"slices"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// A respondTurn is what the next items must fit to: the calls that wait for their outputs.
type respondTurn struct {
	open   []string // ids of calls without an output yet
	names  map[string]string
	called bool // the last items were calls
}

// readInput reads what a response before this one was about, and then the items of this one.
func (p *respondReader) readInput() *refusal {
	p.turn.names = map[string]string{}
	if p.previous != "" {
		if refused := p.readBefore(); refused != nil {
			return refused
		}
	}
	items := p.input
	switch {
	case items.Type == gjson.String:
		message := append(providers.AppendString([]byte(`[{"type":"message","role":"user","content":[{"type":"input_text","text":`), items.Str), "}]}]"...)
		items = gjson.ParseBytes(message)
	case items.Exists() && !items.IsArray():
		return wrongType("input", "one of a string or an array of objects", items)
	}
	for i, one := range items.Array() {
		if refused := p.item(fmt.Sprintf("input[%d]", i), one); refused != nil {
			return refused
		}
		p.ask.said = append(p.ask.said, one.Raw)
	}
	if len(p.turn.open) > 0 {
		return invalid("input", "No tool output found for function call "+p.turn.open[0]+".")
	}
	return nil
}

// readBefore reads the items up to the end of a response that was kept.
func (p *respondReader) readBefore() *refusal {
	before, found := p.shelf.items(p.previous)
	if !found {
		r := invalid("previous_response_id", "Previous response with id '"+p.previous+"' not found.")
		return r.withCode("previous_response_not_found")
	}
	p.ask.before = before
	p.ask.input += int64(len(before)+3) / 4
	for _, one := range gjson.Parse("[" + before + "]").Array() {
		if refused := p.item("previous_response_id", one); refused != nil {
			return refused
		}
	}
	return nil
}

// item reads one item of the input. Those of hosted tools are taken as they are.
func (p *respondReader) item(at string, v gjson.Result) *refusal {
	a := p.ask
	if !v.IsObject() {
		return wrongType(at, "an object", v)
	}
	kind := v.Get("type").Str
	if kind == "" && v.Get("id").Str != "" && !v.Get("role").Exists() {
		kind = "item_reference" // whose type may be left out
	}
	switch kind {
	case "message", "":
		return p.message(at, v)
	case "function_call":
		id, name := v.Get("call_id").Str, v.Get("name").Str
		switch {
		case id == "":
			return missing(at + ".call_id")
		case name == "":
			return missing(at + ".name")
		case v.Get("arguments").Type != gjson.String:
			return wrongType(at+".arguments", "a string", v.Get("arguments"))
		}
		if !p.turn.called {
			a.rounds, a.results, p.turn.called = a.rounds+1, nil, true
		}
		p.turn.open = append(p.turn.open, id)
		p.turn.names[id] = name
	case "function_call_output":
		return p.output(at, v)
	case "reasoning":
		sealed := v.Get("encrypted_content")
		if sealed.Type == gjson.String && !isToken("openai reasoning", sealed.Str) {
			return invalid("", "The encrypted content for item "+v.Get("id").Str+" could not be verified.").withCode("invalid_encrypted_content")
		}
		if !v.Get("summary").IsArray() {
			return missing(at + ".summary")
		}
	case "item_reference":
		return &refusal{status: 404, param: "input", message: "Item with id '" + v.Get("id").Str + "' not found."}
	}
	return nil
}

func (p *respondReader) output(at string, v gjson.Result) *refusal {
	id, said := v.Get("call_id").Str, v.Get("output")
	name, known := p.turn.names[id]
	switch {
	case id == "":
		return missing(at + ".call_id")
	case !known:
		return invalid("input", "No tool call found for function call output with call_id "+id+".")
	case !said.Exists():
		return missing(at + ".output")
	}
	p.turn.open = slices.DeleteFunc(p.turn.open, func(open string) bool { return open == id })
	p.turn.called = false
	p.ask.results = append(p.ask.results, result{name, chatText(said)})
	return nil
}

func (p *respondReader) message(at string, v gjson.Result) *refusal {
	content := v.Get("content")
	p.turn.called = false
	role := v.Get("role").Str
	switch role {
	case "user":
		p.ask.user, p.ask.results, p.ask.rounds = chatText(content), nil, 0
	case "assistant":
		p.ask.results = nil
	case "system", "developer":
	case "":
		return missing(at + ".role")
	default:
		return invalid(at+".role", fmt.Sprintf("Invalid value: '%s'. Supported values are: 'assistant', 'system', 'developer', and 'user'.", role)).withCode("invalid_value")
	}
	p.json = p.json || hasJSON(chatText(content))
	if content.Type == gjson.String {
		return nil
	}
	if !content.IsArray() {
		return wrongType(at+".content", "one of a string or array of objects", content)
	}
	for i, part := range content.Array() {
		if kind := part.Get("type").Str; !isRespondPart(role, kind) {
			return invalid(fmt.Sprintf("%s.content[%d]", at, i), fmt.Sprintf("Invalid value: '%s'. Supported values are: %s.", kind, respondParts(role))).withCode("invalid_value")
		}
	}
	return nil
}

func isRespondPart(role, kind string) bool {
	switch kind {
	case "output_text", "refusal":
		return role == "assistant"
	case "input_text", "input_image", "input_file", "input_audio":
		return role != "assistant"
	}
	return false
}

func respondParts(role string) string {
	if role == "assistant" {
		return "'output_text' and 'refusal'"
	}
	return "'input_text', 'input_image', 'input_file', and 'input_audio'"
}

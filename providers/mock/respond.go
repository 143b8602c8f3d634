package mock

import (
	"fmt"
	"strings"

	"github.com/tidwall/gjson"
)

// leastRespond is the smallest bound on the output that the Responses API takes.
const leastRespond = 16

// readRespond reads a Responses request, and refuses what OpenAI refuses. Hosted and custom
// tools are taken, and never called.
// Source: https://platform.openai.com/docs/api-reference/responses/create
func readRespond(r *request) (*ask, *refusal) {
	p := respondReader{ask: newAsk(r.body, ""), shelf: r.shelf}
	p.ask.asked, p.ask.stores = r.doc, true
	if refused := r.fields(p.field); refused != nil {
		return nil, refused
	}
	if refused := p.check(); refused != nil {
		return nil, refused
	}
	if p.ask.stores && p.shelf != nil {
		p.ask.id = mix(p.ask.id + p.shelf.next()) // what is kept has an id of its own
	}
	return p.ask, nil
}

// readRespondCount reads a request to count what a response's input takes.
// Source: https://platform.openai.com/docs/api-reference/responses/input-tokens
func readRespondCount(r *request) (*ask, *refusal) {
	p := respondReader{ask: newAsk(r.body, ""), shelf: r.shelf}
	p.ask.counts = true
	if refused := r.fields(p.field); refused != nil {
		return nil, refused
	}
	return p.ask, p.check()
}

func writeRespondCount(dst []byte, _ *ask, ans *answer) []byte {
	return append(number(dst, `{"object":"response.input_tokens","input_tokens":`, ans.usage.input), '}')
}

type respondReader struct {
	ask      *ask
	shelf    *shelf // nil: nothing is kept
	input    gjson.Result
	previous string
	json     bool // the word stands in some message
	turn     respondTurn
}

func (p *respondReader) field(name string, v gjson.Result) *refusal {
	a := p.ask
	if v.Type == gjson.Null {
		return nil
	}
	switch name {
	case "model":
		a.model = v.Str
	case "input":
		p.input = v
	case "stream":
		return boolean(name, v, &a.stream)
	case "store":
		return boolean(name, v, &a.stores)
	case "temperature":
		return decimal(name, v, 0, 2)
	case "top_p":
		return decimal(name, v, 0, 1)
	case "max_output_tokens":
		return p.bound(v)
	case "previous_response_id":
		p.previous = v.Str
	case "tools":
		return p.tools(v)
	case "tool_choice":
		p.choice(v)
	case "parallel_tool_calls":
		a.single = v.Raw == "false"
	case "text":
		return p.format(v.Get("format"))
	case "reasoning":
		a.thinks = v.Get("effort").Str != "none"
		a.hideThoughts = !v.Get("summary").Exists() || v.Get("summary").Type == gjson.Null
	case "include":
		a.sealsThoughts = strings.Contains(v.Raw, `"reasoning.encrypted_content"`)
	case "conversation":
		return invalid(name, "The mock keeps no turns of conversations.")
	case "messages", "max_tokens", "max_completion_tokens", "response_format", "n", "stop", "functions", "reasoning_effort":
		return invalid(name, "Unsupported parameter: '"+name+"'. It belongs to the Chat Completions API.").withCode("unsupported_parameter")
	}
	return nil
}

func (p *respondReader) bound(v gjson.Result) *refusal {
	if refused := positive("max_output_tokens", v, &p.ask.most); refused != nil || p.ask.most >= leastRespond {
		return refused
	}
	return invalid("max_output_tokens", fmt.Sprintf("Invalid 'max_output_tokens': integer below minimum value. Expected a value >= %d, but got %s instead.", leastRespond, v.Raw)).withCode("integer_below_min_value")
}

func (p *respondReader) tools(v gjson.Result) *refusal {
	if !v.IsArray() {
		return wrongType("tools", "an array of objects", v)
	}
	for i, one := range v.Array() {
		at := fmt.Sprintf("tools[%d]", i)
		name, schema := one.Get("name"), one.Get("parameters")
		switch kind := one.Get("type"); {
		case !kind.Exists():
			return missing(at + ".type")
		case kind.Str != "function":
			continue
		case !name.Exists():
			return missing(at + ".name")
		case !isName(name.Str):
			return invalid(at+".name", fmt.Sprintf("Invalid '%s.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.", at)).withCode("invalid_value")
		}
		if t := schema.Get("type"); schema.IsObject() && t.Exists() && t.Str != "object" {
			return invalid(at+".parameters", fmt.Sprintf("Invalid schema for function '%s': schema must be a JSON Schema of 'type: \"object\"', got 'type: %s'.", name.Str, t.Raw)).withCode("invalid_function_parameters")
		}
		p.ask.tools = append(p.ask.tools, tool{name.Str, schema})
	}
	return nil
}

func (p *respondReader) choice(v gjson.Result) {
	a := p.ask
	switch {
	case v.Str == "none":
		a.choice = choiceNone
	case v.Str == "required":
		a.choice = choiceAny
	case v.Get("type").Str == "function":
		a.choice, a.forced = choiceAny, v.Get("name").Str
	case v.Get("type").Str == "allowed_tools" && v.Get("mode").Str == "required":
		a.choice, a.forced = choiceAny, v.Get("tools.0.name").Str
	}
}

func (p *respondReader) format(v gjson.Result) *refusal {
	switch kind := v.Get("type").Str; kind {
	case "text", "":
	case "json_object":
		p.ask.json = true
	case "json_schema":
		if v.Get("name").Str == "" {
			return missing("text.format.name")
		}
		if p.ask.schema = v.Get("schema"); !p.ask.schema.IsObject() {
			return missing("text.format.schema")
		}
	default:
		return invalid("text.format.type", fmt.Sprintf("Invalid value: '%s'. Supported values are: 'json_object', 'json_schema', and 'text'.", kind)).withCode("invalid_value")
	}
	return nil
}

// check holds the whole request against the rules that no field shows alone.
func (p *respondReader) check() *refusal {
	a := p.ask
	switch {
	case a.model == "":
		return missing("model")
	case isMissing(a.model):
		return unknownModel(a.model)
	case !p.input.Exists() && p.previous == "":
		return missing("input")
	case a.choice == choiceAny && len(a.tools) == 0:
		return invalid("tool_choice", "Tool choice must be one of the given 'tools'.")
	}
	if a.forced != "" {
		if _, ok := a.tool(a.forced); !ok {
			return invalid("tool_choice", fmt.Sprintf("Tool choice 'function' not found in 'tools' parameter: no function is named '%s'.", a.forced))
		}
	}
	if refused := p.readInput(); refused != nil {
		return refused
	}
	if a.json && !p.json {
		return invalid("input", "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.")
	}
	return nil
}

package mock

import (
	"fmt"
	"strings"

	"github.com/tidwall/gjson"
)

// readChat reads a chat completions request, and refuses what OpenAI refuses.
// Source: https://platform.openai.com/docs/api-reference/chat/create
func readChat(r *request) (*ask, *refusal) {
	var c chatReader
	c.ask = newAsk(r.body, "")
	if refused := r.fields(c.field); refused != nil {
		return nil, refused
	}
	return c.ask, c.check()
}

type chatReader struct {
	ask      *ask
	messages gjson.Result
	options  bool // stream_options was given
	old, new bool // max_tokens, max_completion_tokens
	json     bool // the word stands in some message
}

func (c *chatReader) field(name string, v gjson.Result) *refusal {
	a := c.ask
	if v.Type == gjson.Null {
		return nil
	}
	switch name {
	case "model":
		a.model = v.Str
	case "messages":
		c.messages = v
	case "stream":
		return boolean(name, v, &a.stream)
	case "stream_options":
		c.options = true
		return boolean("stream_options.include_usage", v.Get("include_usage"), &a.includeUsage)
	case "temperature":
		return decimal(name, v, 0, 2)
	case "top_p":
		return decimal(name, v, 0, 1)
	case "presence_penalty", "frequency_penalty":
		return decimal(name, v, -2, 2)
	case "max_tokens":
		c.old = true
		return positive(name, v, &a.most)
	case "max_completion_tokens":
		c.new = true
		return positive(name, v, &a.most)
	case "n":
		n := int64(1)
		refused := positive(name, v, &n)
		a.n = int(min(n, 128))
		return refused
	case "tools":
		return c.tools(v)
	case "tool_choice":
		c.choice(v)
	case "parallel_tool_calls":
		a.single = v.Raw == "false"
	case "response_format":
		return c.format(v)
	case "reasoning_effort":
		a.thinks = v.Str != "none"
	}
	return nil
}

func boolean(name string, v gjson.Result, into *bool) *refusal {
	if v.Exists() && v.Type != gjson.Null && !v.IsBool() {
		return wrongType(name, "a boolean", v)
	}
	*into = v.Bool()
	return nil
}

func decimal(name string, v gjson.Result, least, most float64) *refusal {
	switch {
	case v.Type != gjson.Number:
		return wrongType(name, "a decimal", v)
	case v.Num > most:
		return invalid(name, fmt.Sprintf("Invalid '%s': decimal above maximum value. Expected a value <= %v, but got %s instead.", name, most, v.Raw)).withCode("decimal_above_max_value")
	case v.Num < least:
		return invalid(name, fmt.Sprintf("Invalid '%s': decimal below minimum value. Expected a value >= %v, but got %s instead.", name, least, v.Raw)).withCode("decimal_below_min_value")
	}
	return nil
}

func positive(name string, v gjson.Result, into *int64) *refusal {
	if v.Type != gjson.Number || strings.ContainsAny(v.Raw, ".eE") {
		return wrongType(name, "an integer", v)
	}
	if v.Int() < 1 {
		return invalid(name, fmt.Sprintf("Invalid '%s': integer below minimum value. Expected a value >= 1, but got %s instead.", name, v.Raw)).withCode("integer_below_min_value")
	}
	*into = v.Int()
	return nil
}

func wrongType(name, want string, v gjson.Result) *refusal {
	got := map[gjson.Type]string{gjson.String: "a string", gjson.Number: "a number", gjson.True: "a boolean", gjson.False: "a boolean", gjson.Null: "null"}[v.Type]
	switch {
	case v.IsArray():
		got = "an array"
	case v.IsObject():
		got = "an object"
	}
	return invalid(name, fmt.Sprintf("Invalid type for '%s': expected %s, but got %s instead.", name, want, got)).withCode("invalid_type")
}

func missing(name string) *refusal {
	return invalid(name, "Missing required parameter: '"+name+"'.").withCode("missing_required_parameter")
}

func (c *chatReader) tools(v gjson.Result) *refusal {
	if !v.IsArray() {
		return wrongType("tools", "an array of objects", v)
	}
	list := v.Array()
	if len(list) == 0 {
		return invalid("tools", "Invalid 'tools': empty array. Expected an array with minimum length 1, but got an empty array instead.").withCode("empty_array")
	}
	for i, one := range list {
		at := fmt.Sprintf("tools[%d]", i)
		kind := one.Get("type").Str
		if kind != "function" && kind != "custom" {
			return invalid(at+".type", fmt.Sprintf("Invalid value: '%s'. Supported values are: 'function' and 'custom'.", kind)).withCode("invalid_value")
		}
		name := one.Get(kind + ".name")
		switch {
		case !name.Exists():
			return missing(at + "." + kind + ".name")
		case !isName(name.Str):
			return invalid(at+".function.name", fmt.Sprintf("Invalid '%s.function.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.", at)).withCode("invalid_value")
		}
		schema := one.Get("function.parameters")
		if t := schema.Get("type"); schema.IsObject() && t.Exists() && t.Str != "object" {
			return invalid(at+".function.parameters", fmt.Sprintf("Invalid schema for function '%s': schema must be a JSON Schema of 'type: \"object\"', got 'type: %s'.", name.Str, t.Raw)).withCode("invalid_function_parameters")
		}
		c.ask.tools = append(c.ask.tools, tool{name.Str, schema})
	}
	return nil
}

func (c *chatReader) choice(v gjson.Result) {
	switch {
	case v.Str == "none":
		c.ask.choice = choiceNone
	case v.Str == "required":
		c.ask.choice = choiceAny
	case v.IsObject():
		c.ask.choice = choiceAny
		if c.ask.forced = v.Get("function.name").Str; c.ask.forced == "" {
			c.ask.forced = v.Get("custom.name").Str
		}
		if v.Get("type").Str == "allowed_tools" {
			c.ask.forced = v.Get("allowed_tools.tools.0.function.name").Str
			if v.Get("allowed_tools.mode").Str != "required" {
				c.ask.choice, c.ask.forced = choiceAuto, ""
			}
		}
	}
}

func (c *chatReader) format(v gjson.Result) *refusal {
	switch kind := v.Get("type").Str; kind {
	case "text":
	case "json_object":
		c.ask.json = true
	case "json_schema":
		if v.Get("json_schema.name").Str == "" {
			return missing("response_format.json_schema.name")
		}
		c.ask.schema = v.Get("json_schema.schema")
	default:
		return invalid("response_format.type", fmt.Sprintf("Invalid value: '%s'. Supported values are: 'json_object', 'json_schema', and 'text'.", kind)).withCode("invalid_value")
	}
	return nil
}

// check holds the whole request against the rules that no field shows alone.
func (c *chatReader) check() *refusal {
	a := c.ask
	switch {
	case a.model == "":
		return invalid("", "you must provide a model parameter")
	case isMissing(a.model):
		return unknownModel(a.model)
	case !c.messages.Exists():
		return missing("messages")
	case !c.messages.IsArray():
		return wrongType("messages", "an array of objects", c.messages)
	case c.options && !a.stream:
		return invalid("stream_options", "The 'stream_options' parameter is only allowed when 'stream' is enabled.")
	case c.old && c.new:
		return invalid("max_tokens", "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.").withCode("invalid_parameter_combination")
	case a.choice == choiceAny && len(a.tools) == 0:
		return invalid("tool_choice", "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.")
	}
	if a.forced != "" {
		if _, ok := a.tool(a.forced); !ok {
			return invalid("tool_choice", fmt.Sprintf("Invalid value for 'tool_choice': no function named '%s' was specified in the 'tools' parameter.", a.forced))
		}
	}
	if refused := c.readMessages(); refused != nil {
		return refused
	}
	if a.json && !c.json {
		return invalid("messages", "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.")
	}
	return nil
}

func unknownModel(model string) *refusal {
	return &refusal{status: 404, code: "model_not_found", message: fmt.Sprintf("The model `%s` does not exist or you do not have access to it.", model)}
}

package catalog_test

import (
	"regexp"
	"slices"
	"strings"
)

// functionName is what OpenAI takes of a function's name and of a format's.
var functionName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)

// validOpenAI checks a Chat Completions request against the rules for which the API answers 400.
// Source: https://platform.openai.com/docs/api-reference/chat/create, and its error messages.
func validOpenAI(body object) []string {
	var f faults
	f.unless(str(body["model"]) != "", "no model")
	f.unless(len(list(body["messages"])) > 0, "no messages")
	f.chatTurns(list(body["messages"]))
	names := map[string]bool{}
	for _, v := range list(body["tools"]) {
		tool := sub(v)
		function := sub(tool["function"])
		if str(tool["type"]) == "custom" {
			function = sub(tool["custom"])
		}
		f.function(names, function, function["strict"])
	}
	f.choice(body, names)
	if format := sub(body["response_format"]); format != nil {
		whole := sub(format["json_schema"])
		f.format(str(format["type"]), str(whole["name"]), whole["schema"], whole["strict"], body["messages"])
	}
	f.unless(len(list(body["stop"])) <= 4, "%d stop sequences", len(list(body["stop"])))
	return f
}

// chatTurns holds the results of calls to the calls right before them.
func (f *faults) chatTurns(messages []any) {
	var open []string
	for n, v := range messages {
		m := sub(v)
		role := str(m["role"])
		f.unless(slices.Contains([]string{"system", "developer", "user", "assistant", "tool", "function"}, role), "role %v", m["role"])
		id := str(m["tool_call_id"])
		switch at := slices.Index(open, id); {
		case role != "tool":
			f.unless(len(open) == 0, "message %d comes before the results of %q", n, open)
		case at < 0:
			f.unless(false, "message %d is the result of %q, which nobody called", n, id)
		default:
			open = slices.Delete(open, at, at+1)
		}
		for _, c := range list(m["tool_calls"]) {
			call := sub(c)
			name := str(sub(call["function"])["name"]) + str(sub(call["custom"])["name"])
			f.unless(str(call["id"]) != "" && len(str(call["id"])) <= 40 && str(call["type"]) != "", "call %s", text(c))
			f.unless(functionName.MatchString(name), "the call's name %q", name)
			open = append(open, str(call["id"]))
		}
		for _, p := range list(m["content"]) {
			f.chatPart(role, sub(p))
		}
	}
	f.unless(len(open) == 0, "the results of %q are missing", open)
}

func (f *faults) chatPart(role string, p object) {
	switch kind := str(p["type"]); kind {
	case "text":
	case "refusal":
		f.unless(role == "assistant", "a refusal of the %s", role)
	case "image_url":
		url := str(sub(p["image_url"])["url"])
		f.unless(role == "user" && url != "" && !strings.HasPrefix(url, "data:;"), "an image of the %s: %s", role, brief(url))
	case "input_audio":
		f.unless(role == "user", "audio of the %s", role)
	case "file":
		file := sub(p["file"])
		data := str(file["file_data"])
		f.unless(role == "user" && (str(file["file_id"]) != "" || document(data) && str(file["filename"]) != ""), "a file of the %s: %s", role, brief(text(file)))
	default:
		f.unless(false, "a part of type %q", kind)
	}
}

// document reports a file's bytes that are no text, which has parts of its own, and no film.
func document(data string) bool {
	kind, _, ok := strings.Cut(strings.TrimPrefix(data, "data:"), ";base64,")
	return ok && !strings.HasPrefix(kind, "text/") && !strings.HasPrefix(kind, "video/") && kind != "application/json"
}

func (f *faults) function(names map[string]bool, function object, strict any) {
	name := str(function["name"])
	f.unless(functionName.MatchString(name) && !names[name], "the function's name %q", name)
	names[name] = true
	schema := sub(function["parameters"])
	f.unless(schema == nil || str(schema["type"]) == "object", "the parameters of %s are no object", name)
	if strict == true {
		f.strictSchema("the parameters of "+name, function["parameters"])
	}
}

// choice holds what is chosen to what there is to choose.
func (f *faults) choice(body object, names map[string]bool) {
	f.unless(body["tool_choice"] == nil || len(list(body["tools"])) > 0, "tool_choice without tools")
	f.unless(body["parallel_tool_calls"] == nil || len(list(body["tools"])) > 0, "parallel_tool_calls without tools")
	chosen := sub(body["tool_choice"])
	if name := str(sub(chosen["function"])["name"]) + str(chosen["name"]); chosen != nil && str(chosen["type"]) == "function" {
		f.unless(names[name], "tool_choice names %q, which is no tool", name)
	}
}

func (f *faults) format(kind, name string, schema, strict any, messages any) {
	switch kind {
	case "text":
	case "json_object":
		f.unless(strings.Contains(strings.ToLower(text(messages)), "json"), "json_object, and no message says json")
	case "json_schema":
		f.unless(functionName.MatchString(name) && sub(schema) != nil, "the format's name %q, schema %s", name, brief(text(schema)))
		if strict == true {
			f.strictSchema("the format", schema)
		}
	default:
		f.unless(false, "a format of type %q", kind)
	}
}

// strictSchema holds a schema to the subset that OpenAI enforces.
// Source: https://platform.openai.com/docs/guides/structured-outputs (supported schemas)
func (f *faults) strictSchema(what string, schema any) {
	f.unless(str(sub(schema)["type"]) == "object" && sub(schema)["anyOf"] == nil, "%s is no object", what)
	walkSchema(schema, func(s object) {
		properties := sub(s["properties"])
		if str(s["type"]) == "object" || properties != nil {
			f.unless(s["additionalProperties"] == false, "%s is open: %s", what, brief(text(s)))
			f.unless(len(list(s["required"])) == len(properties), "%s does not require all: %s", what, brief(text(s)))
		}
		for _, k := range []string{"allOf", "oneOf", "not", "if", "dependentRequired", "patternProperties"} {
			f.unless(s[k] == nil, "%s has %s", what, k)
		}
	})
}

// validResponses checks a Responses request against the rules for which the API answers 400.
// Source: https://platform.openai.com/docs/api-reference/responses/create, and its error messages.
func validResponses(body object) []string {
	var f faults
	f.unless(str(body["model"]) != "", "no model")
	f.unless(len(list(body["input"])) > 0, "no input")
	f.responsesItems(list(body["input"]))
	names := map[string]bool{}
	for _, v := range list(body["tools"]) {
		if tool := sub(v); str(tool["type"]) == "function" || str(tool["type"]) == "custom" {
			f.function(names, tool, tool["strict"])
			f.unless(tool["strict"] != nil || str(tool["type"]) == "custom", "strict is not said of %s", text(tool["name"]))
		}
	}
	f.choice(body, names)
	if format := sub(sub(body["text"])["format"]); format != nil {
		f.format(str(format["type"]), str(format["name"]), format["schema"], format["strict"], body["input"])
	}
	if n, ok := body["max_output_tokens"].(float64); ok {
		f.unless(n >= 16, "max_output_tokens %v", n)
	}
	return f
}

func (f *faults) responsesItems(items []any) {
	called, answered := map[string]bool{}, map[string]bool{}
	for n, v := range items {
		it := sub(v)
		id := str(it["call_id"])
		switch kind := str(it["type"]); kind {
		case "", "message":
			f.unless(slices.Contains([]string{"system", "developer", "user", "assistant"}, str(it["role"])), "item %d of role %v", n, it["role"])
			for _, p := range list(it["content"]) {
				f.responsesPart(str(it["role"]), sub(p))
			}
		case "function_call", "custom_tool_call":
			f.unless(id != "" && len(id) <= 64 && functionName.MatchString(str(it["name"])), "call %s", brief(text(it)))
			called[id] = true
		case "function_call_output", "custom_tool_call_output":
			f.unless(called[id] && !answered[id], "item %d is the result of %q", n, id)
			answered[id] = true
			for _, p := range list(it["output"]) {
				f.responsesPart("user", sub(p))
			}
		case "reasoning":
			f.unless(str(it["encrypted_content"]) != "" && it["summary"] != nil, "item %d: %s", n, brief(text(it)))
		default:
			f.unless(false, "item %d of type %q", n, kind)
		}
	}
	for id := range called {
		f.unless(answered[id], "no result of %q", id)
	}
}

func (f *faults) responsesPart(role string, p object) {
	switch kind := str(p["type"]); kind {
	case "input_text":
		f.unless(role != "assistant", "input_text of the assistant")
	case "output_text", "refusal":
		f.unless(role == "assistant", "%s of the %s", kind, role)
	case "input_image":
		f.unless(role == "user" && (str(p["image_url"]) != "" || str(p["file_id"]) != "") && !strings.HasPrefix(str(p["image_url"]), "data:;"), "an image of the %s", role)
	case "input_file":
		data := str(p["file_data"])
		f.unless(role == "user" && (data == "" || document(data) && str(p["filename"]) != ""), "a file: %s", brief(text(p)))
	case "input_audio":
		f.unless(role == "user", "audio of the %s", role)
	default:
		f.unless(false, "a part of type %q", kind)
	}
}

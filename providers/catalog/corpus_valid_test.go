package catalog_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// faults gathers breaches of a provider's rules.
type faults []string

func (f *faults) unless(ok bool, format string, args ...any) {
	if !ok {
		*f = append(*f, fmt.Sprintf(format, args...))
	}
}

// only checks that an object has no members but those that the API knows.
func (f *faults) only(what string, o object, known string) {
	for _, name := range slices.Sorted(maps.Keys(o)) {
		f.unless(slices.Contains(strings.Fields(known), name), "%s has the unknown member %s", what, name)
	}
}

const (
	messagesTop = `model messages max_tokens metadata stop_sequences stream system temperature thinking tool_choice tools top_k
		top_p service_tier container context_management mcp_servers output_config cache_control speed inference_geo`
	messagesTool = `name description input_schema type cache_control strict eager_input_streaming`
)

var (
	toolName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,128}$`)
	toolID   = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)
)

// validAnthropic checks a Messages request against the rules for which the API answers 400.
// Source: https://docs.anthropic.com/en/api/messages
func validAnthropic(body object) []string {
	var f faults
	f.only("the body", body, messagesTop)
	limit := count(body["max_tokens"])
	f.unless(limit > 0, "max_tokens %v", body["max_tokens"])
	thinking := str(sub(body["thinking"])["type"])
	if thinking == "enabled" {
		budget := count(sub(body["thinking"])["budget_tokens"])
		f.unless(budget >= 1024 && budget < limit, "a thinking budget of %d with max_tokens %d", budget, limit)
	}
	if t, ok := body["temperature"].(float64); ok {
		f.unless(t >= 0 && t <= 1 && (thinking != "enabled" || t == 1), "temperature %v with thinking %q", t, thinking)
	}
	for _, s := range list(body["stop_sequences"]) {
		f.unless(strings.TrimSpace(str(s)) != "", "a blank stop sequence")
	}
	for _, b := range list(body["system"]) {
		f.unless(str(sub(b)["text"]) != "", "an empty system block")
	}
	f.anthropicTools(body, thinking)
	f.anthropicTurns(list(body["messages"]))
	f.unless(marks(body) <= 4, "%d cache breakpoints", marks(body))
	if format := sub(sub(body["output_config"])["format"]); format != nil {
		walkSchema(format["schema"], func(s object) {
			f.unless(str(s["type"]) != "object" || s["additionalProperties"] == false, "an open object in the output's schema")
			for _, k := range []string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength"} {
				f.unless(s[k] == nil, "%s in the output's schema", k)
			}
		})
	}
	return f
}

func marks(v any) (n int) {
	switch x := v.(type) {
	case []any:
		for _, e := range x {
			n += marks(e)
		}
	case map[string]any:
		if x["cache_control"] != nil {
			n++
		}
		for name, e := range x {
			if name != "input_schema" && name != "input" {
				n += marks(e)
			}
		}
	}
	return n
}

func (f *faults) anthropicTools(body object, thinking string) {
	names := map[string]bool{}
	for _, v := range list(body["tools"]) {
		tool := sub(v)
		if kind := str(tool["type"]); kind != "" && kind != "custom" {
			names[str(tool["name"])] = true
			continue
		}
		f.only("a tool", tool, messagesTool)
		name := str(tool["name"])
		f.unless(toolName.MatchString(name) && !names[name], "the tool's name %q", name)
		names[name] = true
		f.unless(str(sub(tool["input_schema"])["type"]) == "object", "the schema of %s is no object", name)
	}
	choice := sub(body["tool_choice"])
	if choice == nil {
		return
	}
	kind := str(choice["type"])
	f.unless(slices.Contains([]string{"auto", "any", "none", "tool"}, kind), "tool_choice %s", text(choice))
	f.unless(kind != "tool" || names[str(choice["name"])], "tool_choice names no tool: %s", text(choice))
	f.unless(len(names) > 0, "tool_choice without tools")
	f.unless(kind != "none" || choice["disable_parallel_tool_use"] == nil, "tool_choice %s", text(choice))
	f.unless(thinking == "" || thinking == "disabled" || kind == "auto" || kind == "none", "a forced tool with thinking")
}

func (f *faults) anthropicTurns(messages []any) {
	f.unless(len(messages) > 0, "no messages")
	var pending []string
	for n, v := range messages {
		m := sub(v)
		role := str(m["role"])
		f.unless(role == "user" || role == "assistant", "role %q", role)
		f.unless(n == 0 || str(sub(messages[n-1])["role"]) != role, "two turns of %s in a row", role)
		blocks := list(m["content"])
		if s, ok := m["content"].(string); ok {
			blocks = []any{object{"type": "text", "text": s}}
		}
		f.unless(len(blocks) > 0, "turn %d is empty", n)
		results, calls := f.anthropicBlocks(n, role, blocks)
		f.unless(slices.Equal(slices.Sorted(slices.Values(results)), slices.Sorted(slices.Values(pending))),
			"turn %d answers %v where %v were called", n, results, pending)
		pending = calls
	}
	if len(messages) == 0 {
		return
	}
	if last := sub(messages[len(messages)-1]); str(last["role"]) == "assistant" {
		blocks := list(last["content"])
		end := str(last["content"])
		if len(blocks) > 0 {
			end = str(sub(blocks[len(blocks)-1])["text"])
		}
		f.unless(end == strings.TrimRight(end, " \t\r\n"), "the final assistant text ends with white space")
	}
}

func (f *faults) anthropicBlocks(n int, role string, blocks []any) (results, calls []string) {
	other := false
	for _, v := range blocks {
		b := sub(v)
		kind := str(b["type"])
		switch kind {
		case "text":
			f.unless(str(b["text"]) != "", "turn %d has an empty text block", n)
		case "tool_use":
			f.unless(role == "assistant" && sub(b["input"]) != nil && toolName.MatchString(str(b["name"])) && toolID.MatchString(str(b["id"])), "turn %d: %s", n, brief(text(b)))
			calls = append(calls, str(b["id"]))
		case "tool_result":
			f.unless(role == "user" && !other, "turn %d: a tool result behind other blocks", n)
			results = append(results, str(b["tool_use_id"]))
		case "image", "document":
			f.anthropicSource(kind, sub(b["source"]))
		case "thinking":
			f.unless(str(b["signature"]) != "" && role == "assistant", "turn %d: thinking without signature", n)
		default:
			f.unless(kind == "redacted_thinking", "turn %d: a block of type %q", n, kind)
		}
		other = other || kind != "tool_result"
	}
	return results, calls
}

func (f *faults) anthropicSource(kind string, source object) {
	data, media := str(source["data"]), str(source["media_type"])
	switch str(source["type"]) {
	case "base64":
		images := []string{"image/jpeg", "image/png", "image/gif", "image/webp"}
		f.unless(kind == "image" && slices.Contains(images, media) || kind == "document" && media == "application/pdf", "%s of type %q", kind, media)
		f.unless(data != "" && !strings.HasPrefix(data, "data:"), "%s with data %s", kind, brief(data))
	case "url":
		f.unless(str(source["url"]) != "", "%s without url", kind)
	case "text":
		f.unless(kind == "document" && media == "text/plain" && data != "", "a text of type %q", media)
	default:
		f.unless(false, "%s with a source of type %v", kind, source["type"])
	}
}

// walkSchema visits a JSON Schema and all schemas in it.
func walkSchema(v any, visit func(object)) {
	s := sub(v)
	if s == nil {
		return
	}
	visit(s)
	for _, k := range []string{"properties", "$defs", "definitions", "patternProperties"} {
		for _, inner := range sub(s[k]) {
			walkSchema(inner, visit)
		}
	}
	for _, k := range []string{"items", "additionalProperties", "not"} {
		walkSchema(s[k], visit)
	}
	for _, k := range []string{"anyOf", "oneOf", "allOf", "prefixItems"} {
		for _, inner := range list(s[k]) {
			walkSchema(inner, visit)
		}
	}
}

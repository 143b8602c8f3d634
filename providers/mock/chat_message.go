package mock

import (
	"fmt"
	"strings"

	"github.com/tidwall/gjson"
)

// A chatTurn is what the next messages must fit to: the calls that wait for their results.
type chatTurn struct {
	open   []string // ids of calls without a result yet
	names  map[string]string
	called bool // the last assistant message made calls
}

func (c *chatReader) readMessages() *refusal {
	var turn chatTurn
	i := 0
	var refused *refusal
	c.messages.ForEach(func(_, m gjson.Result) bool {
		refused = c.message(i, m, &turn)
		i++
		return refused == nil
	})
	switch {
	case refused != nil:
		return refused
	case i == 0:
		return invalid("messages", "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.").withCode("empty_array")
	}
	return turn.unanswered(i - 1)
}

// unanswered refuses calls that the messages up to the given one leave without a result.
func (t *chatTurn) unanswered(i int) *refusal {
	if len(t.open) == 0 {
		return nil
	}
	return invalid(fmt.Sprintf("messages.[%d].role", i), "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: "+strings.Join(t.open, ", "))
}

func (c *chatReader) message(i int, m gjson.Result, turn *chatTurn) *refusal {
	if !m.IsObject() {
		return wrongType(fmt.Sprintf("messages[%d]", i), "an object", m)
	}
	content := m.Get("content")
	role := m.Get("role").Str
	if role != "tool" {
		if refused := turn.unanswered(i); refused != nil {
			return refused
		}
	}
	switch role {
	case "user":
		c.ask.user, c.ask.results, c.ask.rounds = chatText(content), nil, 0
		turn.called = false
		return c.content(i, content, false)
	case "system", "developer":
		turn.called = false
		return c.content(i, content, false)
	case "assistant":
		c.ask.results = nil
		return c.assistant(i, m, turn)
	case "tool":
		return c.result(i, m, turn)
	case "function":
		c.ask.results = append(c.ask.results, result{m.Get("name").Str, chatText(content)})
		return nil
	case "":
		return missing(fmt.Sprintf("messages[%d].role", i))
	}
	return invalid(fmt.Sprintf("messages[%d].role", i), fmt.Sprintf("Invalid value: '%s'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'.", role)).withCode("invalid_value")
}

func (c *chatReader) assistant(i int, m gjson.Result, turn *chatTurn) *refusal {
	calls := m.Get("tool_calls")
	*turn = chatTurn{names: make(map[string]string), called: calls.IsArray()}
	for j, call := range calls.Array() {
		at := fmt.Sprintf("messages[%d].tool_calls[%d]", i, j)
		id, kind := call.Get("id").Str, call.Get("type").Str
		switch {
		case id == "":
			return missing(at + ".id")
		case kind != "function" && kind != "custom":
			return missing(at + ".type")
		case call.Get(kind+".name").Str == "":
			return missing(at + "." + kind + ".name")
		case kind == "function" && call.Get("function.arguments").Type != gjson.String:
			return wrongType(at+".function.arguments", "a string", call.Get("function.arguments"))
		}
		turn.open = append(turn.open, id)
		turn.names[id] = call.Get(kind + ".name").Str
	}
	if turn.called {
		c.ask.rounds++
	}
	return c.content(i, m.Get("content"), turn.called || m.Get("refusal").Str != "" || m.Get("function_call").Exists() || m.Get("audio").Exists())
}

func (c *chatReader) result(i int, m gjson.Result, turn *chatTurn) *refusal {
	id := m.Get("tool_call_id").Str
	if id == "" {
		return missing(fmt.Sprintf("messages[%d].tool_call_id", i))
	}
	if !turn.called {
		return invalid(fmt.Sprintf("messages.[%d].role", i), "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.")
	}
	name, known := turn.names[id]
	if !known {
		return invalid(fmt.Sprintf("messages.[%d].tool_call_id", i), fmt.Sprintf("Invalid parameter: 'tool_call_id' of '%s' not found in 'tool_calls' of previous message.", id))
	}
	for j := range turn.open {
		if turn.open[j] == id {
			turn.open = append(turn.open[:j], turn.open[j+1:]...)
			break
		}
	}
	content := m.Get("content")
	c.ask.results = append(c.ask.results, result{name, chatText(content)})
	return c.content(i, content, false)
}

// content checks a message's content: text, or an array of typed parts.
func (c *chatReader) content(i int, v gjson.Result, mayBeNull bool) *refusal {
	switch {
	case v.Type == gjson.String:
		c.json = c.json || c.ask.json && hasJSON(v.Str)
		return nil
	case v.IsArray():
		for j, part := range v.Array() {
			if !isPart(part.Get("type").Str) {
				return invalid(fmt.Sprintf("messages[%d].content[%d].type", i, j), fmt.Sprintf("Invalid value: '%s'. Supported values are: 'text', 'image_url', 'input_audio', 'refusal', and 'file'.", part.Get("type").Str)).withCode("invalid_value")
			}
			c.json = c.json || c.ask.json && hasJSON(part.Get("text").Str)
		}
		return nil
	case mayBeNull && v.Type == gjson.Null:
		return nil
	case v.Type == gjson.Null:
		return invalid(fmt.Sprintf("messages.[%d].content", i), "Invalid value for 'content': expected a string, got null.")
	}
	return wrongType(fmt.Sprintf("messages[%d].content", i), "one of a string or array of objects", v)
}

func isPart(kind string) bool {
	switch kind {
	case "text", "image_url", "input_audio", "file", "refusal":
		return true
	}
	return false
}

func hasJSON(text string) bool { return strings.Contains(strings.ToLower(text), "json") }

// chatText joins the text of a content.
func chatText(v gjson.Result) string {
	if !v.IsArray() {
		return v.Str
	}
	var text strings.Builder
	for _, part := range v.Array() {
		text.WriteString(part.Get("text").Str)
	}
	return text.String()
}

package mock

import (
	"fmt"
	"strings"

	"github.com/tidwall/gjson"
)

// thoughtful marks the id of a call that the mock made behind reasoning, so that a
// conversation that lost the reasoning shows.
const thoughtful = "toolu_01T"

// A messageTurn is what the next message must fit to: the last assistant turn's calls.
type messageTurn struct {
	role     string
	index    int
	calls    []string // ids, in order
	names    map[string]string
	answered map[string]bool
	opening  string // the type of the first block
	thought  bool   // some reasoning stands in it
}

func (m *messageReader) readTurns() *refusal {
	list := m.messages.Array()
	if len(list) == 0 {
		return invalidf("messages: at least one message is required")
	}
	if role := list[0].Get("role").Str; role == "assistant" {
		return invalidf("messages: first message must use the \"user\" role")
	}
	var last messageTurn
	for i, one := range list {
		turn := messageTurn{role: one.Get("role").Str, index: i, names: map[string]string{}, answered: map[string]bool{}}
		if refused := m.turn(one, &turn, &last, i == len(list)-1); refused != nil {
			return refused
		}
		if turn.role == "assistant" || len(turn.answered) == 0 {
			last = turn
		}
	}
	if len(last.calls) > 0 && len(m.ask.results) == 0 {
		return unpaired(last.index, last.calls)
	}
	return m.reasoned(&last)
}

// reasoned refuses a tool loop whose last calls lost the reasoning before them.
func (m *messageReader) reasoned(last *messageTurn) *refusal {
	if !m.ask.thinks || len(last.calls) == 0 {
		return nil
	}
	lost := m.strict && !isThinking(last.opening)
	for _, id := range last.calls {
		lost = lost || strings.HasPrefix(id, thoughtful) && !last.thought
	}
	if !lost {
		return nil
	}
	return invalidf("messages.%d.content.0.type: Expected `thinking` or `redacted_thinking`, but found `%s`. When `thinking` is enabled, a final `assistant` message must start with a thinking block (preceeding the lastmost set of `tool_use` and `tool_result` blocks). We recommend you include thinking blocks from previous turns. To avoid this requirement, disable `thinking`. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking", last.index, last.opening)
}

func isThinking(kind string) bool { return kind == "thinking" || kind == "redacted_thinking" }

func unpaired(i int, ids []string) *refusal {
	return invalidf("messages.%d: `tool_use` ids were found without `tool_result` blocks immediately after: %s. Each `tool_use` block must have a corresponding `tool_result` block in the next message.", i, strings.Join(ids, ", "))
}

func (m *messageReader) turn(one gjson.Result, turn, last *messageTurn, final bool) *refusal {
	i := turn.index
	switch turn.role {
	case "user", "assistant":
	case "system":
		return invalidf("messages: Unexpected role \"system\". The Messages API accepts a top-level `system` parameter, not \"system\" as an input message role.")
	default:
		return invalidf("messages.%d.role: Input should be 'user' or 'assistant'", i)
	}
	content := one.Get("content")
	blocks := content.Array()
	switch {
	case !content.Exists():
		return invalidf("messages.%d.content: Field required", i)
	case content.Type != gjson.String && !content.IsArray():
		return invalidf("messages.%d.content: Input should be a valid list", i)
	case (content.Str == "" && !content.IsArray() || len(blocks) == 0) && !(final && turn.role == "assistant"):
		return invalidf("messages.%d: all messages must have non-empty content except for the optional final assistant message", i)
	}
	if content.Type == gjson.String {
		m.text(turn.role, content.Str)
		blocks = nil
	}
	signed := newChain("anthropic")
	for j, b := range blocks {
		if refused := m.block(j, b, turn, last, signed); refused != nil {
			return refused
		}
	}
	return m.closeTurn(turn, last)
}

// closeTurn holds a user turn against the calls before it.
func (m *messageReader) closeTurn(turn, last *messageTurn) *refusal {
	if turn.role == "assistant" {
		m.ask.results = nil
		if len(turn.calls) > 0 {
			m.ask.rounds++
		}
		return nil
	}
	var open []string
	for _, id := range last.calls {
		if !turn.answered[id] {
			open = append(open, id)
		}
	}
	if len(open) > 0 && last.index == turn.index-1 {
		return unpaired(last.index, open)
	}
	return nil
}

func (m *messageReader) text(role, text string) {
	if role == "user" {
		m.ask.user, m.ask.results, m.ask.rounds = text, nil, 0
	}
}

func (m *messageReader) block(j int, b gjson.Result, turn, last *messageTurn, signed chain) *refusal {
	at := fmt.Sprintf("messages.%d.content.%d", turn.index, j)
	kind := b.Get("type").Str
	if j == 0 {
		turn.opening = kind
	}
	if turn.role == "user" && (kind == "tool_use" || isThinking(kind)) {
		return invalidf("messages.%d: `%s` blocks can only be in `assistant` messages", turn.index, kind)
	}
	switch kind {
	case "text":
		return m.textBlock(b, turn, signed)
	case "thinking", "redacted_thinking":
		turn.thought = true
		return checkThinking(at, kind, b, signed)
	case "tool_use":
		id, name := b.Get("id").Str, b.Get("name").Str
		switch {
		case id == "" || name == "":
			return invalidf("%s.tool_use.id: Field required", at)
		case !b.Get("input").IsObject():
			return invalidf("%s.tool_use.input: Input should be a valid dictionary", at)
		case turn.names[id] != "":
			return invalidf("messages: `tool_use` ids must be unique")
		}
		signed.add("tool_use " + id + " " + name)
		turn.calls = append(turn.calls, id)
		turn.names[id] = name
	case "tool_result":
		return m.toolResult(at, j, b, turn, last)
	case "image", "document", "search_result", "server_tool_use", "web_search_tool_result", "web_fetch_tool_result",
		"code_execution_tool_result", "mcp_tool_use", "mcp_tool_result", "container_upload", "compaction":
	default:
		return invalidf("%s: Input tag '%s' found using 'type' does not match any of the expected tags: 'document', 'image', 'redacted_thinking', 'search_result', 'text', 'thinking', 'tool_result', 'tool_use'", at, kind)
	}
	return nil
}

func (m *messageReader) textBlock(b gjson.Result, turn *messageTurn, signed chain) *refusal {
	text := b.Get("text")
	switch {
	case text.Type != gjson.String:
		return invalidf("messages.%d.content: text: Field required", turn.index)
	case strings.TrimSpace(text.Str) == "":
		return invalidf("messages: text content blocks must be non-empty")
	}
	signed.add("text " + text.Str)
	// A text beside results comments on them, and begins no new question.
	if len(turn.answered) == 0 {
		m.text(turn.role, text.Str)
	}
	return nil
}

// checkThinking wants reasoning back as the mock made it, behind the same blocks.
func checkThinking(at, kind string, b gjson.Result, signed chain) *refusal {
	if kind == "redacted_thinking" {
		data := b.Get("data").Str
		if !isToken("redacted", data) {
			return invalidf("%s: Invalid `data` in `redacted_thinking` block", at)
		}
		signed.add("redacted " + data)
		return nil
	}
	if !b.Get("signature").Exists() {
		return invalidf("%s.thinking.signature: Field required", at)
	}
	signature := b.Get("signature").Str
	// Text that was not shown is not covered either.
	signed.add("thinking " + b.Get("thinking").Str)
	if signature != signed.seal() {
		return invalidf("%s: Invalid `signature` in `thinking` block", at)
	}
	return nil
}

func (m *messageReader) toolResult(at string, j int, b gjson.Result, turn, last *messageTurn) *refusal {
	id := b.Get("tool_use_id").Str
	switch {
	case turn.role != "user":
		return invalidf("messages.%d: `tool_result` blocks can only be in `user` messages", turn.index)
	case id == "":
		return invalidf("%s.tool_result.tool_use_id: Field required", at)
	case last.names[id] == "" || last.index != turn.index-1:
		return invalidf("messages.%d.content.%d: unexpected `tool_use_id` found in `tool_result` blocks: %s. Each `tool_result` block must have a corresponding `tool_use` block in the previous message.", turn.index, j, id)
	case turn.answered[id]:
		return invalidf("messages.%d.content.%d: each tool_use must have a single result. Found multiple `tool_result` blocks with id: %s", turn.index, j, id)
	case j > 0 && turn.opening != "tool_result":
		return unpaired(last.index, last.calls)
	}
	turn.answered[id] = true
	m.ask.results = append(m.ask.results, result{last.names[id], chatText(b.Get("content"))})
	return nil
}

package bedrock

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/providers"
)

// writeTurns says the turns. Those of one role in a row become one message, as the API wants
// them to alternate; instructions stand apart.
func (r *request) writeTurns() error {
	for i := range r.req.Turns {
		t := &r.req.Turns[i]
		if t.Name != "" && t.Role != providers.RoleTool {
			r.drop("messages.name")
		}
		for n := range t.Blocks {
			b := &t.Blocks[n]
			param := fmt.Sprintf("messages[%d].content[%d]", i, n)
			var err error
			switch t.Role {
			case providers.RoleSystem, providers.RoleDeveloper:
				err = r.instruct(b, param)
			case providers.RoleAssistant:
				err = r.block(r.turn("assistant"), b, param)
			default:
				err = r.block(r.turn("user"), b, param)
			}
			if err != nil {
				return err
			}
		}
	}
	kept := r.turns[:0]
	for _, t := range r.turns {
		if len(t.blocks) > 0 {
			kept = append(kept, t)
		}
	}
	r.turns = kept
	if len(r.turns) == 0 && len(r.fetch) == 0 {
		if len(r.system) == 0 {
			return providers.Invalid("messages", "the messages hold no content")
		}
		r.turns, r.system = []message{{"user", r.system}}, nil // instructions alone are asked as the user's
	}
	return nil
}

// turn gives the last message where it has the role, else a new one.
func (r *request) turn(role string) *message {
	if n := len(r.turns); n > 0 && r.turns[n-1].role == role {
		return &r.turns[n-1]
	}
	r.turns = append(r.turns, message{role: role})
	return &r.turns[len(r.turns)-1]
}

func (r *request) instruct(b *providers.Block, param string) error {
	if b.Kind != providers.KindText && b.Kind != providers.KindRefusal {
		return providers.Invalid(param, "instructions of this model are text only")
	}
	r.system = r.mark(appendText(r.system, b.Text), b.Cache)
	return nil
}

// appendText appends a text block. The API refuses blank ones.
func appendText(list []byte, text string) []byte {
	if strings.TrimSpace(text) == "" {
		return list
	}
	return append(providers.AppendString(append(list, `{"text":`...), text), "},"...)
}

func (r *request) mark(list []byte, cache *providers.CacheMark) []byte {
	switch {
	case cache == nil || len(list) == 0:
		return list
	case !caches(r.call.Model):
		r.drop("cache_control")
		return list
	case cache.TTL == "1h":
		return append(list, `{"cachePoint":{"type":"default","ttl":"1h"}},`...)
	}
	return append(list, `{"cachePoint":{"type":"default"}},`...)
}

func (r *request) block(m *message, b *providers.Block, param string) (err error) {
	switch b.Kind {
	case providers.KindText, providers.KindRefusal:
		m.blocks = appendText(m.blocks, b.Text)
	case providers.KindReasoning:
		m.blocks = appendReasoning(m.blocks, b)
	case providers.KindToolCall:
		r.calls = true
		m.blocks = appendCall(m.blocks, b.Call)
	case providers.KindToolResult:
		m.blocks, err = r.result(m.blocks, b.Result, param)
	default:
		m.blocks, err = r.media(m.blocks, b, param)
	}
	m.blocks = r.mark(m.blocks, b.Cache)
	return err
}

// appendReasoning gives reasoning back to its minter. That of others is left out, and so is any
// without a seal, which the API would refuse.
func appendReasoning(list []byte, b *providers.Block) []byte {
	switch s := b.Seal; {
	case s == nil || s.Minter != Language:
		return list
	case s.Encrypted != "":
		list = providers.AppendString(append(list, `{"reasoningContent":{"redactedContent":`...), s.Encrypted)
	default:
		list = providers.AppendString(append(list, `{"reasoningContent":{"reasoningText":{"text":`...), b.Text)
		list = append(providers.AppendString(append(list, `,"signature":`...), s.Signature), '}')
	}
	return append(list, "}},"...)
}

// appendCall appends a call. Arguments that are no object (text that was cut off, a free-form
// tool's input) are kept whole in one member.
func appendCall(list []byte, call *providers.ToolCall) []byte {
	list = providers.AppendString(append(list, `{"toolUse":{"toolUseId":`...), call.ID)
	list = providers.AppendString(append(list, `,"name":`...), providers.PlainToolName(call.Name))
	list = append(list, `,"input":`...)
	switch text := strings.TrimSpace(call.Arguments); {
	case text == "", text == "null": // which some models write for none
		list = append(list, "{}"...)
	case text[0] == '{' && !call.Custom && jsontext.Value(text).IsValid():
		list = append(list, text...)
	default:
		list = append(providers.AppendString(append(list, `{"arguments":`...), call.Arguments), '}')
	}
	return append(list, "}},"...)
}

func (r *request) result(list []byte, result *providers.ToolResult, param string) ([]byte, error) {
	list = providers.AppendString(append(list, `{"toolResult":{"toolUseId":`...), result.CallID)
	list = append(list, `,"content":[`...)
	var content []byte
	for i := range result.Blocks {
		b := &result.Blocks[i]
		if b.Kind == providers.KindText || b.Kind == providers.KindRefusal {
			content = appendText(content, b.Text)
			continue
		}
		var err error
		if content, err = r.media(content, b, param); err != nil {
			return list, err
		}
	}
	list = append(append(list, shut(content)...), ']')
	if result.IsError {
		list = append(list, `,"status":"error"`...)
	}
	return append(list, "}},"...), nil
}

package anthropic

import (
	"bytes"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/providers"
)

func (w *writer) writeSystem() error {
	if len(w.layout.system) == 0 && w.nudge == "" {
		return nil
	}
	if !w.field("system") {
		return nil
	}
	w.body = append(w.body, '[')
	for i, b := range w.layout.system {
		w.comma(i)
		w.text(b.Text, b.Cache)
	}
	if w.nudge != "" {
		w.comma(len(w.layout.system))
		w.text(w.nudge, nil)
	}
	w.body = append(w.body, ']')
	return nil
}

func (w *writer) writeMessages() error {
	w.field("messages")
	w.body = append(w.body, '[')
	for i := range w.layout.messages {
		m := &w.layout.messages[i]
		w.comma(i)
		if m.assistant {
			w.body = append(w.body, `{"role":"assistant","content":[`...)
		} else {
			w.body = append(w.body, `{"role":"user","content":[`...)
		}
		for j := range m.results {
			w.comma(j)
			if err := w.result(&m.results[j]); err != nil {
				return err
			}
		}
		for j := range m.rest {
			w.comma(len(m.results) + j)
			if err := w.block(&m.rest[j]); err != nil {
				return err
			}
		}
		w.body = append(w.body, "]}"...)
	}
	w.body = append(w.body, ']')
	return nil
}

func (w *writer) comma(i int) {
	if i > 0 {
		w.body = append(w.body, ',')
	}
}

func (w *writer) block(it *item) error {
	switch it.Kind {
	case providers.KindReasoning:
		w.reasoning(it.Block)
		return nil
	case providers.KindToolCall:
		return w.toolUse(it)
	case providers.KindImage, providers.KindFile, providers.KindAudio:
		return w.media(it.Block)
	default:
		w.text(it.Text, it.Cache)
		return nil
	}
}

func (w *writer) text(text string, cache *providers.CacheMark) {
	w.body = append(w.body, `{"type":"text","text":`...)
	w.body = providers.AppendString(w.body, text)
	w.mark(cache)
	w.body = append(w.body, '}')
}

// reasoning goes back as it came: the API checks the signature against the text.
// Source: https://docs.claude.com/en/docs/build-with-claude/extended-thinking
func (w *writer) reasoning(b *providers.Block) {
	if b.Cache != nil {
		w.drop("cache_control")
	}
	if b.Seal.Signature == "" {
		w.body = append(w.body, `{"type":"redacted_thinking","data":`...)
		w.body = append(providers.AppendString(w.body, b.Seal.Encrypted), '}')
		return
	}
	w.body = append(w.body, `{"type":"thinking","thinking":`...)
	w.body = providers.AppendString(w.body, b.Text)
	w.body = append(w.body, `,"signature":`...)
	w.body = append(providers.AppendString(w.body, b.Seal.Signature), '}')
}

// checkCall refuses a call of the history that the API has no form for.
func (w *writer) checkCall(c *providers.ToolCall) error {
	if c.Custom {
		return providers.Invalid("messages", fmt.Sprintf("anthropic has no custom tools: the call '%s' cannot be sent", c.Name))
	}
	return nil
}

// arguments gives a call's arguments as an object, which the API insists on; none at all are the
// empty one. What is no object (text that was cut off, or that a model wrote in its place) is
// kept whole in one member, or no talk with such a call could ever go on.
func arguments(said string) []byte {
	v := jsontext.Value(bytes.TrimSpace([]byte(said)))
	switch {
	case len(v) == 0, string(v) == "null": // which some models write for none
		return []byte("{}")
	case v.Kind() == jsontext.KindBeginObject && v.IsValid(jsontext.AllowDuplicateNames(true)):
		return v
	}
	return append(providers.AppendString([]byte(`{"arguments":`), said), '}')
}

func (w *writer) toolUse(it *item) error {
	name, err := toolName(it.Call.Name)
	if err != nil {
		return providers.Invalid("messages.tool_calls.function.name", err.Error())
	}
	w.body = append(w.body, `{"type":"tool_use","id":`...)
	w.body = providers.AppendString(w.body, it.id)
	w.body = append(w.body, `,"name":`...)
	w.body = providers.AppendString(w.body, name)
	w.body = append(w.body, `,"input":`...)
	w.body = append(w.body, arguments(it.Call.Arguments)...)
	w.mark(it.Cache)
	w.body = append(w.body, '}')
	return nil
}

func (w *writer) result(it *item) error {
	w.body = append(w.body, `{"type":"tool_result","tool_use_id":`...)
	w.body = providers.AppendString(w.body, it.id)
	if err := w.resultContent(it.Result.Blocks); err != nil {
		return err
	}
	if it.Result.IsError {
		w.body = append(w.body, `,"is_error":true`...)
	}
	w.mark(it.Cache)
	w.body = append(w.body, '}')
	return nil
}

// resultContent writes one plain text as a string, and leaves out what is empty.
func (w *writer) resultContent(blocks []providers.Block) error {
	var said []*providers.Block
	for i := range blocks {
		if b := &blocks[i]; b.Kind != providers.KindText || !blank(b.Text) {
			said = append(said, b)
		} else {
			w.blankMark(b)
		}
	}
	if len(said) == 0 {
		return nil
	}
	w.body = append(w.body, `,"content":`...)
	if len(said) == 1 && said[0].Kind == providers.KindText && said[0].Cache == nil {
		w.body = providers.AppendString(w.body, said[0].Text)
		return nil
	}
	w.body = append(w.body, '[')
	for i, b := range said {
		w.comma(i)
		switch b.Kind {
		case providers.KindText, providers.KindRefusal:
			w.text(b.Text, b.Cache)
		case providers.KindImage, providers.KindFile, providers.KindAudio:
			if err := w.media(b); err != nil {
				return err
			}
		default:
			return providers.Invalid("messages", "a tool result can hold only text, images and files")
		}
	}
	w.body = append(w.body, ']')
	return nil
}

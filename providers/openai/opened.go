package openai

import (
	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// call reads a delta of a tool call, or a whole one. Deltas of several calls may interleave;
// their index keeps them apart.
func (p *part) call(d *decoder, call gjson.Result, position int64) {
	key := position
	id, suffix := splitSuffix(call.Get("id").Str)
	function := call.Get("function")
	text := function.Get("arguments")
	custom := call.Get("custom")
	if custom.IsObject() {
		function, text = custom, custom.Get("input")
	}
	if v := call.Get("index"); v.Type == gjson.Number && d.stream {
		key = v.Int()
	} else if d.stream {
		key = p.guess(id)
	}
	name := function.Get("name").Str
	c := p.opened(key, id, name)
	c.custom = c.custom || custom.IsObject()
	if id != "" && c.block < 0 {
		c.id = id
	}
	if signature := either(call.Get("extra_content.google.thought_signature").Str, suffix); signature != "" {
		c.seal = &providers.Seal{Minter: "gemini", Signature: signature}
	}
	p.advance(d, c, name, arguments(text))
}

// guess finds the call of a delta without an index: a new one where the id is new.
func (p *part) guess(id string) int64 {
	for _, c := range p.calls {
		if c.id == id {
			return c.key
		}
	}
	if id == "" && len(p.calls) > 0 {
		return p.calls[len(p.calls)-1].key
	}
	return int64(len(p.calls))
}

// opened gives the call of an index, from the last one back: some providers send every whole
// call as index 0, told apart by id and name alone.
func (p *part) opened(key int64, id, name string) *opened {
	for i := len(p.calls) - 1; i >= 0; i-- {
		if c := p.calls[i]; c.key == key {
			if id != "" && name != "" && c.id != "" && c.id != id {
				break
			}
			return c
		}
	}
	c := &opened{key: key, block: -1, id: id}
	p.calls = append(p.calls, c)
	return c
}

// advance begins the call's block, once it has a name or arguments, and adds a piece.
func (p *part) advance(d *decoder, c *opened, name, text string) {
	if c.stopped {
		return
	}
	if c.block < 0 {
		if name == "" && text == "" {
			return
		}
		p.stop(d)
		c.block = p.next
		p.next++
		p.emit(d, providers.Event{Kind: providers.EventBlockStart, Index: c.block, Block: &providers.Block{
			Kind: providers.KindToolCall, Call: &providers.ToolCall{ID: c.id, Name: providers.SaidToolName(name), Custom: c.custom}, Seal: c.seal,
		}})
	}
	if text != "" {
		p.emit(d, providers.Event{Kind: providers.EventDelta, Index: c.block, Text: text})
	}
}

// arguments reads a call's arguments; some providers send the object itself.
func arguments(v gjson.Result) string {
	switch {
	case v.Type == gjson.String:
		return v.Str
	case v.IsObject():
		return v.Raw
	}
	return ""
}

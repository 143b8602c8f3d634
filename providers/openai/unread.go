package openai

import (
	"github.com/go-json-experiment/json/jsontext"
	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// unreadMessage names what a message says beyond the words of this reader, so that a
// translation can tell what it leaves behind.
func (r *reader) unreadMessage(m *messageJSON) {
	r.unread("messages", m.Rest)
	if len(m.Images) > 0 && m.Role != "assistant" {
		r.req.Unread = providers.AddDropped(r.req.Unread, "messages.images")
	}
	for i := range m.Content.parts {
		p := &m.Content.parts[i]
		r.unread("messages.content", p.Rest)
		r.unread("messages.content.image_url", p.Image.Rest)
		r.unread("messages.content.file_url", p.FileURL.Rest)
		r.unread("messages.content.input_audio", p.Audio.Rest)
		if p.File != nil {
			r.unread("messages.content.file", p.File.Rest)
		}
	}
	for i := range m.Calls {
		r.unread("messages.tool_calls", m.Calls[i].Rest)
		if f := m.Calls[i].Function; f != nil {
			r.unread("messages.tool_calls.function", f.Rest)
		}
	}
}

func (r *reader) unreadTool(t *toolJSON) {
	if t.Function == nil && t.Custom == nil {
		return // a hosted tool goes out as it came, or not at all
	}
	r.unread("tools", t.Rest)
	if t.Function != nil {
		r.unread("tools.function", t.Function.Rest)
	}
	if t.Custom != nil {
		r.unread("tools.custom", t.Custom.Rest)
	}
}

// unread names each member of rest once, whatever number of messages has it.
func (r *reader) unread(at string, rest jsontext.Value) {
	if len(rest) == 0 {
		return
	}
	gjson.ParseBytes(rest).ForEach(func(key, value gjson.Result) bool {
		name := at + "." + key.Str
		if !empty(value) && !echoed(key.Str) {
			r.req.Unread = providers.AddDropped(r.req.Unread, name)
		}
		return true
	})
}

func empty(v gjson.Result) bool {
	switch v.Raw {
	case "null", "false", `""`, "[]", "{}":
		return true
	}
	return false
}

// echoed reports the members of a reply's message that clients send back with it and that no
// upstream reads in a request.
func echoed(name string) bool {
	switch name {
	case "annotations", "id", "index", "logprobs", "provider_specific_fields":
		return true
	}
	return false
}

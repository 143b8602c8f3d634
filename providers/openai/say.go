package openai

import (
	"fmt"
	"strings"

	"github.com/aistrale/aistrale/providers"
)

// messages says the turns. A turn of tool results is one message for each result.
func (c *composer) messages() error {
	c.name("messages")
	c.dst = append(c.dst, '[')
	for i := range c.req.Turns {
		t := &c.req.Turns[i]
		if err := c.turn(t, fmt.Sprintf("messages[%d]", i)); err != nil {
			return err
		}
	}
	c.dst = append(c.dst, ']')
	return nil
}

func (c *composer) turn(t *providers.Turn, path string) error {
	switch t.Role {
	case providers.RoleSystem:
		return c.plain("system", t, path)
	case providers.RoleDeveloper:
		return c.plain("developer", t, path)
	case providers.RoleAssistant:
		return c.assistant(t, path)
	case providers.RoleTool:
		return c.results(t, path)
	case providers.RoleUser:
	}
	return c.plain("user", t, path)
}

func (c *composer) open(role string) {
	c.separate()
	c.dst = append(append(append(c.dst, `{"role":"`...), role...), '"')
}

// separate puts a comma before an element, unless it is the first of its list.
func (c *composer) separate() {
	if c.dst[len(c.dst)-1] != '[' {
		c.dst = append(c.dst, ',')
	}
}

func (c *composer) plain(role string, t *providers.Turn, path string) error {
	c.open(role)
	if err := c.content(t.Blocks, path); err != nil {
		return err
	}
	c.str("name", t.Name)
	c.dst = append(c.dst, '}')
	return nil
}

// content is one text as a string, anything else as parts.
func (c *composer) content(blocks []providers.Block, path string) error {
	c.name("content")
	if len(blocks) == 0 {
		c.dst = append(c.dst, `""`...)
		return nil
	}
	c.marks(blocks)
	if len(blocks) == 1 && blocks[0].Kind == providers.KindText {
		c.dst = providers.AppendString(c.dst, blocks[0].Text)
		return nil
	}
	c.dst = append(c.dst, '[')
	for i := range blocks {
		if err := c.part(&blocks[i], fmt.Sprintf("%s.content[%d]", path, i)); err != nil {
			return err
		}
	}
	c.dst = append(c.dst, ']')
	return nil
}

// marks names cache marks as dropped: the language's owner caches by itself.
func (c *composer) marks(blocks []providers.Block) {
	for i := range blocks {
		if blocks[i].Cache != nil {
			c.drop("cache_control")
		}
	}
}

func (c *composer) part(b *providers.Block, path string) error {
	c.separate()
	switch b.Kind {
	case providers.KindText:
		c.dst = providers.AppendString(append(c.dst, `{"type":"text","text":`...), b.Text)
		c.dst = append(c.dst, '}')
		return nil
	case providers.KindRefusal:
		c.dst = providers.AppendString(append(c.dst, `{"type":"refusal","refusal":`...), b.Text)
		c.dst = append(c.dst, '}')
		return nil
	case providers.KindImage:
		return c.image(b.Media, path)
	case providers.KindFile:
		return c.file(b.Media, path)
	case providers.KindAudio:
		return c.audio(b.Media, path)
	default:
		return Refuse(path, "invalid_value", fmt.Sprintf("Invalid '%s': the upstream takes no content of this kind here.", path))
	}
}

func (c *composer) image(m *providers.Media, path string) error {
	if Address(m) == "" {
		return Refuse(path, "invalid_value", fmt.Sprintf("Invalid '%s': the upstream takes images by their bytes or their URL only.", path))
	}
	c.dst = providers.AppendString(append(c.dst, `{"type":"image_url","image_url":{"url":`...), Address(m))
	c.str("detail", m.Detail)
	c.dst = append(c.dst, "}}"...)
	return nil
}

func (c *composer) file(m *providers.Media, path string) error {
	c.dst = append(c.dst, `{"type":"file","file":{`...)
	if m.FileID != "" {
		c.dst = providers.AppendString(append(c.dst, `"file_id":`...), m.FileID)
	} else {
		m = c.fetched(m)
		kind := m.Type
		if kind == "" {
			kind = "application/octet-stream"
		}
		if m.Data == "" && m.URL == "" {
			return Missing(path + ".file.file_data")
		}
		c.dst = providers.AppendString(append(c.dst, `"file_data":`...), "data:"+kind+";base64,"+m.Data)
	}
	c.str("filename", m.Name)
	c.dst = append(c.dst, "}}"...)
	return nil
}

func (c *composer) audio(m *providers.Media, path string) error {
	m = c.fetched(m)
	format := strings.TrimPrefix(m.Type, "audio/")
	switch format {
	case "mpeg":
		format = "mp3"
	case "x-wav", "wave", "":
		format = "wav"
	}
	if m.Data == "" && m.URL == "" {
		return Missing(path + ".input_audio.data")
	}
	c.dst = providers.AppendString(append(c.dst, `{"type":"input_audio","input_audio":{"data":`...), m.Data)
	c.str("format", format)
	c.dst = append(c.dst, "}}"...)
	return nil
}

// fetched gives media by their bytes, asking for those that are known by address only.
func (c *composer) fetched(m *providers.Media) *providers.Media {
	if m.Data != "" || m.URL == "" {
		return m
	}
	got, ok := c.call.Fetched[m.URL]
	if !ok {
		c.fetch = append(c.fetch, m.URL)
		return m
	}
	out := *m
	out.Data = got.Data
	if out.Type == "" {
		out.Type = got.Type
	}
	return &out
}

// assistant says an answer of the model's. Texts are joined: what stood between them has no
// place here. Reasoning stays behind, but for what OpenAI itself sealed, which OpenRouter
// takes back as it gave it.
func (c *composer) assistant(t *providers.Turn, path string) error {
	var text, refusal strings.Builder
	var calls, sealed []*providers.Block
	audio, said := "", false
	for i := range t.Blocks {
		switch b := &t.Blocks[i]; b.Kind {
		case providers.KindText:
			text.WriteString(b.Text)
			said = true
		case providers.KindRefusal:
			refusal.WriteString(b.Text)
		case providers.KindToolCall:
			calls = append(calls, b)
		case providers.KindReasoning:
			if b.Seal != nil && b.Seal.Minter == Language {
				sealed = append(sealed, b)
			}
		case providers.KindAudio:
			audio = b.Media.FileID
		case providers.KindToolResult:
			return Refuse(path, "invalid_value", fmt.Sprintf("Invalid '%s': the upstream takes no tool result in an assistant's turn.", path))
		default:
			c.drop("messages.images")
		}
	}
	c.marks(t.Blocks)
	c.open("assistant")
	c.name("content")
	if !said && (len(calls) > 0 || refusal.Len() > 0 || audio != "") {
		c.dst = append(c.dst, "null"...)
	} else {
		c.dst = providers.AppendString(c.dst, text.String())
	}
	c.str("refusal", refusal.String())
	c.str("name", t.Name)
	c.details(sealed)
	if audio != "" {
		c.dst = append(providers.AppendString(append(c.dst, `,"audio":{"id":`...), audio), '}')
	}
	c.calls(calls)
	c.dst = append(c.dst, '}')
	return nil
}

func (c *composer) details(sealed []*providers.Block) {
	if len(sealed) == 0 {
		return
	}
	c.name("reasoning_details")
	c.dst = append(c.dst, '[')
	for _, b := range sealed {
		c.separate()
		kind := "reasoning.text"
		if b.Seal.Encrypted != "" {
			kind = "reasoning.encrypted"
		}
		c.dst = append(append(append(c.dst, `{"type":"`...), kind...), '"')
		c.str("text", b.Text)
		c.str("signature", b.Seal.Signature)
		c.str("data", b.Seal.Encrypted)
		c.str("id", b.Seal.ID)
		c.dst = append(c.dst, `,"format":"openai-responses-v1"}`...)
	}
	c.dst = append(c.dst, ']')
}

func (c *composer) calls(calls []*providers.Block) {
	if len(calls) == 0 {
		return
	}
	c.name("tool_calls")
	c.dst = append(c.dst, '[')
	for i, b := range calls {
		c.separate()
		id := b.Call.ID
		if id == "" {
			id = callID(c.call.ID, 0, i)
		}
		c.dst = providers.AppendString(append(c.dst, `{"id":`...), id)
		text, opener := b.Call.Arguments, `,"type":"function","function":{"name":`
		member := "arguments"
		if b.Call.Custom {
			opener, member = `,"type":"custom","custom":{"name":`, "input"
		} else if text == "" {
			text = "{}"
		}
		c.dst = providers.AppendString(append(c.dst, opener...), b.Call.Name)
		c.name(member)
		c.dst = append(providers.AppendString(c.dst, text), "}}"...)
	}
	c.dst = append(c.dst, ']')
}

// results says tool results. Only text has a place in them: media follow as the user's words.
func (c *composer) results(t *providers.Turn, path string) error {
	var media []providers.Block
	c.marks(t.Blocks)
	for i := range t.Blocks {
		r := t.Blocks[i].Result
		if r == nil {
			return Refuse(path, "invalid_value", fmt.Sprintf("Invalid '%s': a turn of tool results has something else in it.", path))
		}
		var texts []providers.Block
		for _, b := range r.Blocks {
			if b.Kind == providers.KindText {
				texts = append(texts, b)
			} else {
				media = append(media, b)
			}
		}
		if r.IsError {
			c.drop("messages.is_error")
		}
		c.open("tool")
		c.str("tool_call_id", r.CallID)
		if err := c.content(texts, path); err != nil {
			return err
		}
		c.dst = append(c.dst, '}')
	}
	if len(media) == 0 {
		return nil
	}
	return c.plain("user", &providers.Turn{Blocks: media}, path)
}

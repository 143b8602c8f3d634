package openai

import (
	"fmt"
	"strings"

	"github.com/aistrale/aistrale/providers"
)

// maxID is how long a call's id may be.
const maxID = 40

// messages says the turns. A turn of tool results is one message for each result.
func (c *composer) messages() error {
	c.Name("messages")
	c.Dst = append(c.Dst, '[')
	if NeedsNudge(c.req) {
		c.Dst = append(providers.AppendString(append(c.Dst, `{"role":"system","content":`...), JSONNudge), '}')
	}
	for i := range c.req.Turns {
		if err := c.turn(i); err != nil {
			return err
		}
	}
	c.Dst = append(c.Dst, ']')
	return nil
}

func (c *composer) turn(i int) error {
	t, path := &c.req.Turns[i], fmt.Sprintf("messages[%d]", i)
	switch t.Role {
	case providers.RoleSystem, providers.RoleDeveloper:
		return c.plain("system", t, path) // which all servers of the language know, and OpenAI's newer models take for the other
	case providers.RoleAssistant:
		return c.assistant(i, path)
	case providers.RoleTool:
		return c.results(t.Blocks, path)
	case providers.RoleUser:
	}
	return c.plain("user", t, path)
}

func (c *composer) open(role string) {
	c.Separate()
	c.Dst = append(append(append(c.Dst, `{"role":"`...), role...), '"')
}

func (c *composer) plain(role string, t *providers.Turn, path string) error {
	c.open(role)
	if err := c.content(role, t.Blocks, path); err != nil {
		return err
	}
	c.Str("name", t.Name)
	c.Dst = append(c.Dst, '}')
	return nil
}

// content is one text as a string, anything else as parts. Instructions and results are one text
// where they can be: many servers take no parts there.
func (c *composer) content(role string, blocks []providers.Block, path string) error {
	c.Name("content")
	c.marks(blocks)
	if text, ok := joined(blocks); ok && (role != "user" || len(blocks) < 2) {
		c.Dst = providers.AppendString(c.Dst, text)
		return nil
	}
	c.Dst = append(c.Dst, '[')
	for i := range blocks {
		if err := c.part(&blocks[i], fmt.Sprintf("%s.content[%d]", path, i)); err != nil {
			return err
		}
	}
	c.Dst = append(c.Dst, ']')
	return nil
}

// joined gives blocks as one text, false where they are more than that.
func joined(blocks []providers.Block) (string, bool) {
	texts := make([]string, len(blocks))
	for i := range blocks {
		if blocks[i].Kind != providers.KindText {
			return "", false
		}
		texts[i] = blocks[i].Text
	}
	return strings.Join(texts, "\n\n"), true
}

// marks names cache marks as dropped: the language's owner caches by itself.
func (c *composer) marks(blocks []providers.Block) {
	for i := range blocks {
		if blocks[i].Cache != nil {
			c.Drop("cache_control")
		}
	}
}

func (c *composer) part(b *providers.Block, path string) error {
	c.Separate()
	switch b.Kind {
	case providers.KindText:
		c.Dst = providers.AppendString(append(c.Dst, `{"type":"text","text":`...), b.Text)
		c.Dst = append(c.Dst, '}')
		return nil
	case providers.KindRefusal:
		c.Dst = providers.AppendString(append(c.Dst, `{"type":"refusal","refusal":`...), b.Text)
		c.Dst = append(c.Dst, '}')
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
	c.Dst = providers.AppendString(append(c.Dst, `{"type":"image_url","image_url":{"url":`...), Address(m))
	c.Str("detail", m.Detail)
	c.Dst = append(c.Dst, "}}"...)
	return nil
}

// file says a file's bytes. Those of a text are one: as files the API takes PDFs alone.
func (c *composer) file(m *providers.Media, path string) error {
	if m.FileID != "" {
		c.Dst = providers.AppendString(append(c.Dst, `{"type":"file","file":{"file_id":`...), m.FileID)
		c.Str("filename", m.Name)
		c.Dst = append(c.Dst, "}}"...)
		return nil
	}
	m = c.fetched(m)
	if m.Data == "" && m.URL == "" {
		return Missing(path + ".file.file_data")
	}
	if text, ok, err := FileText(m, path); ok || err != nil {
		c.Dst = append(providers.AppendString(append(c.Dst, `{"type":"text","text":`...), text), '}')
		return err
	}
	kind := m.Type
	if kind == "" {
		kind = "application/octet-stream"
	}
	c.Dst = providers.AppendString(append(c.Dst, `{"type":"file","file":{"file_data":`...), "data:"+kind+";base64,"+m.Data)
	c.Str("filename", Filename(m))
	c.Dst = append(c.Dst, "}}"...)
	return nil
}

func (c *composer) audio(m *providers.Media, path string) error {
	m = c.fetched(m)
	if m.Data == "" && m.URL == "" {
		return Missing(path + ".input_audio.data")
	}
	c.Dst = providers.AppendString(append(c.Dst, `{"type":"input_audio","input_audio":{"data":`...), m.Data)
	c.Str("format", AudioFormat(m))
	c.Dst = append(c.Dst, "}}"...)
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

// assistant says an answer of the model's, and behind its calls their results. Texts are joined:
// what stood between them has no place here. Reasoning stays behind, but for what OpenAI itself
// sealed, which OpenRouter takes back as it gave it; an answer of nothing else is none.
func (c *composer) assistant(turn int, path string) error {
	t := &c.req.Turns[turn]
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
			c.Drop("messages.images")
		}
	}
	c.marks(t.Blocks)
	if !said && len(t.Blocks) > 0 && len(calls)+len(sealed)+len(audio)+refusal.Len() == 0 {
		return nil
	}
	c.open("assistant")
	c.Name("content")
	if !said && (len(calls) > 0 || refusal.Len() > 0 || audio != "") {
		c.Dst = append(c.Dst, "null"...)
	} else {
		c.Dst = providers.AppendString(c.Dst, text.String())
	}
	c.Str("refusal", refusal.String())
	c.Str("name", t.Name)
	c.details(sealed)
	if audio != "" {
		c.Dst = append(providers.AppendString(append(c.Dst, `,"audio":{"id":`...), audio), '}')
	}
	c.calls(calls)
	c.Dst = append(c.Dst, '}')
	return c.results(c.answers(turn, calls), path)
}

// answers gives the results of a turn's calls, from wherever they stand before the next calls:
// the API takes nothing between the two.
func (c *composer) answers(turn int, calls []*providers.Block) (found []providers.Block) {
	wanted := map[string]int{}
	for _, b := range calls {
		wanted[b.Call.ID]++
	}
	answering := false // neighbours of the model's are one answer
	for i := turn + 1; i < len(c.req.Turns); i++ {
		blocks := c.req.Turns[i].Blocks
		answering = answering || c.req.Turns[i].Role == providers.RoleTool
		for j := range blocks {
			b := &blocks[j]
			switch {
			case b.Kind == providers.KindToolCall && answering:
				return found
			case b.Kind != providers.KindToolResult || b.Result == nil || wanted[b.Result.CallID] == 0 || c.said[b]:
				continue
			}
			wanted[b.Result.CallID]--
			if c.said == nil {
				c.said = map[*providers.Block]bool{}
			}
			c.said[b] = true
			found = append(found, *b)
		}
	}
	return found
}

func (c *composer) details(sealed []*providers.Block) {
	if len(sealed) == 0 {
		return
	}
	c.Name("reasoning_details")
	c.Dst = append(c.Dst, '[')
	for _, b := range sealed {
		c.Separate()
		kind := "reasoning.text"
		if b.Seal.Encrypted != "" {
			kind = "reasoning.encrypted"
		}
		c.Dst = append(append(append(c.Dst, `{"type":"`...), kind...), '"')
		c.Str("text", b.Text)
		c.Str("signature", b.Seal.Signature)
		c.Str("data", b.Seal.Encrypted)
		c.Str("id", b.Seal.ID)
		c.Dst = append(c.Dst, `,"format":"openai-responses-v1"}`...)
	}
	c.Dst = append(c.Dst, ']')
}

func (c *composer) calls(calls []*providers.Block) {
	if len(calls) == 0 {
		return
	}
	c.Name("tool_calls")
	c.Dst = append(c.Dst, '[')
	for i, b := range calls {
		c.Separate()
		id := b.Call.ID
		if id == "" {
			id = callID(c.call.ID, 0, i)
		}
		c.Dst = providers.AppendString(append(c.Dst, `{"id":`...), CallID(id, maxID, c.call.Quirks.CallID))
		text, opener := b.Call.Arguments, `,"type":"function","function":{"name":`
		member := "arguments"
		if b.Call.Custom {
			opener, member = `,"type":"custom","custom":{"name":`, "input"
		} else if text == "" {
			text = "{}"
		}
		c.Dst = providers.AppendString(append(c.Dst, opener...), providers.PlainToolName(b.Call.Name))
		c.Name(member)
		c.Dst = append(providers.AppendString(c.Dst, text), "}}"...)
	}
	c.Dst = append(c.Dst, ']')
}

// results says tool results. Only text has a place in them: media follow as the user's words.
func (c *composer) results(blocks []providers.Block, path string) error {
	var media []providers.Block
	c.marks(blocks)
	for i := range blocks {
		r := blocks[i].Result
		switch {
		case r == nil:
			return Refuse(path, "invalid_value", fmt.Sprintf("Invalid '%s': a turn of tool results has something else in it.", path))
		case c.said[&blocks[i]]:
			continue
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
			c.Drop("messages.is_error")
		}
		c.open("tool")
		c.Str("tool_call_id", CallID(r.CallID, maxID, c.call.Quirks.CallID))
		if err := c.content("tool", texts, path); err != nil {
			return err
		}
		c.Dst = append(c.Dst, '}')
	}
	if len(media) == 0 {
		return nil
	}
	return c.plain("user", &providers.Turn{Blocks: media}, path)
}

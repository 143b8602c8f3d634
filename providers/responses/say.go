package responses

import (
	"fmt"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/openai"
)

// maxID is how long a call's id may be.
const maxID = 64

// input says the turns. Each message, call, result and thought is an item of its own.
func (c *composer) input() error {
	c.Name("input")
	c.Dst = append(c.Dst, '[')
	if openai.NeedsNudge(c.req) {
		c.Dst = append(providers.AppendString(append(c.Dst, `{"role":"system","content":`...), openai.JSONNudge), '}')
	}
	for i := range c.req.Turns {
		t := &c.req.Turns[i]
		path := fmt.Sprintf("messages[%d]", i)
		if t.Name != "" && t.Role != providers.RoleTool {
			c.Drop("messages.name")
		}
		var err error
		switch t.Role {
		case providers.RoleSystem:
			err = c.message("system", t.Blocks, path)
		case providers.RoleDeveloper:
			err = c.message("developer", t.Blocks, path)
		case providers.RoleAssistant:
			err = c.assistant(t, path)
		default:
			err = c.user(t, path)
		}
		if err != nil {
			return err
		}
	}
	c.Dst = append(c.Dst, ']')
	return nil
}

// user says a turn of the user's, or of tools.
func (c *composer) user(t *providers.Turn, path string) error {
	from := 0
	for i := range t.Blocks {
		if t.Blocks[i].Kind != providers.KindToolResult {
			continue
		}
		if err := c.message("user", t.Blocks[from:i], path); err != nil {
			return err
		}
		if err := c.result(&t.Blocks[i], path); err != nil {
			return err
		}
		from = i + 1
	}
	if from > 0 && from == len(t.Blocks) {
		return nil
	}
	return c.message("user", t.Blocks[from:], path)
}

// message says blocks of one speaker; none is no message, unless the turn is empty itself.
func (c *composer) message(role string, blocks []providers.Block, path string) error {
	if len(blocks) == 0 {
		return nil
	}
	c.Separate()
	c.Dst = append(append(append(c.Dst, `{"role":"`...), role...), `","content":`...)
	c.marks(blocks)
	if len(blocks) == 1 && blocks[0].Kind == providers.KindText {
		c.Dst = append(providers.AppendString(c.Dst, blocks[0].Text), '}')
		return nil
	}
	if err := c.parts(blocks, path); err != nil {
		return err
	}
	c.Dst = append(c.Dst, '}')
	return nil
}

// marks names cache marks as dropped: OpenAI caches by itself.
func (c *composer) marks(blocks []providers.Block) {
	for i := range blocks {
		if blocks[i].Cache != nil {
			c.Drop("cache_control")
		}
	}
}

func (c *composer) parts(blocks []providers.Block, path string) error {
	c.Dst = append(c.Dst, '[')
	for i := range blocks {
		if err := c.part(&blocks[i], fmt.Sprintf("%s.content[%d]", path, i)); err != nil {
			return err
		}
	}
	c.Dst = append(c.Dst, ']')
	return nil
}

func (c *composer) part(b *providers.Block, path string) error {
	c.Separate()
	switch b.Kind {
	case providers.KindText, providers.KindRefusal:
		c.Dst = providers.AppendString(append(c.Dst, `{"type":"input_text","text":`...), b.Text)
	case providers.KindImage:
		return c.image(b.Media, path)
	case providers.KindFile:
		return c.file(b.Media, path)
	case providers.KindAudio:
		return c.audio(b.Media, path)
	default:
		return openai.Refuse(path, "invalid_value", fmt.Sprintf("Invalid '%s': the upstream takes no content of this kind here.", path))
	}
	c.Dst = append(c.Dst, '}')
	return nil
}

func (c *composer) image(m *providers.Media, path string) error {
	c.Dst = append(c.Dst, `{"type":"input_image"`...)
	switch address := openai.Address(m); {
	case m.FileID != "":
		c.Str("file_id", m.FileID)
	case address != "":
		c.Str("image_url", address)
	default:
		return openai.Missing(path + ".image_url")
	}
	c.Str("detail", m.Detail)
	c.Dst = append(c.Dst, '}')
	return nil
}

// file says a file. Of a text the text is said, as Chat's dialect does.
func (c *composer) file(m *providers.Media, path string) error {
	if text, ok, err := openai.FileText(m, path); ok || err != nil {
		c.Dst = append(providers.AppendString(append(c.Dst, `{"type":"input_text","text":`...), text), '}')
		return err
	}
	c.Dst = append(c.Dst, `{"type":"input_file"`...)
	switch {
	case m.FileID != "":
		c.Str("file_id", m.FileID)
	case m.Data != "":
		kind := m.Type
		if kind == "" {
			kind = "application/octet-stream"
		}
		c.Str("filename", openai.Filename(m))
		c.Str("file_data", "data:"+kind+";base64,"+m.Data)
	case m.URL != "":
		c.Str("file_url", m.URL)
	default:
		return openai.Missing(path + ".file_data")
	}
	c.Dst = append(c.Dst, '}')
	return nil
}

func (c *composer) audio(m *providers.Media, path string) error {
	if m.Data == "" {
		return openai.Missing(path + ".input_audio.data")
	}
	c.Dst = providers.AppendString(append(c.Dst, `{"type":"input_audio","input_audio":{"data":`...), m.Data)
	c.Str("format", openai.AudioFormat(m))
	c.Dst = append(c.Dst, "}}"...)
	return nil
}

// assistant says an answer of the model's, in its order. Reasoning goes back where OpenAI itself
// sealed it; what others thought stays behind.
func (c *composer) assistant(t *providers.Turn, path string) error {
	c.marks(t.Blocks)
	for i := 0; i < len(t.Blocks); i++ {
		switch b := &t.Blocks[i]; b.Kind {
		case providers.KindText, providers.KindRefusal:
			last := i
			for last+1 < len(t.Blocks) && (t.Blocks[last+1].Kind == providers.KindText || t.Blocks[last+1].Kind == providers.KindRefusal) {
				last++
			}
			c.answer(t.Blocks[i : last+1])
			i = last
		case providers.KindToolCall:
			c.called(b)
		case providers.KindReasoning:
			c.thought(b)
		case providers.KindToolResult:
			return openai.Refuse(path, "invalid_value", fmt.Sprintf("Invalid '%s': the upstream takes no tool result in an assistant's turn.", path))
		default:
			c.Drop("messages.images")
		}
	}
	return nil
}

// answer is one message of the model's. Empty texts, which only held a seal, are left out.
func (c *composer) answer(blocks []providers.Block) {
	head := len(c.Dst)
	c.Separate()
	c.Dst = append(c.Dst, `{"type":"message","role":"assistant","content":[`...)
	bare := len(c.Dst)
	for i := range blocks {
		if b := &blocks[i]; b.Kind == providers.KindRefusal {
			c.Separate()
			c.Dst = append(providers.AppendString(append(c.Dst, `{"type":"refusal","refusal":`...), b.Text), '}')
		} else if b.Text != "" {
			c.Separate()
			c.Dst = providers.AppendString(append(c.Dst, `{"type":"output_text","text":`...), b.Text)
			c.Dst = append(c.Dst, `,"annotations":[]}`...)
		}
	}
	if len(c.Dst) == bare {
		c.Dst = c.Dst[:head]
		return
	}
	c.Dst = append(c.Dst, "]}"...)
}

func (c *composer) thought(b *providers.Block) {
	if b.Seal == nil || b.Seal.Minter != openaiMinter || b.Seal.Encrypted == "" {
		return
	}
	c.Separate()
	c.Dst = append(c.Dst, `{"type":"reasoning"`...)
	c.Str("id", b.Seal.ID)
	c.Dst = append(c.Dst, `,"summary":[`...)
	if b.Text != "" {
		c.Dst = append(providers.AppendString(append(c.Dst, `{"type":"summary_text","text":`...), b.Text), '}')
	}
	c.Dst = append(c.Dst, ']')
	c.Str("encrypted_content", b.Seal.Encrypted)
	c.Dst = append(c.Dst, '}')
}

func (c *composer) called(b *providers.Block) {
	c.Separate()
	id := b.Call.ID
	if id == "" {
		id = callID(c.call.ID, len(c.Dst))
	}
	id = openai.CallID(id, maxID, c.call.Quirks.CallID)
	if b.Call.Custom {
		c.custom[b.Call.ID] = true
		c.Dst = providers.AppendString(append(c.Dst, `{"type":"custom_tool_call","call_id":`...), id)
		c.Str("name", providers.PlainToolName(b.Call.Name))
		c.Name("input")
		c.Dst = append(providers.AppendString(c.Dst, b.Call.Arguments), '}')
		return
	}
	arguments := b.Call.Arguments
	if arguments == "" {
		arguments = "{}"
	}
	c.Dst = providers.AppendString(append(c.Dst, `{"type":"function_call","call_id":`...), id)
	c.Str("name", providers.PlainToolName(b.Call.Name))
	c.Str("arguments", arguments)
	c.Dst = append(c.Dst, '}')
}

func (c *composer) result(b *providers.Block, path string) error {
	r := b.Result
	if b.Cache != nil {
		c.Drop("cache_control")
	}
	if r.IsError {
		c.Drop("messages.is_error")
	}
	kind := "function_call_output"
	if c.custom[r.CallID] {
		kind = "custom_tool_call_output"
	}
	c.Separate()
	c.Dst = append(append(append(c.Dst, `{"type":"`...), kind...), `","call_id":`...)
	c.Dst = append(providers.AppendString(c.Dst, openai.CallID(r.CallID, maxID, c.call.Quirks.CallID)), `,"output":`...)
	c.marks(r.Blocks)
	switch {
	case len(r.Blocks) == 0:
		c.Dst = append(c.Dst, `""`...)
	case len(r.Blocks) == 1 && r.Blocks[0].Kind == providers.KindText:
		c.Dst = providers.AppendString(c.Dst, r.Blocks[0].Text)
	default:
		if err := c.parts(r.Blocks, path); err != nil {
			return err
		}
	}
	c.Dst = append(c.Dst, '}')
	return nil
}

func words(raw []byte) (list []string) {
	gjson.ParseBytes(raw).ForEach(func(_, v gjson.Result) bool {
		list = append(list, v.Str)
		return true
	})
	return list
}

package responses

import (
	"fmt"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/openai"
)

// input says the turns. Each message, call, result and thought is an item of its own.
func (c *composer) input() error {
	c.name("input")
	c.dst = append(c.dst, '[')
	for i := range c.req.Turns {
		t := &c.req.Turns[i]
		path := fmt.Sprintf("messages[%d]", i)
		if t.Name != "" && t.Role != providers.RoleTool {
			c.drop("messages.name")
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
	c.dst = append(c.dst, ']')
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
	c.separate()
	c.dst = append(append(append(c.dst, `{"role":"`...), role...), `","content":`...)
	c.marks(blocks)
	if len(blocks) == 1 && blocks[0].Kind == providers.KindText {
		c.dst = append(providers.AppendString(c.dst, blocks[0].Text), '}')
		return nil
	}
	if err := c.parts(blocks, path); err != nil {
		return err
	}
	c.dst = append(c.dst, '}')
	return nil
}

// marks names cache marks as dropped: OpenAI caches by itself.
func (c *composer) marks(blocks []providers.Block) {
	for i := range blocks {
		if blocks[i].Cache != nil {
			c.drop("cache_control")
		}
	}
}

func (c *composer) parts(blocks []providers.Block, path string) error {
	c.dst = append(c.dst, '[')
	for i := range blocks {
		if err := c.part(&blocks[i], fmt.Sprintf("%s.content[%d]", path, i)); err != nil {
			return err
		}
	}
	c.dst = append(c.dst, ']')
	return nil
}

func (c *composer) part(b *providers.Block, path string) error {
	c.separate()
	switch b.Kind {
	case providers.KindText, providers.KindRefusal:
		c.dst = providers.AppendString(append(c.dst, `{"type":"input_text","text":`...), b.Text)
	case providers.KindImage:
		return c.image(b.Media, path)
	case providers.KindFile:
		return c.file(b.Media, path)
	case providers.KindAudio:
		return c.audio(b.Media, path)
	default:
		return openai.Refuse(path, "invalid_value", fmt.Sprintf("Invalid '%s': the upstream takes no content of this kind here.", path))
	}
	c.dst = append(c.dst, '}')
	return nil
}

func (c *composer) image(m *providers.Media, path string) error {
	c.dst = append(c.dst, `{"type":"input_image"`...)
	switch address := openai.Address(m); {
	case m.FileID != "":
		c.str("file_id", m.FileID)
	case address != "":
		c.str("image_url", address)
	default:
		return openai.Missing(path + ".image_url")
	}
	c.str("detail", m.Detail)
	c.dst = append(c.dst, '}')
	return nil
}

func (c *composer) file(m *providers.Media, path string) error {
	c.dst = append(c.dst, `{"type":"input_file"`...)
	name := m.Name
	switch {
	case m.FileID != "":
		c.str("file_id", m.FileID)
		name = ""
	case m.Data != "":
		kind := m.Type
		if kind == "" {
			kind = "application/octet-stream"
		}
		if name == "" {
			name = "file" // the API wants one beside bytes
		}
		c.str("filename", name)
		c.str("file_data", "data:"+kind+";base64,"+m.Data)
		name = ""
	case m.URL != "":
		c.str("file_url", m.URL)
		name = ""
	default:
		return openai.Missing(path + ".file_data")
	}
	c.str("filename", name)
	c.dst = append(c.dst, '}')
	return nil
}

func (c *composer) audio(m *providers.Media, path string) error {
	if m.Data == "" {
		return openai.Missing(path + ".input_audio.data")
	}
	format := strings.TrimPrefix(m.Type, "audio/")
	switch format {
	case "mpeg":
		format = "mp3"
	case "x-wav", "wave", "":
		format = "wav"
	}
	c.dst = providers.AppendString(append(c.dst, `{"type":"input_audio","input_audio":{"data":`...), m.Data)
	c.str("format", format)
	c.dst = append(c.dst, "}}"...)
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
			c.drop("messages.images")
		}
	}
	return nil
}

// answer is one message of the model's. Empty texts, which only held a seal, are left out.
func (c *composer) answer(blocks []providers.Block) {
	head := len(c.dst)
	c.separate()
	c.dst = append(c.dst, `{"type":"message","role":"assistant","content":[`...)
	bare := len(c.dst)
	for i := range blocks {
		if b := &blocks[i]; b.Kind == providers.KindRefusal {
			c.separate()
			c.dst = append(providers.AppendString(append(c.dst, `{"type":"refusal","refusal":`...), b.Text), '}')
		} else if b.Text != "" {
			c.separate()
			c.dst = providers.AppendString(append(c.dst, `{"type":"output_text","text":`...), b.Text)
			c.dst = append(c.dst, `,"annotations":[]}`...)
		}
	}
	if len(c.dst) == bare {
		c.dst = c.dst[:head]
		return
	}
	c.dst = append(c.dst, "]}"...)
}

func (c *composer) thought(b *providers.Block) {
	if b.Seal == nil || b.Seal.Minter != openaiMinter || b.Seal.Encrypted == "" {
		return
	}
	c.separate()
	c.dst = append(c.dst, `{"type":"reasoning"`...)
	c.str("id", b.Seal.ID)
	c.dst = append(c.dst, `,"summary":[`...)
	if b.Text != "" {
		c.dst = append(providers.AppendString(append(c.dst, `{"type":"summary_text","text":`...), b.Text), '}')
	}
	c.dst = append(c.dst, ']')
	c.str("encrypted_content", b.Seal.Encrypted)
	c.dst = append(c.dst, '}')
}

func (c *composer) called(b *providers.Block) {
	c.separate()
	id := b.Call.ID
	if id == "" {
		id = callID(c.call.ID, len(c.dst))
	}
	if b.Call.Custom {
		c.custom[id] = true
		c.dst = providers.AppendString(append(c.dst, `{"type":"custom_tool_call","call_id":`...), id)
		c.str("name", b.Call.Name)
		c.name("input")
		c.dst = append(providers.AppendString(c.dst, b.Call.Arguments), '}')
		return
	}
	arguments := b.Call.Arguments
	if arguments == "" {
		arguments = "{}"
	}
	c.dst = providers.AppendString(append(c.dst, `{"type":"function_call","call_id":`...), id)
	c.str("name", b.Call.Name)
	c.str("arguments", arguments)
	c.dst = append(c.dst, '}')
}

func (c *composer) result(b *providers.Block, path string) error {
	r := b.Result
	if b.Cache != nil {
		c.drop("cache_control")
	}
	if r.IsError {
		c.drop("messages.is_error")
	}
	kind := "function_call_output"
	if c.custom[r.CallID] {
		kind = "custom_tool_call_output"
	}
	c.separate()
	c.dst = append(append(append(c.dst, `{"type":"`...), kind...), `","call_id":`...)
	c.dst = append(providers.AppendString(c.dst, r.CallID), `,"output":`...)
	c.marks(r.Blocks)
	switch {
	case len(r.Blocks) == 0:
		c.dst = append(c.dst, `""`...)
	case len(r.Blocks) == 1 && r.Blocks[0].Kind == providers.KindText:
		c.dst = providers.AppendString(c.dst, r.Blocks[0].Text)
	default:
		if err := c.parts(r.Blocks, path); err != nil {
			return err
		}
	}
	c.dst = append(c.dst, '}')
	return nil
}

func words(raw []byte) (list []string) {
	gjson.ParseBytes(raw).ForEach(func(_, v gjson.Result) bool {
		list = append(list, v.Str)
		return true
	})
	return list
}

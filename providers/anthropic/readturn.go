package anthropic

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/providers"
)

type messageJSON struct {
	Role    string         `json:"role"`
	Content textOrBlocks   `json:"content"`
	Rest    jsontext.Value `json:",embed"`
}

// system reads the instructions, which stand before all turns.
func (r *reader) system() error {
	raw := r.doc.Value("system")
	if len(raw) == 0 || raw[0] == 'n' {
		return nil
	}
	var said textOrBlocks
	if err := unmarshal("system", raw, &said); err != nil {
		return err
	}
	blocks, err := r.content("system", &said)
	if err == nil && len(blocks) > 0 {
		r.req.Turns = append(r.req.Turns, providers.Turn{Role: providers.RoleSystem, Blocks: blocks})
	}
	return err
}

func (r *reader) messages() error {
	raw := r.doc.Value("messages")
	if len(raw) == 0 {
		return required("messages")
	}
	var list []messageJSON
	if err := unmarshal("messages", raw, &list); err != nil {
		return err
	}
	if len(list) == 0 {
		return wrong("messages", "at least one message is required")
	}
	for i := range list {
		if err := r.message(&list[i], fmt.Sprintf("messages.%d", i)); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) message(m *messageJSON, path string) error {
	r.unread("messages", m.Rest)
	if !m.Content.said {
		return required(path + ".content")
	}
	switch m.Role {
	case "user":
		return r.user(m, path+".content")
	case "assistant":
		return r.assistant(m, path+".content")
	case "system":
		blocks, err := r.content(path+".content", &m.Content)
		r.req.Turns = append(r.req.Turns, providers.Turn{Role: providers.RoleSystem, Blocks: blocks})
		return err
	case "":
		return required(path + ".role")
	}
	return wrong(path+".role", "Input should be 'user' or 'assistant'")
}

// user reads a user's message. Results of tools become a turn of their own, before what else the
// user says with them, as the API itself wants them.
func (r *reader) user(m *messageJSON, path string) error {
	blocks, err := r.content(path, &m.Content)
	if err != nil {
		return err
	}
	var results, said []providers.Block
	for i := range blocks {
		if blocks[i].Kind == providers.KindToolResult {
			results = append(results, blocks[i])
		} else {
			said = append(said, blocks[i])
		}
	}
	if len(results) > 0 {
		r.req.Turns = append(r.req.Turns, providers.Turn{Role: providers.RoleTool, Blocks: results})
	}
	if len(said) > 0 || len(results) == 0 {
		r.req.Turns = append(r.req.Turns, providers.Turn{Role: providers.RoleUser, Blocks: said})
	}
	return nil
}

// assistant reads an answer of the model's, with the seals of other languages' minters that its
// reply carried.
func (r *reader) assistant(m *messageJSON, path string) error {
	turn := providers.Turn{Role: providers.RoleAssistant}
	if !m.Content.list {
		turn.Blocks = []providers.Block{{Kind: providers.KindText, Text: m.Content.text}}
	}
	var carried []carrier
	for i := range m.Content.blocks {
		b := &m.Content.blocks[i]
		if b.Type == "redacted_thinking" {
			if c, ok := readCarrier(b.Data); ok && c.Of != "" {
				c.behind = len(turn.Blocks)
				carried = append(carried, c)
				continue
			}
		}
		blocks, err := r.block(fmt.Sprintf("%s.%d", path, i), b)
		if err != nil {
			return err
		}
		turn.Blocks = append(turn.Blocks, blocks...)
	}
	turn.Blocks = giveBack(turn.Blocks, carried)
	r.req.Turns = append(r.req.Turns, turn)
	return nil
}

// content reads a string or a list of blocks.
func (r *reader) content(path string, c *textOrBlocks) ([]providers.Block, error) {
	if !c.list {
		return []providers.Block{{Kind: providers.KindText, Text: c.text}}, nil
	}
	out := make([]providers.Block, 0, len(c.blocks))
	for i := range c.blocks {
		blocks, err := r.block(fmt.Sprintf("%s.%d", path, i), &c.blocks[i])
		if err != nil {
			return nil, err
		}
		out = append(out, blocks...)
	}
	return out, nil
}

package openai

import (
	"slices"
	"unicode/utf8"

	"github.com/aistrale/aistrale/providers"
)

// carried is what a reply of ours, or of another gateway, put on a message so that the next
// turn can rebuild the blocks of the upstream that made it.
type carried struct {
	ReasoningContent looseString    `json:"reasoning_content"`
	Reasoning        looseString    `json:"reasoning"`
	Thinking         []thinkingJSON `json:"thinking_blocks"`
	Details          []detailJSON   `json:"reasoning_details"`
	Extra            extraContent   `json:"extra_content"`
}

type thinkingJSON struct {
	Type      string      `json:"type"`
	Thinking  looseString `json:"thinking"`
	Signature looseString `json:"signature"`
	Data      looseString `json:"data"`
}

// detailJSON is one of OpenRouter's reasoning_details.
// Source: https://openrouter.ai/docs/use-cases/reasoning-tokens#preserving-reasoning-blocks
type detailJSON struct {
	Type      string      `json:"type"`
	Text      looseString `json:"text"`
	Summary   looseString `json:"summary"`
	Signature looseString `json:"signature"`
	Data      looseString `json:"data"`
	ID        looseString `json:"id"`
	Format    looseString `json:"format"`
}

// extraContent is the object that Google's compatible endpoint hangs signatures on, and we the
// order of blocks.
type extraContent struct {
	Google *struct {
		Signature looseString `json:"thought_signature"`
	} `json:"google"`
	Aistrale *orderJSON `json:"aistrale"`
}

type orderJSON struct {
	Minter string      `json:"minter"`
	Blocks []orderItem `json:"blocks"`
}

type orderItem struct {
	Type      string `json:"type"`
	Index     *int   `json:"index"`
	Length    int    `json:"length"`
	Text      string `json:"text"`
	Signature string `json:"signature"`
	Encrypted string `json:"encrypted"`
	ID        string `json:"id"`
}

func (m *messageJSON) order() *orderJSON {
	if o := m.Extra.Aistrale; o != nil && len(o.Blocks) > 0 {
		return o
	}
	return nil
}

// arrange puts reasoning, content, images and calls in the upstream's order.
func (m *messageJSON) arrange(content, images, calls []providers.Block) []providers.Block {
	reasoning := m.reasoning()
	if o := m.order(); o != nil {
		if blocks, ok := m.ordered(o, content, images, calls); ok {
			return blocks
		}
	}
	if len(images)+len(calls) > 0 && len(content) == 1 && content[0].Kind == providers.KindText && content[0].Text == "" {
		content = nil // "" beside calls and images is how clients spell "no text"
	}
	return slices.Concat(reasoning, content, images, calls)
}

// reasoning reads the first carrier that is there.
func (m *messageJSON) reasoning() []providers.Block {
	switch {
	case len(m.Thinking) > 0:
		blocks := make([]providers.Block, len(m.Thinking))
		for i := range m.Thinking {
			blocks[i] = m.Thinking[i].block(m.minter())
		}
		return blocks
	case len(m.Details) > 0:
		return details(m.Details)
	case m.ReasoningContent != "":
		return []providers.Block{{Kind: providers.KindReasoning, Text: string(m.ReasoningContent)}}
	case m.Reasoning != "":
		return []providers.Block{{Kind: providers.KindReasoning, Text: string(m.Reasoning)}}
	}
	return nil
}

func (m *messageJSON) minter() string {
	if m.Extra.Aistrale != nil && m.Extra.Aistrale.Minter != "" {
		return m.Extra.Aistrale.Minter
	}
	return "anthropic"
}

func (t *thinkingJSON) block(minter string) providers.Block {
	b := providers.Block{Kind: providers.KindReasoning, Text: string(t.Thinking)}
	if t.Data != "" || t.Signature != "" {
		b.Seal = &providers.Seal{Minter: minter, Signature: string(t.Signature), Encrypted: string(t.Data)}
	}
	return b
}

// details folds OpenRouter's entries, of which several may speak of one block of reasoning.
func details(list []detailJSON) []providers.Block {
	var blocks []providers.Block
	for i := range list {
		d := &list[i]
		b := providers.Block{Kind: providers.KindReasoning, Text: string(d.Text + d.Summary)}
		if d.Signature != "" || d.Data != "" {
			b.Seal = &providers.Seal{Minter: formatMinter(string(d.Format)), Signature: string(d.Signature), Encrypted: string(d.Data), ID: string(d.ID)}
		}
		if b.Text != "" || b.Seal != nil {
			blocks = append(blocks, b)
		}
	}
	return blocks
}

func formatMinter(format string) string {
	switch format {
	case "anthropic-claude-v1":
		return "anthropic"
	case "google-gemini-v1":
		return "gemini"
	case "openai-responses-v1", "azure-openai-responses-v1":
		return Language
	}
	return format
}

// ordered rebuilds the order that a reply of ours wrote down. It fails where the client has
// changed the message since.
func (m *messageJSON) ordered(o *orderJSON, content, images, calls []providers.Block) ([]providers.Block, bool) {
	w := weaver{
		m: m, minter: m.minter(), images: images, calls: calls,
		usedImages: make([]bool, len(images)), usedCalls: make([]bool, len(calls)), usedThinking: make([]bool, len(m.Thinking)),
	}
	for i := range content {
		if content[i].Kind == providers.KindText {
			w.text += content[i].Text
		} else {
			w.others = append(w.others, content[i])
		}
	}
	for i := range o.Blocks {
		b, ok := w.block(&o.Blocks[i])
		if !ok {
			return nil, false
		}
		w.blocks = append(w.blocks, b)
	}
	if w.text != "" || slices.Contains(w.usedImages, false) || slices.Contains(w.usedCalls, false) || slices.Contains(w.usedThinking, false) {
		return nil, false
	}
	return append(w.blocks, w.others...), true
}

// weaver puts a message's parts in a written order, each once.
type weaver struct {
	m                                   *messageJSON
	minter, text                        string // text that no block has taken yet
	images, calls                       []providers.Block
	usedImages, usedCalls, usedThinking []bool
	blocks, others                      []providers.Block
}

func (w *weaver) block(item *orderItem) (b providers.Block, ok bool) {
	switch item.Type {
	case "tool_call":
		if !take(w.usedCalls, item.Index) {
			return b, false
		}
		return w.calls[*item.Index], true
	case "image":
		if !take(w.usedImages, item.Index) {
			return b, false
		}
		b = w.images[*item.Index]
		b.Seal = w.seal(item)
		return b, true
	case "text":
		n, ok := runes(w.text, item.Length)
		if !ok {
			return b, false
		}
		b = providers.Block{Kind: providers.KindText, Text: w.text[:n], Seal: w.seal(item)}
		w.text = w.text[n:]
		return b, true
	case "reasoning":
		if item.Index == nil {
			return providers.Block{Kind: providers.KindReasoning, Text: item.Text, Seal: w.seal(item)}, true
		}
		if !take(w.usedThinking, item.Index) {
			return b, false
		}
		return w.m.Thinking[*item.Index].block(w.minter), true
	}
	return b, false
}

func (w *weaver) seal(item *orderItem) *providers.Seal {
	if item.Signature == "" && item.Encrypted == "" && item.ID == "" {
		return nil
	}
	return &providers.Seal{Minter: w.minter, Signature: item.Signature, Encrypted: item.Encrypted, ID: item.ID}
}

func take(used []bool, index *int) bool {
	if index == nil || *index < 0 || *index >= len(used) || used[*index] {
		return false
	}
	used[*index] = true
	return true
}

// runes gives the bytes that the first n code points of s take.
func runes(s string, n int) (bytes int, ok bool) {
	if n < 0 || n > len(s) {
		return 0, false
	}
	for range n {
		if bytes == len(s) {
			return 0, false
		}
		_, size := utf8.DecodeRuneInString(s[bytes:])
		bytes += size
	}
	return bytes, true
}

// seal finds a call's signature: on the call itself, where Google and we put it, in the field
// of other gateways, or behind the id.
func (c *callJSON) seal(suffix string) *providers.Seal {
	var signature string
	switch {
	case c.Extra.Google != nil && c.Extra.Google.Signature != "":
		signature = string(c.Extra.Google.Signature)
	case c.Specific != nil && c.Specific.Signature != "":
		signature = string(c.Specific.Signature)
	case c.Function != nil && c.Function.Specific != nil && c.Function.Specific.Signature != "":
		signature = string(c.Function.Specific.Signature)
	default:
		signature = suffix
	}
	if signature == "" {
		return nil
	}
	return &providers.Seal{Minter: "gemini", Signature: signature}
}

package openai

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// choice is one answer under way.
type choice struct {
	index    int
	blocks   []*block // in the order they began
	calls    int
	images   int
	reasoned bool // some reasoning text was written
	refusal  []byte
	// logContent and logRefusal gather the elements of the two arrays of logprobs.
	logprobs               bool
	logContent, logRefusal []byte
	finished               bool
	reason, native         string
	sole                   providers.Sole[block]
}

// block is one block of a choice, with what must wait for the choice's end.
type block struct {
	index     int
	kind      providers.Kind
	text      []byte // of reasoning always, of text and arguments only in a whole reply
	runes     int    // code points of text
	begun     bool   // some text came
	closed    bool
	sealed    bool // the signature is on the wire
	number    int  // of a call among its choice's calls
	call      providers.ToolCall
	seal      *providers.Seal
	media     *providers.Media
	citations []providers.Citation
}

func (c *choice) block(index int) *block {
	for i := len(c.blocks) - 1; i >= 0; i-- {
		if c.blocks[i].index == index {
			return c.blocks[i]
		}
	}
	return nil
}

// start notes a block. What it keeps is copied, since events point into the upstream's frame.
func (c *choice) start(index int, from *providers.Block) *block {
	b, room := c.sole.New(c.blocks)
	b.index, b.kind, b.seal = index, from.Kind, keepSeal(from.Seal)
	if b.kind == providers.KindToolCall {
		if from.Call != nil {
			b.call = providers.ToolCall{ID: strings.Clone(from.Call.ID), Name: strings.Clone(from.Call.Name), Custom: from.Call.Custom}
		}
	}
	if from.Media != nil {
		m := *from.Media
		m.Type, m.Data, m.URL = strings.Clone(m.Type), strings.Clone(m.Data), strings.Clone(m.URL)
		b.media = &m
	}
	for i := range from.Citations {
		b.citations = append(b.citations, keepCitation(&from.Citations[i]))
	}
	c.blocks = append(room, b)
	return b
}

func keepSeal(s *providers.Seal) *providers.Seal {
	if s == nil {
		return nil
	}
	return &providers.Seal{
		Minter: strings.Clone(s.Minter), Signature: strings.Clone(s.Signature), Encrypted: strings.Clone(s.Encrypted), ID: strings.Clone(s.ID),
	}
}

func keepCitation(c *providers.Citation) providers.Citation {
	return providers.Citation{
		URL: strings.Clone(c.URL), Title: strings.Clone(c.Title), Text: strings.Clone(c.Text), Start: c.Start, End: c.End, Native: clone(c.Native),
	}
}

func (b *block) add(c *choice, text string, stream bool) {
	if text == "" {
		return
	}
	b.begun = true
	if b.kind == providers.KindReasoning {
		c.reasoned = true
	}
	if b.kind == providers.KindText {
		b.runes += utf8.RuneCountInString(text)
	}
	if !stream || b.kind == providers.KindReasoning {
		b.text = append(b.text, text...)
	}
}

func (c *choice) finishReason(f providers.Finish) string {
	switch f {
	case providers.FinishLength:
		return "length"
	case providers.FinishContentFilter:
		return "content_filter"
	case providers.FinishToolCalls:
		return "tool_calls"
	default:
		// Agents stop silently where calls come with "stop", so the blocks decide.
		if c.calls > 0 {
			return "tool_calls"
		}
		return "stop"
	}
}

func (c *choice) appendFinish(dst []byte) []byte {
	dst = providers.AppendString(append(dst, `,"finish_reason":`...), c.reason)
	return appendOrNull(append(dst, `,"native_finish_reason":`...), c.native)
}

// addLogprobs gathers the logprobs of the pieces of a reply that is not streamed.
func (c *choice) addLogprobs(raw []byte) {
	if len(raw) == 0 || !providers.ValidJSON(raw) {
		return
	}
	c.logprobs = true
	c.logContent = appendElements(c.logContent, gjson.GetBytes(raw, "content"))
	c.logRefusal = appendElements(c.logRefusal, gjson.GetBytes(raw, "refusal"))
}

func appendElements(dst []byte, list gjson.Result) []byte {
	for _, e := range list.Array() {
		if e.Raw == "" || e.Type == gjson.Null {
			continue
		}
		if len(dst) > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, e.Raw...)
	}
	return dst
}

func (c *choice) appendLogprobs(dst []byte) []byte {
	if !c.logprobs {
		return append(dst, "null"...)
	}
	dst = appendList(append(dst, `{"content":`...), c.logContent)
	dst = appendList(append(dst, `,"refusal":`...), c.logRefusal)
	return append(dst, '}')
}

func appendList(dst, elements []byte) []byte {
	if len(elements) == 0 {
		return append(dst, "null"...)
	}
	return append(append(append(dst, '['), elements...), ']')
}

func sortChoices(list []*choice) {
	slices.SortStableFunc(list, func(a, b *choice) int { return a.index - b.index })
}

// appendWhole is one element of choices.
func (c *choice) appendWhole(dst []byte) []byte {
	dst = strconv.AppendInt(append(dst, `{"index":`...), int64(c.index), 10)
	dst = append(dst, `,"message":{"role":"assistant","content":`...)
	var text, reasoning []byte
	refusal := c.refusal
	for _, b := range c.blocks {
		switch b.kind {
		case providers.KindText:
			text = append(text, b.text...)
		case providers.KindRefusal:
			refusal = append(refusal, b.text...)
		case providers.KindReasoning:
			if len(reasoning) > 0 && len(b.text) > 0 {
				reasoning = append(reasoning, "\n\n"...)
			}
			reasoning = append(reasoning, b.text...)
		default: // calls and media have members of their own
		}
	}
	if len(text) == 0 && (c.calls > 0 || len(refusal) > 0) {
		dst = append(dst, "null"...)
	} else {
		dst = providers.AppendString(dst, text)
	}
	dst = append(dst, `,"refusal":`...)
	if len(refusal) == 0 {
		dst = append(dst, "null"...)
	} else {
		dst = providers.AppendString(dst, refusal)
	}
	if len(reasoning) > 0 {
		dst = providers.AppendString(append(dst, `,"reasoning_content":`...), reasoning)
	}
	dst = c.appendCalls(dst)
	dst = c.appendAllMedia(dst)
	dst = c.appendCarriers(dst)
	dst = c.appendLogprobs(append(dst, `},"logprobs":`...))
	return append(c.appendFinish(dst), '}')
}

func (c *choice) appendCalls(dst []byte) []byte {
	if c.calls == 0 {
		return dst
	}
	dst = append(dst, `,"tool_calls":`...)
	from := byte('[')
	for _, b := range c.blocks {
		if b.kind == providers.KindToolCall {
			dst = b.appendCall(append(dst, from), false, string(b.text))
			from = ','
		}
	}
	return append(dst, ']')
}

func appendRaw(dst, raw []byte) []byte {
	if len(raw) == 0 {
		return append(dst, "null"...)
	}
	return append(dst, raw...)
}

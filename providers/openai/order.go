package openai

import (
	"strconv"

	"github.com/aistrale/aistrale/providers"
)

// appendCarriers appends, each with a comma before it, the members of a message that carry
// what OpenAI's form has no place for. In a stream they come whole and once, because the
// official SDKs overwrite a delta's unknown members instead of appending to them.
func (c *choice) appendCarriers(dst []byte) []byte {
	dst = c.appendAnnotations(dst)
	dst = c.appendThinking(dst)
	dst = c.appendUnlinked(dst)
	return c.appendOrder(dst)
}

// appendAnnotations is the citations that have an address. Their places count code points of
// the whole content; a citation without a place speaks of its whole block.
func (c *choice) appendAnnotations(dst []byte) []byte {
	from, n := 0, 0
	for _, b := range c.blocks {
		for i := range b.citations {
			cite := &b.citations[i]
			if cite.URL == "" {
				continue
			}
			start, end := from+cite.Start, from+cite.End
			if cite.Start == 0 && cite.End == 0 {
				end = from + b.runes
			}
			if n++; n == 1 {
				dst = append(dst, `,"annotations":[`...)
			} else {
				dst = append(dst, ',')
			}
			dst = append(dst, `{"type":"url_citation","url_citation":{"start_index":`...)
			dst = strconv.AppendInt(dst, int64(start), 10)
			dst = strconv.AppendInt(append(dst, `,"end_index":`...), int64(end), 10)
			dst = providers.AppendString(append(dst, `,"url":`...), cite.URL)
			dst = providers.AppendString(append(dst, `,"title":`...), cite.Title)
			dst = append(dst, "}}"...)
		}
		from += b.runes
	}
	if n > 0 {
		dst = append(dst, ']')
	}
	return dst
}

// appendUnlinked is the citations without an address, as the upstream wrote them.
func (c *choice) appendUnlinked(dst []byte) []byte {
	n := 0
	for _, b := range c.blocks {
		for i := range b.citations {
			if b.citations[i].URL != "" || len(b.citations[i].Native) == 0 {
				continue
			}
			if n++; n == 1 {
				dst = append(dst, `,"provider_specific_fields":{"citations":[`...)
			} else {
				dst = append(dst, ',')
			}
			dst = append(dst, b.citations[i].Native...)
		}
	}
	if n > 0 {
		dst = append(dst, "]}"...)
	}
	return dst
}

// thinking reports whether a block goes into thinking_blocks.
func (b *block) thinking() bool {
	return b.kind == providers.KindReasoning && b.seal != nil && b.seal.Minter == "anthropic" && (b.seal.Signature != "" || b.seal.Encrypted != "")
}

func (c *choice) appendThinking(dst []byte) []byte {
	n := 0
	for _, b := range c.blocks {
		if !b.thinking() {
			continue
		}
		if n++; n == 1 {
			dst = append(dst, `,"thinking_blocks":[`...)
		} else {
			dst = append(dst, ',')
		}
		if b.seal.Encrypted != "" {
			dst = providers.AppendString(append(dst, `{"type":"redacted_thinking","data":`...), b.seal.Encrypted)
		} else {
			dst = providers.AppendString(append(dst, `{"type":"thinking","thinking":`...), b.text)
			dst = providers.AppendString(append(dst, `,"signature":`...), b.seal.Signature)
		}
		dst = append(dst, '}')
	}
	if n > 0 {
		dst = append(dst, ']')
	}
	return dst
}

// needsOrder reports whether the blocks can only be rebuilt from a written order: they do not
// stand as all reasoning, one text, all images, all calls, or a seal has no other carrier.
func (c *choice) needsOrder() bool {
	last, texts := 0, 0
	for _, b := range c.blocks {
		if b.seal != nil && b.kind != providers.KindToolCall && !b.thinking() && b.ordered() {
			return true
		}
		at := b.rank()
		if at < 0 {
			continue
		}
		if at == rankText {
			texts++
		}
		if at < last || texts > 1 {
			return true
		}
		last = at
	}
	return false
}

// ordered reports the kinds that a written order has items of.
func (b *block) ordered() bool {
	return b.kind == providers.KindReasoning || b.kind == providers.KindText || b.kind == providers.KindToolCall || b.image()
}

const rankText = 1

// rank is where a block stands in an order that goes without saying, -1 where it has no place.
func (b *block) rank() int {
	switch {
	case b.kind == providers.KindReasoning:
		return 0
	case b.kind == providers.KindText && b.runes > 0:
		return rankText
	case b.image():
		return 2
	case b.kind == providers.KindToolCall:
		return 3
	}
	return -1
}

func (c *choice) appendOrder(dst []byte) []byte {
	if !c.needsOrder() {
		return dst
	}
	dst = append(dst, `,"extra_content":{"aistrale":{`...)
	for _, b := range c.blocks {
		if b.seal != nil && b.seal.Minter != "" {
			dst = providers.AppendString(append(dst, `"minter":`...), b.seal.Minter)
			dst = append(dst, ',')
			break
		}
	}
	dst = append(dst, `"blocks":[`...)
	thoughts, items := 0, 0
	for _, b := range c.blocks {
		switch {
		case b.kind == providers.KindText && b.runes == 0 && b.seal == nil:
			continue
		case !b.ordered():
			continue
		}
		if items++; items > 1 {
			dst = append(dst, ',')
		}
		dst = b.appendItem(dst, thoughts)
		if b.thinking() {
			thoughts++
		}
	}
	return append(dst, "]}}"...)
}

func (b *block) appendItem(dst []byte, thoughts int) []byte {
	switch {
	case b.thinking():
		dst = strconv.AppendInt(append(dst, `{"type":"reasoning","index":`...), int64(thoughts), 10)
		return append(dst, '}')
	case b.kind == providers.KindToolCall:
		dst = strconv.AppendInt(append(dst, `{"type":"tool_call","index":`...), int64(b.number), 10)
		return append(dst, '}')
	case b.kind == providers.KindText:
		dst = strconv.AppendInt(append(dst, `{"type":"text","length":`...), int64(b.runes), 10)
	case b.image():
		dst = strconv.AppendInt(append(dst, `{"type":"image","index":`...), int64(b.number), 10)
	default:
		dst = append(dst, `{"type":"reasoning"`...)
		dst = appendMember(dst, "text", string(b.text))
	}
	if b.seal != nil {
		dst = appendMember(dst, "signature", b.seal.Signature)
		dst = appendMember(dst, "encrypted", b.seal.Encrypted)
		dst = appendMember(dst, "id", b.seal.ID)
	}
	return append(dst, '}')
}

func appendMember(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	dst = append(providers.AppendString(append(dst, ','), name), ':')
	return providers.AppendString(dst, value)
}

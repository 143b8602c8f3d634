package gemini

import (
	"slices"
	"strings"

	"github.com/aistrale/aistrale/providers"
)

// writer says hub events as GenerateContentResponses: each piece of a stream as one of its own,
// a whole reply as one at the end. Reasons to finish, sources and usage come last.
type writer struct {
	call       *providers.Call
	id         string
	candidates []*candidate // by their index
	usage      providers.Usage
	ended      bool
	passed     *passed // of a stream that went to the client as it came
}

// Writer implements providers.Face.
func (Face) Writer(call *providers.Call) providers.Writer {
	if call.Op == providers.OpCountTokens {
		return &providers.CountWriter{Say: sayCount}
	}
	return &writer{call: call, id: call.ID}
}

// Write implements providers.Writer. A fault ends a stream with the error event; in a whole
// reply it leaves no bytes, since Refuse answers then.
func (w *writer) Write(dst []byte, ev *providers.Event) []byte {
	if w.ended {
		return dst
	}
	switch ev.Kind {
	case providers.EventStart:
		if ev.ID != "" {
			w.id = strings.Clone(ev.ID)
		}
	case providers.EventUsage:
		if ev.Usage != nil {
			w.usage.Merge(*ev.Usage)
		}
	case providers.EventPing:
		if w.call.Stream {
			return append(dst, awake...)
		}
	case providers.EventFault:
		w.ended = true
		if w.call.Stream && ev.Fault != nil {
			return append(dst, Face{}.Broken(ev.Fault)...)
		}
	case providers.EventEnd:
		return w.end(dst)
	case providers.EventCut:
		if !w.call.Stream {
			w.ended = true
			return dst
		}
		if ev.Usage != nil {
			w.usage = *ev.Usage
		}
		return w.cut(dst)
	default:
		return w.inCandidate(dst, ev)
	}
	return dst
}

func (w *writer) inCandidate(dst []byte, ev *providers.Event) []byte {
	c := w.candidate(ev.Choice)
	if c.reason != "" {
		return dst
	}
	switch ev.Kind {
	case providers.EventBlockStart:
		if ev.Block == nil || c.block(ev.Index) != nil {
			return dst
		}
		b := c.begin(ev.Index, ev.Block)
		text := ev.Block.Text
		if ev.Block.Call != nil {
			text = ev.Block.Call.Arguments
		}
		return w.piece(dst, c, b, text)
	case providers.EventDelta:
		b := c.block(ev.Index)
		if b == nil {
			b = c.begin(ev.Index, &providers.Block{Kind: providers.KindText})
		}
		c.addLogprobs(ev.Logprobs)
		return w.piece(dst, c, b, ev.Text)
	case providers.EventBlockStop:
		if b := c.block(ev.Index); b != nil {
			if ev.Block != nil && ev.Block.Seal != nil {
				b.seal = keepSeal(ev.Block.Seal)
			}
			return w.closeBlock(dst, c, b)
		}
	case providers.EventCitation:
		if b := c.block(ev.Index); b != nil && ev.Citation != nil {
			b.cite(ev.Citation)
		}
	case providers.EventFinish:
		c.finish(ev)
		return w.closeAll(dst, c)
	default: // the others belong to no candidate
	}
	return dst
}

func (w *writer) candidate(index int) *candidate {
	at, found := slices.BinarySearchFunc(w.candidates, index, func(c *candidate, i int) int { return c.index - i })
	if !found {
		w.candidates = slices.Insert(w.candidates, at, &candidate{index: index, reply: w.call.ID})
	}
	return w.candidates[at]
}

// piece adds text to a block. What is said or thought goes to a stream's client at once; calls
// have one part each, which waits for all of it.
func (w *writer) piece(dst []byte, c *candidate, b *said, text string) []byte {
	if text == "" {
		return dst
	}
	b.text = append(b.text, text...)
	if !w.call.Stream || !b.spoken() {
		return dst
	}
	part := body{b: []byte{}}
	part.textOf(b, text, "")
	return w.chunk(dst, c, part.b)
}

// closeBlock sends what of a block goes out whole, or only at its end: the seal on what was said,
// and calls and pictures, which go in the order they began in.
func (w *writer) closeBlock(dst []byte, c *candidate, b *said) []byte {
	if b.closed {
		return dst
	}
	b.closed = true
	switch {
	case !w.call.Stream:
		return dst
	case !b.spoken():
		return w.sendClosed(dst, c)
	}
	signature := b.signature()
	if signature == "" {
		return dst
	}
	var part body
	part.textOf(b, "", signature)
	return w.chunk(dst, c, part.b)
}

// sendClosed sends the blocks that go out whole, up to the first that has not ended.
func (w *writer) sendClosed(dst []byte, c *candidate) []byte {
	for _, b := range c.blocks {
		switch {
		case b.spoken() || b.sent:
			continue
		case !b.closed:
			return dst
		}
		b.sent = true
		var part body
		if part.part(b) {
			dst = w.chunk(dst, c, part.b)
		}
	}
	return dst
}

func (w *writer) closeAll(dst []byte, c *candidate) []byte {
	for _, b := range c.blocks {
		dst = w.closeBlock(dst, c, b)
	}
	return dst
}

// chunk is an event of a stream with one part.
func (w *writer) chunk(dst []byte, c *candidate, part []byte) []byte {
	out := body{b: append(dst, `data: {"candidates":[{"content":{"parts":[`...)}
	out.b = append(out.b, part...)
	out.b = append(out.b, `],"role":"model"},"index":`...)
	out.b = append(append(out.b, number(int64(c.index))...), "}]"...)
	w.names(&out)
	return append(out.b, "}\r\n\r\n"...)
}

// names are the members that all responses of a reply share.
func (w *writer) names(out *body) {
	id, model := w.id, w.call.Asked
	if w.passed != nil {
		id, model = w.passed.id, w.passed.model
	}
	out.field("modelVersion", model)
	out.field("responseId", id)
}

// end is the last response of a stream, or the only one of a whole reply. A reply without any
// candidate gets one, since clients read the first unasked.
func (w *writer) end(dst []byte) []byte {
	w.ended = true
	if len(w.candidates) == 0 {
		w.candidate(0)
	}
	for _, c := range w.candidates {
		if c.reason == "" {
			c.reason = "STOP"
		}
		dst = w.closeAll(dst, c)
	}
	return w.last(dst)
}

func (w *writer) last(dst []byte) []byte {
	if w.call.Stream {
		dst = append(dst, "data: "...)
	}
	out := body{b: append(dst, `{"candidates":[`...)}
	for _, c := range w.candidates {
		if !c.over {
			out.next()
			c.write(&out, w.call.Stream)
		}
	}
	out.b = append(out.b, `],"usageMetadata":`...)
	writeUsage(&out, &w.usage)
	w.names(&out)
	out.shut('}')
	if w.call.Stream {
		out.b = append(out.b, "\r\n\r\n"...)
	}
	return out.b
}

// writeUsage says what was counted; an object without members where nobody did. Thoughts are
// counted apart, and cached tokens within the prompt's.
func writeUsage(out *body, usage *providers.Usage) {
	out.b = append(out.b, '{')
	if len(usage.Lines) > 0 {
		n := usage.Called()
		n.Reasoning = min(n.Reasoning, n.Output) // some count it beside what they charge
		out.rawField("promptTokenCount", number(n.Input()))
		out.rawField("candidatesTokenCount", number(n.Output-n.Reasoning))
		out.rawField("totalTokenCount", number(n.Input()+n.Output))
		if n.CacheRead > 0 {
			out.rawField("cachedContentTokenCount", number(n.CacheRead))
		}
		if n.Reasoning > 0 {
			out.rawField("thoughtsTokenCount", number(n.Reasoning))
		}
	}
	out.b = append(out.b, '}')
}

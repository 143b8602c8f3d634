package openai

import (
	"strconv"
	"strings"

	"github.com/aistrale/aistrale/providers"
)

// writer says hub events as chat.completion.chunk events or, at the end, as one
// chat.completion.
type writer struct {
	call    *providers.Call
	id      string
	prefix  []byte // of every chunk, up to the choice's index
	choices []*choice
	usage   providers.Usage
	used    bool // usage was said
	ended   bool
	passed  passed

	// Room for what a reply mostly has.
	sole providers.Sole[choice]
	line [1]providers.UsageLine
}

// Writer implements providers.Face.
func (Face) Writer(call *providers.Call) providers.Writer {
	w := &writer{call: call, id: call.ID}
	w.usage.Lines = w.line[:0]
	return w
}

// Write implements providers.Writer. A fault ends a stream with the error event; in a whole
// reply it leaves no bytes, since Refuse answers then.
func (w *writer) Write(dst []byte, ev *providers.Event) []byte {
	if w.ended {
		return dst
	}
	switch ev.Kind {
	case providers.EventStart:
		if ev.ID != "" && w.prefix == nil {
			w.id = strings.Clone(ev.ID)
		}
	case providers.EventUsage:
		if ev.Usage != nil {
			w.usage.Merge(*ev.Usage)
			w.used = true
		}
	case providers.EventPing:
		if w.call.Stream {
			return append(dst, ": ping\n\n"...)
		}
	case providers.EventFault:
		w.ended = true
		if w.call.Stream && ev.Fault != nil {
			return append(dst, Face{}.Broken(ev.Fault)...)
		}
	case providers.EventEnd:
		w.ended = true
		if w.call.Stream {
			return w.end(dst)
		}
		return w.whole(dst)
	case providers.EventCut:
		w.ended = true
		return w.cut(dst, ev.Usage)
	default:
		return w.inChoice(dst, ev)
	}
	return dst
}

func (w *writer) inChoice(dst []byte, ev *providers.Event) []byte {
	var c *choice
	c, dst = w.choice(dst, ev.Choice)
	if c.finished {
		return dst
	}
	switch ev.Kind {
	case providers.EventBlockStart:
		return w.startBlock(dst, c, ev)
	case providers.EventDelta:
		return w.delta(dst, c, ev)
	case providers.EventBlockStop:
		return w.stopBlock(dst, c, ev)
	case providers.EventCitation:
		if b := c.block(ev.Index); b != nil && ev.Citation != nil {
			b.citations = append(b.citations, keepCitation(ev.Citation))
		}
	case providers.EventFinish:
		return w.finish(dst, c, ev)
	default: // the others belong to no choice
	}
	return dst
}

// choice gives the choice of that number; a stream says its role when it first comes up.
func (w *writer) choice(dst []byte, index int) (*choice, []byte) {
	for _, c := range w.choices {
		if c.index == index {
			return c, dst
		}
	}
	c, room := w.sole.New(w.choices)
	c.index, w.choices = index, append(room, c)
	if w.call.Stream {
		dst = w.open(dst, c)
		dst = append(dst, `"role":"assistant","content":""`...)
		dst = shut(dst, nil)
	}
	return c, dst
}

// open begins a chunk with one choice and leaves its delta open.
func (w *writer) open(dst []byte, c *choice) []byte {
	if w.prefix == nil {
		w.prefix = append(w.head([]byte("data: "), "chat.completion.chunk"), `,"choices":[{"index":`...)
	}
	dst = strconv.AppendInt(append(dst, w.prefix...), int64(c.index), 10)
	return append(dst, `,"delta":{`...)
}

func shut(dst, logprobs []byte) []byte {
	dst = appendRaw(append(dst, `},"logprobs":`...), logprobs)
	return append(dst, `,"finish_reason":null}]}`+"\n\n"...)
}

// head begins a chunk or a completion with the members that all of one reply share.
func (w *writer) head(dst []byte, object string) []byte {
	dst = append(dst, `{"id":`...)
	dst = providers.AppendString(dst, w.id)
	dst = append(dst, `,"object":"`...)
	dst = append(dst, object...)
	dst = append(dst, `","created":`...)
	dst = strconv.AppendInt(dst, w.call.Created.Unix(), 10)
	dst = append(dst, `,"model":`...)
	return providers.AppendString(dst, w.call.Asked)
}

func (w *writer) startBlock(dst []byte, c *choice, ev *providers.Event) []byte {
	if ev.Block == nil || c.block(ev.Index) != nil {
		return dst
	}
	b := c.start(ev.Index, ev.Block)
	switch b.kind {
	case providers.KindToolCall:
		b.number = c.calls
		c.calls++
		if b.call.ID == "" {
			b.call.ID = callID(w.call.ID, c.index, ev.Index)
		}
		if w.call.Stream {
			dst = append(w.open(dst, c), `"tool_calls":[`...)
			dst = shut(append(b.appendCall(dst, true, ""), ']'), nil)
			b.sealed = b.seal != nil
		}
	case providers.KindImage, providers.KindFile, providers.KindAudio:
		if b.image() {
			b.number = c.images
			c.images++
		}
		if b.media != nil && w.call.Stream {
			dst = w.open(dst, c)
			dst = shut(c.appendMedia(dst, b), nil)
		}
	default: // texts come in pieces, below
	}
	text := ev.Block.Text
	if ev.Block.Call != nil {
		text = ev.Block.Call.Arguments
	}
	if text == "" {
		return dst
	}
	return w.piece(dst, c, b, text, nil)
}

func (w *writer) delta(dst []byte, c *choice, ev *providers.Event) []byte {
	b := c.block(ev.Index)
	if b == nil {
		b = c.start(ev.Index, &providers.Block{Kind: providers.KindText})
	}
	if ev.Text == "" && ev.Logprobs == nil {
		return dst
	}
	return w.piece(dst, c, b, ev.Text, ev.Logprobs)
}

// piece adds text to a block: at once to the wire of a stream, else to the block.
func (w *writer) piece(dst []byte, c *choice, b *block, text string, logprobs []byte) []byte {
	gap := b.kind == providers.KindReasoning && !b.begun && c.reasoned
	b.add(c, text, w.call.Stream)
	if !w.call.Stream {
		c.addLogprobs(logprobs)
		return dst
	}
	dst = w.open(dst, c)
	switch b.kind {
	case providers.KindToolCall:
		dst = append(dst, `"tool_calls":[{"index":`...)
		dst = strconv.AppendInt(dst, int64(b.number), 10)
		dst = append(dst, b.opener()...)
		dst = append(providers.AppendString(dst, text), "}}]"...)
	case providers.KindReasoning:
		if gap {
			text = "\n\n" + text
		}
		dst = providers.AppendString(append(dst, `"reasoning_content":`...), text)
	case providers.KindRefusal:
		dst = providers.AppendString(append(dst, `"refusal":`...), text)
	default:
		dst = providers.AppendString(append(dst, `"content":`...), text)
	}
	return shut(dst, logprobs)
}

func (w *writer) stopBlock(dst []byte, c *choice, ev *providers.Event) []byte {
	b := c.block(ev.Index)
	if b == nil {
		return dst
	}
	if ev.Block != nil && ev.Block.Seal != nil {
		b.seal = keepSeal(ev.Block.Seal)
	}
	return w.closeBlock(dst, c, b)
}

// closeBlock sends what a call still lacks: arguments where it has none, and its signature.
func (w *writer) closeBlock(dst []byte, c *choice, b *block) []byte {
	if b.kind != providers.KindToolCall || b.closed {
		return dst
	}
	b.closed = true
	if !b.begun && !b.call.Custom {
		dst = w.piece(dst, c, b, "{}", nil)
	}
	if w.call.Stream && !b.sealed && b.signature() != "" {
		b.sealed = true
		dst = append(w.open(dst, c), `"tool_calls":[{"index":`...)
		dst = strconv.AppendInt(dst, int64(b.number), 10)
		dst = shut(append(b.appendSeal(dst), "}]"...), nil)
	}
	return dst
}

func (w *writer) finish(dst []byte, c *choice, ev *providers.Event) []byte {
	for _, b := range c.blocks {
		dst = w.closeBlock(dst, c, b)
	}
	c.finished = true
	c.reason, c.native = c.finishReason(ev.Finish), strings.Clone(ev.Native)
	if !w.call.Stream {
		c.addLogprobs(ev.Logprobs)
		c.refusal = append(c.refusal, ev.Refusal...)
		return dst
	}
	if ev.Refusal != "" {
		dst = providers.AppendString(append(w.open(dst, c), `"refusal":`...), ev.Refusal)
		dst = shut(dst, nil)
	}
	if extra := c.appendCarriers(nil); len(extra) > 0 {
		dst = shut(append(w.open(dst, c), extra[1:]...), nil)
	}
	dst = appendRaw(append(w.open(dst, c), `},"logprobs":`...), ev.Logprobs)
	return append(c.appendFinish(dst), "}]}\n\n"...)
}

// end closes what is left open and sends usage, where the client asked for it, and [DONE].
func (w *writer) end(dst []byte) []byte {
	dst = w.finishAll(dst)
	if w.call.IncludeUsage && w.used {
		dst = append(w.head(append(dst, "data: "...), "chat.completion.chunk"), `,"choices":[]`...)
		dst = append(w.tail(dst), "}\n\n"...)
	}
	return append(dst, "data: [DONE]\n\n"...)
}

// finishAll ends the choices that the upstream left open. A reply without any gets one, since
// clients read choices[0] unasked.
func (w *writer) finishAll(dst []byte) []byte {
	if len(w.choices) == 0 {
		_, dst = w.choice(dst, 0)
	}
	for _, c := range w.choices {
		if !c.finished {
			dst = w.finish(dst, c, &providers.Event{})
		}
	}
	return dst
}

// whole is the one body of a reply that is not streamed.
func (w *writer) whole(dst []byte) []byte {
	dst = w.finishAll(dst)
	dst = append(w.head(dst, "chat.completion"), `,"choices":[`...)
	sortChoices(w.choices)
	for i, c := range w.choices {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = c.appendWhole(dst)
	}
	return append(w.tail(append(dst, ']')), '}')
}

// tail is usage and service tier.
func (w *writer) tail(dst []byte) []byte {
	if !w.used {
		return dst // nobody said; a zero would be a lie
	}
	dst = appendUsage(append(dst, `,"usage":`...), &w.usage)
	if tier := w.usage.Total().Tier; tier != "" {
		if tier == "standard" { // Anthropic's name of what OpenAI calls default
			tier = "default"
		}
		dst = providers.AppendString(append(dst, `,"service_tier":`...), tier)
	}
	return dst
}

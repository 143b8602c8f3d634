package anthropic

import (
	"slices"
	"strconv"
	"strings"

	"github.com/aistrale/aistrale/providers"
)

// speaker says hub events as the events of a message or, at the end, as one message. Events of
// the hub may interleave blocks; here they come one after another, so what belongs to a later
// block waits.
type speaker struct {
	call    *providers.Call
	id      string
	blocks  []*said // in the order they began
	at      int     // the first of them that is not whole on the wire
	next    int     // the index of the next block on the wire
	calls   int
	usage   providers.Usage
	begun   bool // message_start is on the wire
	ended   bool
	reason  providers.Finish
	refusal string
	passed  passed
}

// Writer implements providers.Face.
func (Face) Writer(call *providers.Call) providers.Writer {
	return &speaker{call: call, id: "msg_" + call.ID}
}

// Write implements providers.Writer. A fault ends a stream with the error event; in a whole
// reply it leaves no bytes, since Refuse answers then.
func (w *speaker) Write(dst []byte, ev *providers.Event) []byte {
	if w.ended || ev.Choice != 0 { // the language has no other choice, and no way to ask for one
		return dst
	}
	switch ev.Kind {
	case providers.EventStart:
		if ev.ID != "" && !w.begun {
			w.id = strings.Clone(ev.ID)
		}
	case providers.EventUsage:
		if ev.Usage != nil {
			w.usage.Merge(*ev.Usage)
		}
	case providers.EventPing:
		if w.call.Stream {
			return append(w.begin(dst), "event: ping\ndata: {\"type\":\"ping\"}\n\n"...)
		}
	case providers.EventBlockStart, providers.EventDelta, providers.EventBlockStop, providers.EventCitation:
		w.note(ev)
		return w.pump(dst)
	case providers.EventFinish:
		w.reason, w.refusal = ev.Finish, strings.Clone(ev.Refusal)
	case providers.EventFault:
		w.ended = true
		if w.call.Stream && ev.Fault != nil {
			return append(dst, Face{}.Broken(ev.Fault)...)
		}
	case providers.EventEnd:
		return w.end(dst)
	case providers.EventCut:
		return w.cut(dst, ev.Usage)
	}
	return dst
}

// end says what is still open, then why the message ends and what it took.
func (w *speaker) end(dst []byte) []byte {
	w.ended = true
	if !w.call.Stream {
		return w.whole(dst)
	}
	for _, b := range w.blocks {
		b.stopped = true
	}
	dst = w.pump(w.begin(dst))
	dst = w.appendDelta(dst)
	return append(dst, messageStop...)
}

const messageStop = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"

// begin says message_start, once. Usage stands in it as far as it is known by then.
func (w *speaker) begin(dst []byte) []byte {
	if w.begun || !w.call.Stream {
		return dst
	}
	w.begun = true
	dst = w.appendHead(append(dst, "event: message_start\ndata: {\"type\":\"message_start\",\"message\":"...))
	dst = append(dst, `],"stop_reason":null,"stop_sequence":null,"usage":`...)
	return append(appendCounts(dst, &w.usage), "}}\n\n"...)
}

// appendHead appends a message up to its content.
func (w *speaker) appendHead(dst []byte) []byte {
	dst = providers.AppendString(append(dst, `{"model":`...), w.call.Asked)
	dst = providers.AppendString(append(dst, `,"id":`...), w.id)
	return append(dst, `,"type":"message","role":"assistant","content":[`...)
}

// appendDelta is message_delta: the end of the message in its head's words.
func (w *speaker) appendDelta(dst []byte) []byte {
	dst = append(dst, "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{"...)
	dst = w.appendStop(dst)
	return append(appendCounts(append(dst, `},"usage":`...), &w.usage), "}\n\n"...)
}

// appendStop is why the message ended.
func (w *speaker) appendStop(dst []byte) []byte {
	dst = providers.AppendString(append(dst, `"stop_reason":`...), w.stopReason())
	dst = append(dst, `,"stop_sequence":null`...)
	if w.refusal != "" {
		dst = append(dst, `,"stop_details":{"type":"refusal","category":null,"explanation":`...)
		dst = append(providers.AppendString(dst, w.refusal), '}')
	}
	return dst
}

// stopReason maps a finish. Which of the stop sequences was met nobody else tells. Agents stop
// silently where calls come with end_turn, and readers of structured output look for a refusal
// here alone, so the blocks decide.
func (w *speaker) stopReason() string {
	switch w.reason {
	case providers.FinishLength:
		return "max_tokens"
	case providers.FinishContentFilter:
		return "refusal"
	case providers.FinishToolCalls:
		return "tool_use"
	case providers.FinishStop, providers.FinishUnknown:
	}
	switch {
	case w.calls > 0:
		return "tool_use"
	case slices.ContainsFunc(w.blocks, func(b *said) bool { return b.kind == providers.KindRefusal }):
		return "refusal"
	}
	return "end_turn"
}

// note takes an event of a block in. It copies what it keeps.
func (w *speaker) note(ev *providers.Event) {
	b := w.block(ev.Index)
	if ev.Kind == providers.EventBlockStart {
		if b != nil || ev.Block == nil {
			return
		}
		b = &said{index: ev.Index, kind: ev.Block.Kind}
		w.blocks = append(w.blocks, b)
		b.open(ev.Block)
		if b.kind == providers.KindToolCall {
			if b.call.ID == "" {
				b.call.ID = madeID(w.call.ID, len(w.blocks))
			}
			w.calls++
		}
		return
	}
	if b == nil {
		if ev.Kind != providers.EventDelta {
			return
		}
		b = &said{index: ev.Index, kind: providers.KindText}
		w.blocks = append(w.blocks, b)
	}
	switch ev.Kind {
	case providers.EventDelta:
		b.say(ev.Text)
	case providers.EventCitation:
		if b = w.citable(b); b != nil {
			b.cite(ev.Citation)
		}
	default:
		b.stopped = true
		if ev.Block != nil && ev.Block.Seal != nil {
			b.seal = keepSeal(ev.Block.Seal)
		}
	}
}

// citable gives the block that a citation goes to: its own, or, where a stream has ended that, a
// later text; nil where there is none.
func (w *speaker) citable(b *said) *said {
	for at, one := range w.blocks {
		if one == b && (at >= w.at || !w.call.Stream) {
			return b
		}
		if at >= w.at && w.call.Stream && one.kind == providers.KindText && !one.silent() {
			return one
		}
	}
	return nil
}

func (w *speaker) block(index int) *said {
	for i := len(w.blocks) - 1; i >= 0; i-- {
		if w.blocks[i].index == index {
			return w.blocks[i]
		}
	}
	return nil
}

// pump puts on the wire what can go there: all of the first block that is not whole, and of
// those behind it once it is.
func (w *speaker) pump(dst []byte) []byte {
	if !w.call.Stream {
		return dst
	}
	for w.at < len(w.blocks) {
		b := w.blocks[w.at]
		dst = w.appendPieces(dst, b)
		if !b.stopped && (w.at == len(w.blocks)-1 || !b.complete()) {
			return dst
		}
		b.stopped = true
		dst = w.appendClose(dst, b)
		w.at++
	}
	return dst
}

// appendPieces begins a block and says what there is of it.
func (w *speaker) appendPieces(dst []byte, b *said) []byte {
	if !b.shown {
		if b.silent() {
			return dst
		}
		b.shown = true
		dst = w.begin(dst)
		if b.kind == providers.KindToolCall {
			dst = w.appendCarried(dst, b) // where it is known at the start
		}
		dst = append(w.appendBlockEvent(dst, "content_block_start"), `,"content_block":`...)
		dst = append(b.appendStart(dst), "}\n\n"...)
	}
	if len(b.text) == 0 || b.kind == providers.KindImage || b.kind == providers.KindToolCall && !b.object() {
		return dst
	}
	dst = providers.AppendString(append(w.appendBlockEvent(dst, "content_block_delta"), b.delta()...), b.text)
	b.text = b.text[:0]
	return append(dst, "}}\n\n"...)
}

// appendClose ends a block with what is only whole at its end.
func (w *speaker) appendClose(dst []byte, b *said) []byte {
	if !b.shown {
		return w.appendCarried(w.beginFor(dst, b), b)
	}
	if b.kind == providers.KindToolCall && !b.object() {
		dst = append(w.appendBlockEvent(dst, "content_block_delta"), b.delta()...)
		dst = append(providers.AppendString(dst, arguments(string(b.arguments))), "}}\n\n"...)
	}
	for _, c := range b.citations {
		dst = append(w.appendBlockEvent(dst, "content_block_delta"), `,"delta":{"type":"citations_delta","citation":`...)
		dst = append(append(dst, c...), "}}\n\n"...)
	}
	if b.kind == providers.KindReasoning && !b.redacted() {
		dst = append(w.appendBlockEvent(dst, "content_block_delta"), `,"delta":{"type":"signature_delta","signature":`...)
		dst = append(providers.AppendString(dst, b.signature()), "}}\n\n"...)
	}
	dst = append(w.appendBlockEvent(dst, "content_block_stop"), "}\n\n"...)
	w.next++
	return w.appendCarried(dst, b)
}

func (w *speaker) beginFor(dst []byte, b *said) []byte {
	if b.carries() == "" {
		return dst
	}
	return w.begin(dst)
}

// appendCarried says, once, the seal of a block that has no place for it.
func (w *speaker) appendCarried(dst []byte, b *said) []byte {
	of := b.carries()
	if of == "" {
		return dst
	}
	b.carried = true
	dst = append(w.appendBlockEvent(dst, "content_block_start"), `,"content_block":`...)
	dst = append(appendRedacted(dst, carry(b.seal, of)), "}\n\n"...)
	dst = append(w.appendBlockEvent(dst, "content_block_stop"), "}\n\n"...)
	w.next++
	return dst
}

// appendBlockEvent begins an event of the block under way.
func (w *speaker) appendBlockEvent(dst []byte, kind string) []byte {
	dst = append(append(append(dst, "event: "...), kind...), "\ndata: {\"type\":\""...)
	return strconv.AppendInt(append(append(dst, kind...), `","index":`...), int64(w.next), 10)
}

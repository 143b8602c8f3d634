package responses

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/aistrale/aistrale/providers"
)

// writer says hub events as the events of a stream or, at the end, as one response.
type writer struct {
	call    *providers.Call
	id      string // the response's
	number  int    // of the next event
	begun   bool
	ended   bool
	items   []*item
	blocks  []placed
	waiting *item // has stopped, and ends when something follows
	usage   providers.Usage
	used    bool // usage was said
	finish  providers.Finish
	refusal string
	// logprobs came with another block than the text they are of.
	logprobs []byte
	passed   passed
}

// placed is where a block of the hub's has gone.
type placed struct {
	index int
	kind  providers.Kind
	item  *item
	part  *part // of a message
	seal  *providers.Seal
}

// Writer implements providers.Face.
func (Face) Writer(call *providers.Call) providers.Writer {
	return &writer{call: call, id: providers.OwnID("resp", call.ID)}
}

// itemID is the id of the n-th item: the kind's prefix, and the response's own id, so that an
// item_reference leads to the response.
func (w *writer) itemID(prefix string, n int) string {
	return prefix + strings.TrimPrefix(w.id, "resp") + "_" + strconv.Itoa(n)
}

// callID makes the id of a call whose upstream gave none. It derives from the reply, so that
// the same reply always reads the same.
func callID(reply string, index int) string {
	sum := sha256.Sum256([]byte(reply + "/" + strconv.Itoa(index)))
	return "call_" + hex.EncodeToString(sum[:12])
}

// Write implements providers.Writer. A fault ends a stream with an error and the failed
// response; in a whole reply it leaves no bytes, since Refuse answers then.
func (w *writer) Write(dst []byte, ev *providers.Event) []byte {
	if w.ended || ev.Choice != 0 {
		return dst // one request has one answer in this language
	}
	switch ev.Kind {
	case providers.EventUsage:
		if ev.Usage != nil {
			w.usage.Merge(*ev.Usage)
			w.used = true
		}
		return dst
	case providers.EventPing:
		if w.call.Stream {
			return append(dst, ": ping\n\n"...)
		}
		return dst
	case providers.EventCut:
		w.ended = true
		return w.cut(dst, ev.Usage)
	case providers.EventFault:
		w.ended = true
		return w.fail(dst, ev.Fault)
	default:
		return w.step(w.begin(dst), ev)
	}
}

// step is an event of the answer itself.
func (w *writer) step(dst []byte, ev *providers.Event) []byte {
	switch ev.Kind {
	case providers.EventBlockStart:
		return w.start(dst, ev)
	case providers.EventDelta:
		return w.delta(dst, ev)
	case providers.EventBlockStop:
		return w.stop(dst, ev)
	case providers.EventCitation:
		return w.cite(dst, ev)
	case providers.EventFinish:
		w.finish, w.refusal = ev.Finish, strings.Clone(ev.Refusal)
		if ev.Refusal != "" {
			dst = w.refuse(dst)
		}
		return w.shut(dst)
	case providers.EventEnd:
		w.ended = true
		return w.end(w.shut(dst))
	default: // the start has been said
		return dst
	}
}

// begin sends the two events that every stream begins with.
func (w *writer) begin(dst []byte) []byte {
	if w.begun {
		return dst
	}
	w.begun = true
	for _, kind := range [...]string{"response.created", "response.in_progress"} {
		dst = w.whole(dst, kind, "in_progress", nil)
	}
	return dst
}

// open begins an event of a stream, up to its last members; shutEvent ends it.
func (w *writer) open(dst []byte, kind string) []byte {
	dst = append(append(append(dst, "event: "...), kind...), "\ndata: {\"type\":\""...)
	dst = append(append(dst, kind...), `","sequence_number":`...)
	dst = strconv.AppendInt(dst, int64(w.number), 10)
	w.number++
	return dst
}

const eventEnd = "}\n\n"

// whole is an event that carries the response as it stands; nothing where the reply is no stream.
func (w *writer) whole(dst []byte, kind, status string, f *providers.Fault) []byte {
	if !w.call.Stream {
		return dst
	}
	dst = append(w.open(dst, kind), `,"response":`...)
	return append(w.response(dst, status, f), eventEnd...)
}

func (w *writer) find(index int) *placed {
	for i := len(w.blocks) - 1; i >= 0; i-- {
		if w.blocks[i].index == index {
			return &w.blocks[i]
		}
	}
	return nil
}

// start places a block. Texts go into the message that is open; what comes otherwise is an item
// of its own. Strings are copied, since events point into the upstream's frame.
func (w *writer) start(dst []byte, ev *providers.Event) []byte {
	if ev.Block == nil || w.find(ev.Index) != nil {
		return dst
	}
	b := placed{index: ev.Index, kind: ev.Block.Kind, seal: keepSeal(ev.Block.Seal)}
	text := ev.Block.Text
	switch b.kind {
	case providers.KindText, providers.KindRefusal: // begins with its first piece
	case providers.KindReasoning:
		b.item = &item{kind: itemReasoning}
		dst = w.add(dst, b.item)
	case providers.KindToolCall:
		b.item = &item{kind: itemCall}
		if c := ev.Block.Call; c != nil {
			b.item.call = providers.ToolCall{ID: strings.Clone(c.ID), Name: strings.Clone(c.Name), Custom: c.Custom}
			text = c.Arguments
		}
		if b.item.call.ID == "" {
			b.item.call.ID = callID(w.id, len(w.items))
		}
		dst = w.add(dst, b.item)
	case providers.KindAudio:
		b.item = w.message()
		if b.item == nil {
			b.item = &item{kind: itemMessage}
			dst = w.add(dst, b.item)
		}
		b.part = &part{audio: keepMedia(ev.Block.Media)}
		dst = w.addPart(dst, b.item, b.part)
	default:
		b.item = &item{kind: itemImage, media: keepMedia(ev.Block.Media)}
		dst = w.add(dst, b.item)
	}
	w.blocks = append(w.blocks, b)
	at := &w.blocks[len(w.blocks)-1]
	for i := range ev.Block.Citations {
		dst = w.annotate(dst, at, &ev.Block.Citations[i])
	}
	if text == "" {
		return dst
	}
	return w.piece(dst, at, text, nil)
}

func (w *writer) delta(dst []byte, ev *providers.Event) []byte {
	if ev.Text == "" && ev.Logprobs == nil {
		return dst
	}
	b := w.find(ev.Index)
	if b == nil {
		w.blocks = append(w.blocks, placed{index: ev.Index, kind: providers.KindText})
		b = &w.blocks[len(w.blocks)-1]
	}
	return w.piece(dst, b, ev.Text, ev.Logprobs)
}

// text makes sure of the part that a text block's pieces go into.
func (w *writer) text(dst []byte, b *placed) []byte {
	if b.part != nil {
		return dst
	}
	if b.item = w.message(); b.item == nil {
		b.item = &item{kind: itemMessage}
		dst = w.add(dst, b.item)
	}
	w.waiting = nil
	b.part = &part{refusal: b.kind == providers.KindRefusal}
	return w.addPart(dst, b.item, b.part)
}

// piece adds text to a block, and sends it where the reply is a stream.
func (w *writer) piece(dst []byte, b *placed, text string, logprobs []byte) []byte {
	if b.kind != providers.KindText && len(logprobs) > 0 {
		w.logprobs = append(w.logprobs[:0], logprobs...)
	}
	switch b.kind {
	case providers.KindReasoning:
		return w.thought(dst, b.item, text)
	case providers.KindToolCall:
		return w.arguments(dst, b.item, text)
	case providers.KindText, providers.KindRefusal:
		dst = w.text(dst, b)
		if len(logprobs) == 0 && len(w.logprobs) > 0 {
			logprobs, w.logprobs = w.logprobs, nil
		}
		return w.partText(dst, b.item, b.part, text, logprobs)
	default: // media come whole
		return dst
	}
}

func (w *writer) stop(dst []byte, ev *providers.Event) []byte {
	b := w.find(ev.Index)
	if b == nil {
		return dst
	}
	if ev.Block != nil && ev.Block.Seal != nil {
		b.seal = keepSeal(ev.Block.Seal)
	}
	switch {
	case b.item == nil && b.seal != nil: // a text of no characters, which only carries a seal
		dst = w.flush(dst)
		return w.sealed(dst, b.seal, onEmpty)
	case b.item == nil:
		return dst
	case b.kind == providers.KindReasoning:
		b.item.seal = b.seal
	case b.seal != nil && b.kind == providers.KindToolCall:
		b.item.seal, b.item.on = b.seal, b.item.call.ID
	case b.seal != nil:
		b.item.seal, b.item.on = b.seal, onBefore
	}
	if b.item.closed {
		return dst
	}
	if w.waiting != b.item {
		dst = w.flush(dst)
	}
	w.waiting = b.item
	if b.item.seal != nil && b.item.kind == itemMessage {
		return w.flush(dst) // the next text is not of this seal
	}
	return dst
}

// flush ends the item that waited for whether something follows.
func (w *writer) flush(dst []byte) []byte {
	it := w.waiting
	w.waiting = nil
	if it == nil {
		return dst
	}
	return w.closeItem(dst, it, "completed")
}

// message is the message that a further text still goes into, nil where there is none.
func (w *writer) message() *item {
	if n := len(w.items); n > 0 && w.items[n-1].kind == itemMessage && !w.items[n-1].closed {
		return w.items[n-1]
	}
	return nil
}

// refuse says why the upstream refused, for a refusal without a text of its own.
func (w *writer) refuse(dst []byte) []byte {
	b := placed{index: -1, kind: providers.KindRefusal}
	return w.piece(dst, &b, w.refusal, nil)
}

// shut ends whatever is open. What the end has cut off is incomplete.
func (w *writer) shut(dst []byte) []byte {
	for i, it := range w.items {
		if it.closed {
			continue
		}
		status := "completed"
		if w.incomplete() && i == len(w.items)-1 {
			status = "incomplete"
		}
		dst = w.closeItem(dst, it, status)
	}
	w.waiting = nil
	return dst
}

func (w *writer) incomplete() bool {
	return w.finish == providers.FinishLength || w.finish == providers.FinishContentFilter
}

// end is the last event of a stream, or the whole reply.
func (w *writer) end(dst []byte) []byte {
	if status := w.status(); w.call.Stream {
		return w.whole(dst, "response."+status, status, nil)
	}
	return w.response(dst, w.status(), nil)
}

// status is how the reply ends.
func (w *writer) status() string {
	if w.incomplete() {
		return "incomplete"
	}
	return "completed"
}

// Whole implements providers.Keeper.
func (w *writer) Whole(dst []byte, ev *providers.Event) (out, reply []byte) {
	if ev.Kind == providers.EventCut {
		w.finish = providers.FinishLength
		w.used = w.used || ev.Usage != nil
		if ev.Usage != nil {
			w.usage = *ev.Usage
		}
	}
	dst = w.shut(w.begin(dst))
	return dst, w.response(nil, w.status(), nil)
}

// Forgo implements providers.Keeper.
func (w *writer) Forgo() { w.call.Keeps.Reply = false }

// fail ends a stream that broke: with the error, and with the response that failed.
func (w *writer) fail(dst []byte, f *providers.Fault) []byte {
	if !w.call.Stream || f == nil {
		return dst
	}
	dst = w.begin(dst)
	for _, it := range w.items { // as far as they came
		if !it.closed {
			it.closed, it.status = true, "incomplete"
			for _, p := range it.parts {
				p.closed = true
			}
		}
	}
	dst = appendFault(w.open(dst, "error"), f)
	return w.whole(dst, "response.failed", "failed", f)
}

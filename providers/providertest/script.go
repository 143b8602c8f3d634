package providertest

import (
	"fmt"

	"github.com/aistrale/aistrale/providers"
)

// Script makes a reply's events of any bytes, as a decoder may give them: blocks begin and end in
// any order, calls while others are open, with pieces, seals and sources between, usage whenever it
// is known, and a finish and the end last.
func Script(script []byte) []providers.Event {
	w := scripted{}
	w.add(providers.Event{Kind: providers.EventStart, ID: "id", Model: "m"})
	for i, op := range script {
		w.step(op, fmt.Sprintf("%d", i))
	}
	for len(w.open) > 0 {
		w.stop(0, nil)
	}
	w.usage(int64(len(script)) + 1)
	finish := providers.FinishStop
	switch len(script) % 5 {
	case 0:
		finish = providers.FinishLength
	case 1:
		finish = providers.FinishContentFilter
	}
	w.add(providers.Event{Kind: providers.EventFinish, Finish: finish})
	w.add(providers.Event{Kind: providers.EventEnd})
	return w.events
}

type scripted struct {
	events []providers.Event
	kinds  []providers.Kind // of all blocks
	said   []int            // how many pieces each has
	open   []int
}

func (w *scripted) add(ev providers.Event) { w.events = append(w.events, ev) }

// step reads one byte: what to do, and with which block.
func (w *scripted) step(op byte, piece string) {
	at := int(op >> 4)
	switch kind := op & 15; {
	case kind < 5:
		w.start([]providers.Kind{providers.KindText, providers.KindReasoning, providers.KindToolCall, providers.KindRefusal, providers.KindImage}[kind], piece, at)
	case len(w.kinds) == 0:
	case kind < 11 && len(w.open) > 0:
		w.delta(w.open[at%len(w.open)], piece, op)
	case kind < 13 && len(w.open) > 0:
		var seal *providers.Seal
		if op&0x80 != 0 {
			seal = &providers.Seal{Minter: []string{"anthropic", "gemini", "openai"}[at%3], Signature: "c2ln" + piece}
		}
		w.stop(at%len(w.open), seal)
	case kind == 13:
		if n := at % len(w.kinds); w.kinds[n] == providers.KindText {
			w.add(providers.Event{Kind: providers.EventCitation, Index: n, Citation: &providers.Citation{URL: "https://example.com/" + piece}})
		}
	case kind == 14:
		w.usage(int64(at))
	case kind == 15:
		w.add(providers.Event{Kind: providers.EventPing})
	}
}

func (w *scripted) start(kind providers.Kind, piece string, at int) {
	for i := range w.open {
		if kind != providers.KindToolCall && w.kinds[w.open[i]] != providers.KindToolCall {
			w.stop(i, nil) // one speaks at a time
			break
		}
	}
	b := &providers.Block{Kind: kind}
	switch kind {
	case providers.KindToolCall:
		b.Call = &providers.ToolCall{ID: "call" + piece, Name: "tool"}
		if at%2 == 0 {
			b.Call.ID = ""
		}
	case providers.KindImage:
		b.Media = &providers.Media{Type: "image/png", Data: "iVBORw0KGgo="}
	default:
		if at%4 == 3 {
			b.Seal = &providers.Seal{Minter: "gemini", Signature: "c2ln" + piece}
		}
	}
	w.open = append(w.open, len(w.kinds))
	w.add(providers.Event{Kind: providers.EventBlockStart, Index: len(w.kinds), Block: b})
	w.kinds, w.said = append(w.kinds, kind), append(w.said, 0)
}

func (w *scripted) delta(index int, piece string, op byte) {
	switch w.kinds[index] {
	case providers.KindImage:
		return
	case providers.KindToolCall:
		if w.said[index] > 1 {
			return
		}
		piece = []string{"{\n\"a\":\"" + piece, `"}`}[w.said[index]]
	case providers.KindText, providers.KindReasoning, providers.KindRefusal:
		if op&15 == 5 {
			piece = "\n\"🙂\u2028 "
		}
	default:
	}
	w.said[index]++
	w.add(providers.Event{Kind: providers.EventDelta, Index: index, Text: piece})
}

func (w *scripted) stop(at int, seal *providers.Seal) {
	index := w.open[at]
	if w.kinds[index] == providers.KindToolCall && w.said[index] == 1 {
		w.delta(index, "", 0)
	}
	w.open = append(w.open[:at:at], w.open[at+1:]...)
	ev := providers.Event{Kind: providers.EventBlockStop, Index: index}
	if seal != nil {
		ev.Block = &providers.Block{Kind: w.kinds[index], Seal: seal}
	}
	w.add(ev)
}

func (w *scripted) usage(n int64) {
	var line providers.UsageLine
	line.Set(providers.InputTotal, n+5)
	line.Set(providers.OutputTotal, n)
	w.add(providers.Event{Kind: providers.EventUsage, Usage: &providers.Usage{Lines: []providers.UsageLine{line}}})
}

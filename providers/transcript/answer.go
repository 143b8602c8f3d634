package transcript

import (
	"cmp"
	"slices"
	"strings"

	"github.com/aistrale/aistrale/providers"
)

// Answered gives what a whole reply says, an array of a message for each choice; nil where there was none.
func Answered(decoder providers.Decoder, whole []byte) (messages []byte) {
	var a answer
	for _, events := range [][]providers.Event{decoder.Decode(nil, whole), decoder.Close(nil)} {
		for i := range events {
			a.note(&events[i])
		}
	}
	return a.messages()
}

// answer puts a reply's events together. Its zero value has none.
type answer struct{ choices []choice }

type choice struct {
	number int
	blocks []block
	finish string
}

type block struct {
	index int
	providers.Block
	text []byte
}

// note takes one event in. It keeps nothing that the event points to.
func (a *answer) note(ev *providers.Event) {
	switch ev.Kind {
	case providers.EventBlockStart:
		c := a.choice(ev.Choice)
		c.blocks = append(c.blocks, block{index: ev.Index, Block: copied(ev.Block)})
	case providers.EventDelta:
		if b := a.choice(ev.Choice).block(ev.Index); b != nil {
			b.text = append(b.text, ev.Text...)
		}
	case providers.EventFinish:
		a.choice(ev.Choice).finish = finishes[ev.Finish]
	default: // it says nothing of what was answered
	}
}

// finishes are the conventions' names. Where nobody knows why a reply ended, it did.
var finishes = map[providers.Finish]string{
	providers.FinishStop: "stop", providers.FinishLength: "length", providers.FinishToolCalls: "tool_call", providers.FinishContentFilter: "content_filter",
}

func (a *answer) messages() (messages []byte) {
	slices.SortStableFunc(a.choices, func(x, y choice) int { return cmp.Compare(x.number, y.number) })
	for i := range a.choices {
		c := &a.choices[i]
		blocks := make([]providers.Block, len(c.blocks))
		for j := range c.blocks {
			blocks[j] = c.blocks[j].whole()
		}
		messages = appendParts(append(between(messages), `{"role":"assistant","parts":`...), blocks)
		messages = append(messages, `,"finish_reason":"`...)
		messages = append(append(messages, cmp.Or(c.finish, "stop")...), `"}`...)
	}
	return closed(messages)
}

func (a *answer) choice(number int) *choice {
	for i := range a.choices {
		if a.choices[i].number == number {
			return &a.choices[i]
		}
	}
	a.choices = append(a.choices, choice{number: number})
	return &a.choices[len(a.choices)-1]
}

// block gives the newest with the index: an upstream may count anew.
func (c *choice) block(index int) *block {
	for i := range slices.Backward(c.blocks) {
		if c.blocks[i].index == index {
			return &c.blocks[i]
		}
	}
	return nil
}

// whole is the block with the text of its deltas.
func (b *block) whole() providers.Block {
	out := b.Block
	if out.Call != nil {
		call := *out.Call
		call.Arguments += string(b.text)
		out.Call = &call
	} else {
		out.Text += string(b.text)
	}
	return out
}

func copied(b *providers.Block) providers.Block {
	if b == nil {
		return providers.Block{}
	}
	out := providers.Block{Kind: b.Kind, Text: strings.Clone(b.Text)}
	if b.Call != nil {
		out.Call = &providers.ToolCall{ID: strings.Clone(b.Call.ID), Name: strings.Clone(b.Call.Name), Arguments: strings.Clone(b.Call.Arguments), Custom: b.Call.Custom}
	}
	if b.Media != nil {
		out.Media = &providers.Media{Type: strings.Clone(b.Media.Type), URL: strings.Clone(b.Media.URL), FileID: strings.Clone(b.Media.FileID)}
	}
	return out
}

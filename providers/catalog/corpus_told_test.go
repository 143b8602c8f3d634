package catalog_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/aistrale/aistrale/providers"
)

// told is what a reply says, in no language's words: once as the readers of this test take it
// from the provider's API documents, once as it is heard from a dialect's events.
type told struct {
	choices map[int]*toldChoice
	usage   *toldUsage // nil where the reply names none
	ended   bool       // it came to its language's end
	fault   *providers.Fault
	broken  []string // breaches of the order of events, and Observe at odds with them
}

type toldChoice struct {
	text, reasoning, refusal string
	calls                    []toldCall
	native                   string             // the upstream's word for the finish; "" not compared
	finish                   []providers.Finish // those that are right; nil not compared
	seals, media, urls       []string           // in any order
	// loose is set where code and its results stand between the texts and may be shown there.
	loose bool
	segs  []string
}

type toldCall struct{ id, name, args string }

type toldUsage struct{ input, output, cached, reasoning int64 }

func newTold() *told { return &told{choices: map[int]*toldChoice{}} }

func (w *told) choice(i int) *toldChoice {
	if w.choices[i] == nil {
		w.choices[i] = &toldChoice{}
	}
	return w.choices[i]
}

// differs names what was lost or changed between what a reply says and what was heard.
func (w *told) differs(got *told) (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if w.fault != nil {
		if got.fault == nil {
			say("its error event was not heard")
		}
		return wrong
	}
	if w.ended && (got.fault != nil || !got.ended) {
		say("it is whole, but ended in %v", got.fault)
	}
	if a, b := slices.Sorted(maps.Keys(w.choices)), slices.Sorted(maps.Keys(got.choices)); !slices.Equal(a, b) {
		say("choices %v, heard %v", a, b)
		return wrong
	}
	for i, c := range w.choices {
		wrong = append(wrong, c.differs(got.choices[i], w.ended)...)
	}
	// A decoder may keep usage to the end; of a broken reply Observe has told it.
	if w.ended && w.usage != nil && (got.usage == nil || *got.usage != *w.usage) {
		say("usage %+v, heard %+v", w.usage, got.usage)
	}
	return wrong
}

func (c *toldChoice) differs(got *toldChoice, ended bool) (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if !c.loose && c.text != got.text || c.loose && !inOrder(got.text, c.segs) {
		say("text %s, heard %s", brief(c.text), brief(got.text))
	}
	if c.reasoning != got.reasoning {
		say("reasoning %s, heard %s", brief(c.reasoning), brief(got.reasoning))
	}
	if c.refusal != "" && c.refusal != got.refusal {
		say("refusal %s, heard %s", brief(c.refusal), brief(got.refusal))
	}
	if len(c.calls) != len(got.calls) {
		say("calls %v, heard %v", c.calls, got.calls)
	} else {
		for i, call := range c.calls {
			if heard := got.calls[i]; call.id != "" && call.id != heard.id || call.name != heard.name || !sameJSON(call.args, heard.args) {
				say("call %v, heard %v", call, heard)
			}
		}
	}
	if ended && c.native != "" && c.native != got.native {
		say("finish reason %q, heard %q", c.native, got.native)
	}
	if ended && c.finish != nil && (len(got.finish) != 1 || !slices.Contains(c.finish, got.finish[0])) {
		say("finish %v (%s), heard %v", c.finish, c.native, got.finish)
	}
	for _, lists := range [][2][]string{{c.seals, got.seals}, {c.media, got.media}, {c.urls, got.urls}} {
		for _, one := range lists[0] {
			if !slices.Contains(lists[1], one) {
				say("%s was not heard among %d", brief(one), len(lists[1]))
			}
		}
	}
	return wrong
}

func brief(s string) string {
	if len(s) > 200 {
		return fmt.Sprintf("%.120q… %.80q (%d bytes)", s, s[len(s)-60:], len(s))
	}
	return fmt.Sprintf("%q", s)
}

func inOrder(text string, segs []string) bool {
	for _, s := range segs {
		_, rest, ok := strings.Cut(text, s)
		if !ok {
			return false
		}
		text = rest
	}
	return true
}

// sameJSON compares arguments: as values, or as bytes where they were cut off.
func sameJSON(a, b string) bool {
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return a == b || strings.TrimSpace(a) == "" && b == "{}" || strings.TrimSpace(b) == "" && a == "{}"
	}
	return reflect.DeepEqual(x, y)
}

// heardBlock is a block under assembly.
type heardBlock struct {
	kind providers.Kind
	call toldCall
	text []byte
	open bool
}

// ear assembles events.
type ear struct {
	*told
	blocks map[[2]int]*heardBlock
	order  []*heardBlock
	owner  []int // the choice of each block
	usage  providers.Usage
	seen   providers.Usage // what Observe made of the same frames
	native []string        // the finish reasons that Observe saw
	last   bool
}

// hear reads frames with a dialect. Each frame's bytes are overwritten behind it, as a
// connection's buffer is, so that a decoder which kept a slice of one is found out.
func hear(d providers.Dialect, call *providers.Call, frames []string) *told {
	e := &ear{told: newTold(), blocks: map[[2]int]*heardBlock{}}
	dec := d.ReadReply(call)
	var events []providers.Event
	for _, frame := range frames {
		buffer := []byte(frame)
		events = dec.Decode(events[:0], buffer)
		content := 0
		for i := range events {
			content += e.event(&events[i])
		}
		e.observe(d.Observe(buffer), content, frame)
		for i := range buffer {
			buffer[i] = '#'
		}
	}
	events = dec.Close(events[:0])
	for i := range events {
		e.event(&events[i])
	}
	if !e.last {
		e.say("it ended without end or fault")
	}
	return e.finish()
}

func (e *ear) say(format string, args ...any) {
	e.broken = append(e.broken, fmt.Sprintf(format, args...))
}

// event takes one event and gives how many bytes of visible content it brought.
func (e *ear) event(ev *providers.Event) (content int) {
	if e.last {
		e.say("event %d behind the last one", ev.Kind)
	}
	switch ev.Kind {
	case providers.EventBlockStart:
		e.start(ev)
	case providers.EventDelta:
		b := e.blocks[[2]int{ev.Choice, ev.Index}]
		if b == nil || !b.open {
			e.say("a delta of choice %d, block %d, which is not open", ev.Choice, ev.Index)
			return 0
		}
		b.text = append(b.text, ev.Text...)
		return len(ev.Text)
	case providers.EventBlockStop:
		b := e.blocks[[2]int{ev.Choice, ev.Index}]
		if b == nil || !b.open {
			e.say("a stop of choice %d, block %d, which is not open", ev.Choice, ev.Index)
			return 0
		}
		b.open = false
		e.seal(ev)
	case providers.EventCitation:
		c := e.choice(ev.Choice)
		c.urls = append(c.urls, strings.Clone(ev.Citation.URL))
	case providers.EventUsage:
		e.usage.Merge(*ev.Usage)
	case providers.EventFinish:
		c := e.choice(ev.Choice)
		c.native, c.finish = strings.Clone(ev.Native), append(c.finish, ev.Finish)
		c.refusal += strings.Clone(ev.Refusal)
	case providers.EventFault:
		fault := *ev.Fault
		e.told.fault, e.last = &fault, true
	case providers.EventEnd:
		e.ended, e.last = true, true
	}
	return 0
}

func (e *ear) start(ev *providers.Event) {
	key := [2]int{ev.Choice, ev.Index}
	if b := e.blocks[key]; b != nil && b.open {
		e.say("choice %d, block %d starts twice", ev.Choice, ev.Index)
	}
	b := &heardBlock{kind: ev.Block.Kind, open: true}
	if c := ev.Block.Call; c != nil {
		b.call = toldCall{id: strings.Clone(c.ID), name: strings.Clone(c.Name)}
	}
	if m := ev.Block.Media; m != nil {
		c := e.choice(ev.Choice)
		c.media = append(c.media, strings.Clone(m.Data))
	}
	e.choice(ev.Choice)
	e.seal(ev)
	e.blocks[key] = b
	e.order, e.owner = append(e.order, b), append(e.owner, ev.Choice)
}

func (e *ear) seal(ev *providers.Event) {
	if ev.Block == nil || ev.Block.Seal == nil {
		return
	}
	c, s := e.choice(ev.Choice), ev.Block.Seal
	if s.Minter == "" {
		e.say("a seal without its minter")
	}
	c.seals = append(c.seals, strings.Clone(s.Signature), strings.Clone(s.Encrypted))
}

// observe holds what Observe saw in a frame to the frame's events.
func (e *ear) observe(seen providers.Seen, content int, frame string) {
	if content > 0 && seen.Content == 0 {
		e.say("Observe sees no content in %s", brief(frame))
	}
	if seen.HasUsage {
		e.seen.Merge(seen.Usage)
		if !json.Valid(seen.Usage.Raw) || !strings.Contains(frame, string(seen.Usage.Raw)) {
			e.say("Observe's raw usage %s is not in the frame", brief(string(seen.Usage.Raw)))
		}
	}
	if seen.Finish != "" {
		e.native = append(e.native, strings.Clone(seen.Finish))
	}
}

func (e *ear) finish() *told {
	for i, b := range e.order {
		c := e.choice(e.owner[i])
		if b.open && e.ended {
			e.say("a block of choice %d never stops", e.owner[i])
		}
		switch b.kind {
		case providers.KindText:
			c.text += string(b.text)
		case providers.KindReasoning:
			c.reasoning += string(b.text)
		case providers.KindRefusal:
			c.refusal += string(b.text)
		case providers.KindToolCall:
			b.call.args = string(b.text)
			c.calls = append(c.calls, b.call)
		}
	}
	if len(e.usage.Lines) > 0 {
		n := e.usage.Total()
		if l := &e.usage.Lines[0]; l.Model == "" { // other lines are other models' own work
			n = l.Normal()
		}
		e.told.usage = &toldUsage{n.Input(), n.Output, n.CacheRead, n.Reasoning}
	}
	if a, b := e.usage.Total(), e.seen.Total(); a != b && e.told.fault == nil {
		e.say("usage of the events %+v, of Observe %+v", a, b)
	}
	for _, c := range e.choices {
		if c.native != "" && len(e.native) == 0 {
			e.say("finish %q of the events, none of Observe", c.native)
		}
	}
	return e.told
}

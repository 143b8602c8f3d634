package openai

import (
	"bytes"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// ReadReply implements providers.Dialect for chat completions.
func (Dialect) ReadReply(call *providers.Call) providers.Decoder {
	return &decoder{stream: call.Stream}
}

// decoder reads one reply.
type decoder struct {
	stream  bool
	started bool
	over    bool
	choices []*part
	ending  []*part // those that have finished, in that order
	out     []providers.Event
}

// Decode implements providers.Decoder.
func (d *decoder) Decode(events []providers.Event, frame []byte) []providers.Event {
	if d.over {
		return events
	}
	d.out = events
	d.frame(bytes.TrimSpace(frame))
	events, d.out = d.out, nil
	return events
}

// Close implements providers.Decoder.
func (d *decoder) Close(events []providers.Event) []providers.Event {
	if d.over {
		return events
	}
	d.out = events
	if d.finished() {
		d.end() // some providers leave [DONE] out
	} else {
		d.fail(&providers.Fault{Kind: providers.FaultUpstream, Retryable: true, Message: "the upstream's reply ended before it was complete"})
	}
	events, d.out = d.out, nil
	return events
}

func (d *decoder) finished() bool {
	for _, p := range d.choices {
		if !p.finished {
			return false
		}
	}
	return len(d.choices) > 0
}

func (d *decoder) emit(ev providers.Event) { d.out = append(d.out, ev) }

func (d *decoder) fail(f *providers.Fault) {
	d.over = true
	d.emit(providers.Event{Kind: providers.EventFault, Fault: f})
}

func (d *decoder) end() {
	d.over = true
	for _, p := range d.choices {
		p.stopAll(d)
	}
	for _, p := range d.ending {
		p.emit(d, p.ending)
	}
	d.emit(providers.Event{Kind: providers.EventEnd})
}

func (d *decoder) frame(frame []byte) {
	if len(frame) == 0 {
		return
	}
	if bytes.Equal(frame, doneMark) {
		d.end()
		return
	}
	if !providers.ValidJSON(frame) {
		d.fail(&providers.Fault{Kind: providers.FaultUpstream, Retryable: true, Message: "the upstream's reply cannot be read: it is not valid JSON"})
		return
	}
	root := gjson.ParseBytes(frame)
	if f := streamFault(frame); f != nil {
		d.fail(f)
		return
	}
	choices := root.Get("choices")
	if !d.started && (d.stream || choices.IsArray()) {
		d.started = true
		d.emit(providers.Event{Kind: providers.EventStart, ID: root.Get("id").Str, Model: root.Get("model").Str})
	}
	position := 0
	choices.ForEach(func(_, c gjson.Result) bool {
		if c.IsObject() {
			d.choice(c, position)
		}
		position++
		return true
	})
	if usage, ok := readUsage(root); ok {
		d.emit(providers.Event{Kind: providers.EventUsage, Usage: &usage})
	}
	if !d.stream {
		d.endWhole()
	}
}

func (d *decoder) endWhole() {
	if len(d.choices) == 0 {
		d.fail(&providers.Fault{Kind: providers.FaultUpstream, Retryable: true, Message: "the upstream's reply has no choices"})
		return
	}
	d.end()
}

// choice reads one element of choices.
func (d *decoder) choice(c gjson.Result, position int) {
	index := position
	if v := c.Get("index"); v.Type == gjson.Number && v.Num >= 0 && v.Num < 1024 {
		index = int(v.Int())
	}
	p := d.part(index)
	message, other := c.Get("message"), c.Get("delta")
	if d.stream && other.IsObject() || !message.IsObject() {
		message = other
	}
	mark := len(d.out)
	if d.stream || !p.carried(d, message) {
		p.message(d, message)
	}
	reason := c.Get("finish_reason").Str
	if reason != "" && !p.finished {
		p.finish(d, reason, c.Get("native_finish_reason").Str)
	}
	if logprobs := c.Get("logprobs"); logprobs.IsObject() {
		d.attach(p, mark, []byte(logprobs.Raw))
	}
}

// attach hangs a choice's logprobs on the first delta of text behind mark, else on its finish.
func (d *decoder) attach(p *part, mark int, logprobs []byte) {
	for i := mark; i < len(d.out); i++ {
		if d.out[i].Kind == providers.EventDelta {
			d.out[i].Logprobs = logprobs
			return
		}
	}
	if p.finished {
		p.ending.Logprobs = logprobs
	}
}

func (d *decoder) part(index int) *part {
	for _, p := range d.choices {
		if p.index == index {
			return p
		}
	}
	p := &part{index: index, running: -1}
	d.choices = append(d.choices, p)
	return p
}

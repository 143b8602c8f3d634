package gemini

import (
	"bytes"
	"errors"
	"slices"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// decoder reads one reply. What may still change, or come late, is said at the end: usage (the
// last one counts; the first is said too), finish reasons (parts may follow the first) and citations.
type decoder struct {
	stream  bool
	begun   bool
	done    bool
	choices []*choice // in the order of their index
	usage   providers.Usage
	blocked string // why the prompt was refused
	refusal string

	// Room for what a reply mostly has.
	sole providers.Sole[choice]
	line [1]providers.UsageLine
	said [1]providers.UsageLine // of one frame
}

// ReadReply implements providers.Dialect.
func (Dialect) ReadReply(call *providers.Call) providers.Decoder {
	if call.Op == providers.OpCountTokens {
		return &countDecoder{}
	}
	d := &decoder{stream: call.Stream}
	d.usage.Lines = d.line[:0]
	return d
}

// Decode implements providers.Decoder. A frame may be an array too: of a stream that was asked
// for without alt=sse, and of some errors.
func (d *decoder) Decode(events []providers.Event, frame []byte) []providers.Event {
	frame = bytes.TrimSpace(frame)
	if d.done || len(frame) == 0 {
		return events
	}
	if !providers.ValidJSON(frame) {
		return d.fail(events, broken("the upstream's reply cannot be read", errors.New("gemini: a frame is not valid JSON")))
	}
	switch frame[0] {
	case '{':
		events = d.response(events, frame)
	case '[':
		providers.Elements(frame, func(item []byte) bool {
			events = d.response(events, item)
			return !d.done
		})
	default:
		return d.fail(events, broken("the upstream's reply cannot be read", errors.New("gemini: a frame is no object")))
	}
	if !d.stream && !d.done {
		events = d.end(events)
	}
	return events
}

// Close implements providers.Decoder.
func (d *decoder) Close(events []providers.Event) []providers.Event {
	if d.done {
		return events
	}
	if !d.stream {
		return d.fail(events, broken("the upstream sent no reply", errors.New("gemini: the body is empty")))
	}
	for _, c := range d.choices {
		if c.finish == "" {
			return d.fail(events, cut())
		}
	}
	if len(d.choices) == 0 && d.blocked == "" {
		return d.fail(events, cut())
	}
	return d.end(events)
}

func cut() *providers.Fault {
	return broken("the upstream's reply broke off", errors.New("gemini: the stream ended without a finish reason"))
}

func broken(message string, cause error) *providers.Fault {
	return &providers.Fault{Kind: providers.FaultUpstream, Message: message, Retryable: true, Cause: cause}
}

func (d *decoder) fail(events []providers.Event, f *providers.Fault) []providers.Event {
	d.done = true
	return append(events, providers.Event{Kind: providers.EventFault, Fault: f})
}

// response says what one GenerateContentResponse holds.
func (d *decoder) response(events []providers.Event, raw []byte) []providers.Event {
	r := readResponse(raw)
	if providers.IsObject(r.fault) {
		e := gjson.ParseBytes(r.fault)
		return d.fail(events, faultOf(int(e.Get("code").Int()), e))
	}
	first := !d.begun
	if first {
		d.begun = true
		events = append(events, providers.Event{Kind: providers.EventStart, ID: providers.Text(r.id), Model: providers.Text(r.model)})
	}
	if providers.IsObject(r.feedback) {
		feedback := gjson.ParseBytes(r.feedback)
		if reason := blockReason(feedback.Get("blockReason")); reason != "" {
			d.blocked, d.refusal = reason, feedback.Get("blockReasonMessage").Str
		}
	}
	if providers.IsObject(r.usage) {
		d.usage.Merge(readUsage(d.said[:0], r.usage))
		if first { // some clients are told the input before any output
			said := readUsage(nil, bytes.Clone(r.usage))
			events = append(events, providers.Event{Kind: providers.EventUsage, Usage: &said})
		}
	}
	providers.Elements(r.candidates, func(raw []byte) bool {
		candidate := readSaidCandidate(raw)
		events = d.choice(int(candidate.index)).add(events, &candidate)
		if queries := providers.Member(candidate.grounding, "webSearchQueries"); queries != nil {
			if n := searches(gjson.ParseBytes(queries), providers.Text(r.model)); n > 0 {
				d.usage.Merge(providers.Usage{Lines: []providers.UsageLine{searchLine(n)}})
			}
		}
		return true
	})
	return events
}

// choice gives the choice of a candidate's index, a new one where it was not seen before.
func (d *decoder) choice(index int) *choice {
	at, found := slices.BinarySearchFunc(d.choices, index, func(c *choice, i int) int { return c.index - i })
	if !found {
		c, room := d.sole.New(d.choices)
		c.index, d.choices = index, slices.Insert(room, at, c)
	}
	return d.choices[at]
}

// end says what was held back.
func (d *decoder) end(events []providers.Event) []providers.Event {
	if len(d.choices) == 0 && d.blocked == "" {
		return d.fail(events, broken("the upstream's reply is empty", errors.New("gemini: the reply has no candidates")))
	}
	if f := d.misfire(); f != nil {
		return d.fail(events, f)
	}
	for _, c := range d.choices {
		events = c.cite(events) // while the text is open, where the block's end is its last word
		events = c.shut(events)
	}
	if len(d.usage.Lines) > 0 {
		events = append(events, providers.Event{Kind: providers.EventUsage, Usage: &d.usage})
	}
	if len(d.choices) == 0 {
		events = append(events, providers.Event{
			Kind: providers.EventFinish, Finish: providers.FinishContentFilter, Native: d.blocked, Refusal: d.refusal,
		})
	}
	for _, c := range d.choices {
		events = append(events, c.finished())
	}
	d.done = true
	return append(events, providers.Event{Kind: providers.EventEnd})
}

// misfire is a reply in which the model only failed to write a call: another try may do.
func (d *decoder) misfire() *providers.Fault {
	for _, c := range d.choices {
		if c.said || !misfired(c.finish) {
			return nil
		}
	}
	if len(d.choices) == 0 {
		return nil
	}
	return broken("the model failed to write a tool call ("+d.choices[0].finish+")", errors.New("gemini: "+d.choices[0].message))
}

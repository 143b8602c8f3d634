package anthropic

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// ReadReply implements providers.Dialect.
func (Dialect) ReadReply(call *providers.Call) providers.Decoder {
	if call.Op == providers.OpCountTokens {
		return &countDecoder{}
	}
	d := &decoder{}
	d.blocks = d.one[:0]
	return d
}

// decoder reads one reply: the events of a stream, or one whole message, by what the bytes say.
type decoder struct {
	begun, ended bool
	blocks       []open      // in the order they began
	at           map[int]int // the place in blocks by index, of those whose index is another number
	calls        int
	visible      bool // text was seen
	reason       string
	refusal      string
	one          [1]open // room for what a reply mostly has
}

// open is a content block under way. Blocks that the client has no use for, such as those of
// the provider's own tools, have no kind; their events are passed over.
type open struct {
	index     int
	kind      providers.Kind
	closed    bool
	runes     int    // of text
	argued    bool   // a piece was said
	input     string // arguments that came with the block's start
	signature []byte
	encrypted string
	citations []gjson.Result
}

// Decode implements providers.Decoder.
func (d *decoder) Decode(events []providers.Event, frame []byte) []providers.Event {
	if d.ended {
		return events
	}
	if !providers.ValidJSON(frame) {
		return d.fail(events, errors.New("the bytes are not JSON"))
	}
	f := readFrame(frame)
	var err error
	switch kind := bytes.Trim(f.kind, `"`); string(kind) {
	case "message":
		events, err = d.whole(events, &f)
	case "error":
		d.ended = true
		return append(events, providers.Event{Kind: providers.EventFault, Fault: faultOf(0, gjson.ParseBytes(frame))})
	case "ping":
		return append(events, providers.Event{Kind: providers.EventPing})
	case "message_start":
		message := readFrame(f.message)
		events, err = d.start(events, &message)
	case "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "message_stop":
		events, err = d.event(events, kind, &f)
	case "":
		err = errors.New("the reply is not a message")
	default:
		// The API may add events at any time, and wants unknown ones passed over.
		if !d.begun && !bytes.HasPrefix(kind, []byte("message_")) && !bytes.HasPrefix(kind, []byte("content_")) {
			err = fmt.Errorf("the reply is of type '%.40s', not a message", kind)
		}
	}
	if err != nil {
		return d.fail(events, err)
	}
	return events
}

// Close implements providers.Decoder.
func (d *decoder) Close(events []providers.Event) []providers.Event {
	if d.ended {
		return events
	}
	return d.fail(events, errors.New("the reply ended before message_stop"))
}

func (d *decoder) fail(events []providers.Event, err error) []providers.Event {
	d.ended = true
	return append(events, providers.Event{Kind: providers.EventFault, Fault: &providers.Fault{
		Kind: providers.FaultUpstream, Message: "anthropic's reply broke off or cannot be read", Retryable: true,
		Cause: fmt.Errorf("anthropic: %w", err),
	}})
}

func (d *decoder) start(events []providers.Event, message *frame) ([]providers.Event, error) {
	if d.begun {
		return events, errors.New("a second message_start")
	}
	d.begun = true
	events = append(events, providers.Event{Kind: providers.EventStart, ID: providers.Text(message.id), Model: providers.Text(message.model)})
	return appendUsage(events, message.usage), nil
}

func appendUsage(events []providers.Event, usage []byte) []providers.Event {
	if !providers.IsObject(usage) {
		return events
	}
	u := readUsage(usage)
	return append(events, providers.Event{Kind: providers.EventUsage, Usage: &u})
}

// whole says a message that was not streamed as the events it would have been.
func (d *decoder) whole(events []providers.Event, message *frame) ([]providers.Event, error) {
	events, err := d.start(events, message)
	if err != nil {
		return events, err
	}
	index := 0
	providers.Elements(message.content, func(raw []byte) bool {
		var b *open
		if events, b, err = d.open(events, index, raw); err == nil {
			events = d.close(events, b)
		}
		index++
		return err == nil
	})
	if err != nil {
		return events, err
	}
	d.stopped(message)
	return d.finish(events), nil
}

// event reads an event of a stream that needs a message under way.
func (d *decoder) event(events []providers.Event, kind []byte, f *frame) ([]providers.Event, error) {
	if !d.begun {
		return events, errors.New("the stream does not begin with message_start")
	}
	n, _ := providers.Count(f.index)
	index := int(n)
	switch string(kind) {
	case "content_block_start":
		events, _, err := d.open(events, index, f.block)
		return events, err
	case "message_delta":
		delta := readFrame(f.delta)
		d.stopped(&delta)
		return appendUsage(events, f.usage), nil
	case "message_stop":
		return d.finish(events), nil
	}
	b := d.find(index)
	switch {
	case b == nil || b.closed:
		return events, fmt.Errorf("a %s for block %d, which is not open", kind, index)
	case string(kind) == "content_block_stop":
		return d.close(events, b), nil
	}
	return d.delta(events, b, f.delta), nil
}

func (d *decoder) find(index int) *open {
	if index >= 0 && index < len(d.blocks) && d.blocks[index].index == index {
		return &d.blocks[index]
	}
	if i, ok := d.at[index]; ok {
		return &d.blocks[i]
	}
	return nil
}

// open begins a block, with whatever of it is there already.
func (d *decoder) open(events []providers.Event, index int, raw []byte) ([]providers.Event, *open, error) {
	if d.find(index) != nil {
		return events, nil, fmt.Errorf("block %d begins twice", index)
	}
	if index != len(d.blocks) {
		if d.at == nil {
			d.at = map[int]int{}
		}
		d.at[index] = len(d.blocks)
	}
	d.blocks = append(d.blocks, open{index: index})
	b := &d.blocks[len(d.blocks)-1]
	block := &providers.Block{}
	var text []byte
	said := readPart(raw)
	switch string(said.kind) {
	case `"text"`:
		b.kind, text = providers.KindText, said.text
	case `"thinking"`:
		b.kind, text = providers.KindReasoning, said.thinking
		b.signature = append(b.signature, providers.Text(said.signature)...)
	case `"redacted_thinking"`:
		b.kind, b.encrypted = providers.KindReasoning, providers.Text(said.data)
		block.Seal = &providers.Seal{Minter: Language, Encrypted: b.encrypted}
	case `"tool_use"`:
		d.calls++
		b.kind = providers.KindToolCall
		block.Call = &providers.ToolCall{ID: providers.Text(said.id), Name: providers.SaidToolName(providers.Text(said.name))}
		if providers.IsObject(said.input) && !blank(string(said.input[1:len(said.input)-1])) {
			b.input = string(said.input)
		}
	default:
		return events, b, nil
	}
	block.Kind = b.kind
	events = append(events, providers.Event{Kind: providers.EventBlockStart, Index: index, Block: block})
	if said.citations != nil {
		b.cite(gjson.ParseBytes(said.citations))
	}
	return d.say(events, b, providers.Text(text)), b, nil
}

func (d *decoder) delta(events []providers.Event, b *open, raw []byte) []providers.Event {
	said := readPart(raw)
	switch string(said.kind) {
	case `"text_delta"`:
		if b.kind == providers.KindText {
			return d.say(events, b, providers.Text(said.text))
		}
	case `"thinking_delta"`:
		if b.kind == providers.KindReasoning {
			return d.say(events, b, providers.Text(said.thinking))
		}
	case `"input_json_delta"`:
		if b.kind == providers.KindToolCall {
			return d.say(events, b, providers.Text(said.json))
		}
	case `"signature_delta"`:
		b.signature = append(b.signature, providers.Text(said.signature)...)
	case `"citations_delta"`:
		if providers.IsObject(said.citation) {
			b.citations = append(b.citations, gjson.ParseBytes(said.citation))
		}
	}
	return events
}

// say adds a piece to a block; the first piece of a call's arguments is often empty.
func (d *decoder) say(events []providers.Event, b *open, text string) []providers.Event {
	if text == "" {
		return events
	}
	if b.kind == providers.KindText {
		d.visible = true
		b.runes += utf8.RuneCountInString(text)
	}
	b.argued = true
	return append(events, providers.Event{Kind: providers.EventDelta, Index: b.index, Text: text})
}

// close ends a block with what is only whole at its end: citations and the signature.
func (d *decoder) close(events []providers.Event, b *open) []providers.Event {
	b.closed = true
	if b.kind == 0 {
		return events
	}
	if b.kind == providers.KindToolCall && !b.argued && b.input != "" {
		events = d.say(events, b, b.input)
	}
	for _, c := range b.citations {
		events = append(events, providers.Event{Kind: providers.EventCitation, Index: b.index, Citation: citation(c, b.runes)})
	}
	stop := providers.Event{Kind: providers.EventBlockStop, Index: b.index}
	if signature := string(b.signature); signature != "" || b.encrypted != "" {
		stop.Block = &providers.Block{Kind: b.kind, Seal: &providers.Seal{Minter: Language, Signature: signature, Encrypted: b.encrypted}}
	}
	return append(events, stop)
}

// stopped notes why the message ended; a later event may say it again.
func (d *decoder) stopped(said *frame) {
	if reason := stopReason(said.reason); reason != "" {
		d.reason = reason
	}
	if providers.IsObject(said.details) {
		if why := providers.Member(said.details, "explanation"); why != nil {
			d.refusal = providers.Text(why)
		}
	}
}

func (d *decoder) finish(events []providers.Event) []providers.Event {
	for i := range d.blocks {
		if !d.blocks[i].closed {
			events = d.close(events, &d.blocks[i])
		}
	}
	d.ended = true
	done := providers.Event{Kind: providers.EventFinish, Finish: finishOf(d.reason, d.calls), Native: d.reason}
	if d.reason == "refusal" && !d.visible {
		done.Refusal = d.refusal
	}
	return append(events, done, providers.Event{Kind: providers.EventEnd})
}

// finishOf maps a stop reason. Calls count more than the word for it: a client that is told
// "stop" never answers them. A reason that is not known yet is a stop.
func finishOf(reason string, calls int) providers.Finish {
	switch reason {
	case "tool_use":
		return providers.FinishToolCalls
	case "max_tokens", "model_context_window_exceeded":
		return providers.FinishLength
	case "refusal":
		return providers.FinishContentFilter
	case "stop_sequence":
		return providers.FinishStop
	}
	if calls > 0 {
		return providers.FinishToolCalls
	}
	return providers.FinishStop
}

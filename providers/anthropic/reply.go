package anthropic

import (
	"errors"
	"fmt"
	"strings"
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
	root := gjson.ParseBytes(frame) // one copy, which the strings of the events point into
	var err error
	switch kind := root.Get("type").String(); kind {
	case "message":
		events, err = d.whole(events, root)
	case "error":
		d.ended = true
		return append(events, providers.Event{Kind: providers.EventFault, Fault: faultOf(0, root)})
	case "ping":
		return append(events, providers.Event{Kind: providers.EventPing})
	case "message_start":
		events, err = d.start(events, root.Get("message"))
	case "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "message_stop":
		events, err = d.event(events, kind, root)
	case "":
		err = errors.New("the reply is not a message")
	default:
		// The API may add events at any time, and wants unknown ones passed over.
		if !d.begun && !strings.HasPrefix(kind, "message_") && !strings.HasPrefix(kind, "content_") {
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

func (d *decoder) start(events []providers.Event, msg gjson.Result) ([]providers.Event, error) {
	if d.begun {
		return events, errors.New("a second message_start")
	}
	d.begun = true
	events = append(events, providers.Event{Kind: providers.EventStart, ID: msg.Get("id").String(), Model: msg.Get("model").String()})
	return appendUsage(events, msg.Get("usage")), nil
}

func appendUsage(events []providers.Event, usage gjson.Result) []providers.Event {
	if !usage.IsObject() {
		return events
	}
	u := readUsage([]byte(usage.Raw))
	return append(events, providers.Event{Kind: providers.EventUsage, Usage: &u})
}

// whole says a message that was not streamed as the events it would have been.
func (d *decoder) whole(events []providers.Event, msg gjson.Result) ([]providers.Event, error) {
	events, err := d.start(events, msg)
	if err != nil {
		return events, err
	}
	index := 0
	msg.Get("content").ForEach(func(_, block gjson.Result) bool {
		var b *open
		if events, b, err = d.open(events, index, block); err == nil {
			events = d.close(events, b)
		}
		index++
		return err == nil
	})
	if err != nil {
		return events, err
	}
	d.stopped(msg)
	return d.finish(events), nil
}

// event reads an event of a stream that needs a message under way.
func (d *decoder) event(events []providers.Event, kind string, root gjson.Result) ([]providers.Event, error) {
	if !d.begun {
		return events, errors.New("the stream does not begin with message_start")
	}
	index := int(root.Get("index").Int())
	switch kind {
	case "content_block_start":
		events, _, err := d.open(events, index, root.Get("content_block"))
		return events, err
	case "message_delta":
		d.stopped(root.Get("delta"))
		return appendUsage(events, root.Get("usage")), nil
	case "message_stop":
		return d.finish(events), nil
	}
	b := d.find(index)
	switch {
	case b == nil || b.closed:
		return events, fmt.Errorf("a %s for block %d, which is not open", kind, index)
	case kind == "content_block_stop":
		return d.close(events, b), nil
	}
	return d.delta(events, b, root.Get("delta")), nil
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
func (d *decoder) open(events []providers.Event, index int, said gjson.Result) ([]providers.Event, *open, error) {
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
	var text gjson.Result
	switch said.Get("type").String() {
	case "text":
		b.kind, text = providers.KindText, said.Get("text")
	case "thinking":
		b.kind, text = providers.KindReasoning, said.Get("thinking")
		b.signature = append(b.signature, said.Get("signature").String()...)
	case "redacted_thinking":
		b.kind, b.encrypted = providers.KindReasoning, strings.Clone(said.Get("data").String())
		block.Seal = &providers.Seal{Minter: Language, Encrypted: b.encrypted}
	case "tool_use":
		d.calls++
		b.kind = providers.KindToolCall
		block.Call = &providers.ToolCall{ID: said.Get("id").String(), Name: providers.SaidToolName(said.Get("name").String())}
		if input := said.Get("input"); input.IsObject() && !blank(input.Raw[1:len(input.Raw)-1]) {
			b.input = strings.Clone(input.Raw)
		}
	default:
		return events, b, nil
	}
	block.Kind = b.kind
	events = append(events, providers.Event{Kind: providers.EventBlockStart, Index: index, Block: block})
	b.cite(said.Get("citations"))
	return d.say(events, b, text.String()), b, nil
}

func (d *decoder) delta(events []providers.Event, b *open, delta gjson.Result) []providers.Event {
	switch delta.Get("type").String() {
	case "text_delta":
		if b.kind == providers.KindText {
			return d.say(events, b, delta.Get("text").String())
		}
	case "thinking_delta":
		if b.kind == providers.KindReasoning {
			return d.say(events, b, delta.Get("thinking").String())
		}
	case "input_json_delta":
		if b.kind == providers.KindToolCall {
			return d.say(events, b, delta.Get("partial_json").String())
		}
	case "signature_delta":
		b.signature = append(b.signature, delta.Get("signature").String()...)
	case "citations_delta":
		if c := delta.Get("citation"); c.IsObject() {
			b.citations = append(b.citations, c)
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
func (d *decoder) stopped(said gjson.Result) {
	if reason := said.Get("stop_reason"); reason.Type == gjson.String {
		d.reason = strings.Clone(reason.String())
	}
	if why := said.Get("stop_details.explanation"); why.Type == gjson.String {
		d.refusal = strings.Clone(why.String())
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

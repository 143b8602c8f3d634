package bedrock

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// ReadReply implements providers.Dialect.
func (Dialect) ReadReply(call *providers.Call) providers.Decoder {
	if call.Op == providers.OpCountTokens {
		return &countDecoder{}
	}
	return &decoder{open: map[int]*block{}}
}

// decoder reads one reply: the events of a stream, each an object with one member that names it,
// or a whole reply.
type decoder struct {
	begun, ended bool
	open         map[int]*block
	calls        int
	reason       string // why the message stopped, "" not yet
}

// block is a content block under way. The API begins only calls explicitly.
type block struct {
	kind      providers.Kind
	signature strings.Builder
	redacted  strings.Builder
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
	if output := root.Get("output"); output.Exists() {
		return d.whole(events, root, output.Get("message"))
	}
	var err error
	known := false
	root.ForEach(func(name, v gjson.Result) bool {
		known = true
		events, err = d.event(events, name.Str, v)
		return err == nil
	})
	if err == nil && !known {
		err = errors.New("the reply is not a message")
	}
	if err != nil {
		return d.fail(events, err)
	}
	return events
}

// Close implements providers.Decoder. Usage comes behind the end of the message, and a stream
// that lacks it is whole all the same.
func (d *decoder) Close(events []providers.Event) []providers.Event {
	switch {
	case d.ended:
		return events
	case d.reason != "":
		return d.finish(events)
	}
	return d.fail(events, errors.New("the reply ended before messageStop"))
}

func (d *decoder) fail(events []providers.Event, err error) []providers.Event {
	d.ended = true
	return append(events, providers.Event{Kind: providers.EventFault, Fault: &providers.Fault{
		Kind: providers.FaultUpstream, Message: "bedrock's reply broke off or cannot be read", Retryable: true,
		Cause: fmt.Errorf("bedrock: %w", err),
	}})
}

func (d *decoder) start(events []providers.Event) []providers.Event {
	if d.begun {
		return events
	}
	d.begun = true
	return append(events, providers.Event{Kind: providers.EventStart})
}

func (d *decoder) event(events []providers.Event, name string, v gjson.Result) ([]providers.Event, error) {
	events = d.start(events)
	index := int(v.Get("contentBlockIndex").Int())
	switch name {
	case "contentBlockStart":
		if call := v.Get("start.toolUse"); call.IsObject() {
			return d.beginCall(events, index, call), nil
		}
	case "contentBlockDelta":
		return d.delta(events, index, v.Get("delta")), nil
	case "contentBlockStop":
		return d.stop(events, index), nil
	case "messageStop":
		d.reason = strings.Clone(v.Get("stopReason").Str)
		if d.reason == "" {
			return events, errors.New("a messageStop without a reason")
		}
	case "metadata":
		events = appendUsage(events, v)
		if d.reason != "" {
			return d.finish(events), nil
		}
	}
	return events, nil // the API may add events
}

// begin gives a block, which begins here where it has not yet.
func (d *decoder) begin(events []providers.Event, index int, kind providers.Kind) ([]providers.Event, *block) {
	b := d.open[index]
	if b == nil {
		b = &block{kind: kind}
		d.open[index] = b
		events = append(events, providers.Event{Kind: providers.EventBlockStart, Index: index, Block: &providers.Block{Kind: kind}})
	}
	return events, b
}

func (d *decoder) beginCall(events []providers.Event, index int, call gjson.Result) []providers.Event {
	d.calls++
	d.open[index] = &block{kind: providers.KindToolCall}
	return append(events, providers.Event{Kind: providers.EventBlockStart, Index: index, Block: &providers.Block{
		Kind: providers.KindToolCall, Call: &providers.ToolCall{ID: call.Get("toolUseId").Str, Name: providers.SaidToolName(call.Get("name").Str)},
	}})
}

func (d *decoder) delta(events []providers.Event, index int, delta gjson.Result) []providers.Event {
	if text := delta.Get("text"); text.Type == gjson.String {
		events, _ = d.begin(events, index, providers.KindText)
		return say(events, index, text.Str)
	}
	if input := delta.Get("toolUse.input"); input.Type == gjson.String {
		return say(events, index, input.Str)
	}
	thought := delta.Get("reasoningContent")
	if !thought.IsObject() {
		return events
	}
	var b *block
	events, b = d.begin(events, index, providers.KindReasoning)
	b.signature.WriteString(thought.Get("signature").Str)
	b.redacted.WriteString(thought.Get("redactedContent").Str)
	return say(events, index, thought.Get("text").Str)
}

func say(events []providers.Event, index int, text string) []providers.Event {
	if text == "" {
		return events
	}
	return append(events, providers.Event{Kind: providers.EventDelta, Index: index, Text: text})
}

func (d *decoder) stop(events []providers.Event, index int) []providers.Event {
	b := d.open[index]
	if b == nil {
		return events // of a kind that nobody here knows
	}
	delete(d.open, index)
	stop := providers.Event{Kind: providers.EventBlockStop, Index: index}
	if b.signature.Len()+b.redacted.Len() > 0 {
		stop.Block = &providers.Block{Kind: b.kind, Seal: &providers.Seal{
			Minter: Language, Signature: b.signature.String(), Encrypted: b.redacted.String(),
		}}
	}
	return append(events, stop)
}

// whole says a message that was not streamed as the events it would have been.
func (d *decoder) whole(events []providers.Event, root, message gjson.Result) []providers.Event {
	events = d.start(events)
	index := 0
	message.Get("content").ForEach(func(_, said gjson.Result) bool {
		events = d.stop(d.content(events, index, said), index)
		index++
		return true
	})
	if d.reason = strings.Clone(root.Get("stopReason").Str); d.reason == "" {
		return d.fail(events, errors.New("the reply has no stopReason"))
	}
	return d.finish(appendUsage(events, root))
}

func (d *decoder) content(events []providers.Event, index int, said gjson.Result) []providers.Event {
	if call := said.Get("toolUse"); call.IsObject() {
		events = d.beginCall(events, index, call)
		if input := call.Get("input"); input.IsObject() && input.Raw != "{}" {
			return say(events, index, input.Raw)
		}
		return events
	}
	if cited := said.Get("citationsContent"); cited.IsObject() {
		events, _ = d.begin(events, index, providers.KindText)
		for _, part := range cited.Get("content").Array() {
			events = say(events, index, part.Get("text").Str)
		}
		return events
	}
	if thought := said.Get("reasoningContent"); thought.IsObject() {
		var b *block
		events, b = d.begin(events, index, providers.KindReasoning)
		b.signature.WriteString(thought.Get("reasoningText.signature").Str)
		b.redacted.WriteString(thought.Get("redactedContent").Str)
		return say(events, index, thought.Get("reasoningText.text").Str)
	}
	return d.delta(events, index, said)
}

func (d *decoder) finish(events []providers.Event) []providers.Event {
	d.ended = true
	return append(events,
		providers.Event{Kind: providers.EventFinish, Finish: finishOf(d.reason, d.calls), Native: d.reason},
		providers.Event{Kind: providers.EventEnd})
}

// finishOf maps a stop reason. Calls count more than the word for it: a client that is told of
// another end would never make them.
func finishOf(reason string, calls int) providers.Finish {
	switch {
	case reason == "max_tokens", reason == "model_context_window_exceeded":
		return providers.FinishLength
	case reason == "guardrail_intervened", reason == "content_filtered":
		return providers.FinishContentFilter
	case calls > 0:
		return providers.FinishToolCalls
	}
	return providers.FinishStop
}

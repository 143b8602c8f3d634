package responses

import (
	"bytes"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// ReadReply implements providers.Dialect.
func (Dialect) ReadReply(call *providers.Call) providers.Decoder {
	if call.Op == providers.OpCountTokens {
		return &countDecoder{}
	}
	return &decoder{stream: call.Stream}
}

// decoder reads one reply. Items may interleave; each of their parts is a block.
type decoder struct {
	stream, started, over bool
	next                  int // number of the next block
	calls                 bool
	items                 []*heard
	out                   []providers.Event
}

// heard is an item under way.
type heard struct {
	key   int64 // output_index
	kind  string
	parts []*block
}

// block is a part of an item, -1 as index until it has begun.
type block struct {
	key   int64 // content_index, or summary_index
	index int
	kind  providers.Kind
	call  providers.ToolCall
	said  bool // some text came
	done  bool
	// summary is set for reasoning that came as a summary: the text behind it would say it again.
	summary bool
	last    int64 // the summary's part that came last
}

// Decode implements providers.Decoder.
func (d *decoder) Decode(events []providers.Event, frame []byte) []providers.Event {
	frame = bytes.TrimSpace(frame)
	if d.over || len(frame) == 0 || bytes.Equal(frame, []byte("[DONE]")) {
		return events
	}
	d.out = events
	switch root := gjson.ParseBytes(frame); {
	case !providers.ValidJSON(frame) || !root.IsObject():
		d.fail(&providers.Fault{Kind: providers.FaultUpstream, Retryable: true, Message: "the upstream's reply cannot be read: it is no JSON object"})
	case root.Get("object").Str == "response" || !root.Get("type").Exists() && root.Get("output").IsArray():
		d.whole(root)
	default:
		d.event(root)
	}
	events, d.out = d.out, nil
	return events
}

// Close implements providers.Decoder.
func (d *decoder) Close(events []providers.Event) []providers.Event {
	if d.over {
		return events
	}
	d.out = events
	d.fail(&providers.Fault{Kind: providers.FaultUpstream, Retryable: true, Message: "the upstream's reply ended before it was complete"})
	events, d.out = d.out, nil
	return events
}

func (d *decoder) emit(ev providers.Event) { d.out = append(d.out, ev) }

func (d *decoder) fail(f *providers.Fault) {
	d.over = true
	d.emit(providers.Event{Kind: providers.EventFault, Fault: f})
}

func (d *decoder) start(response gjson.Result) {
	if !d.started {
		d.started = true
		d.emit(providers.Event{Kind: providers.EventStart, ID: response.Get("id").Str, Model: response.Get("model").Str})
	}
}

// whole reads a response object that is the reply.
func (d *decoder) whole(response gjson.Result) {
	switch status := response.Get("status").Str; status {
	case "failed", "cancelled":
		d.fail(failure(response))
		return
	case "queued", "in_progress": // nobody asked for it in the background, nor looks at it later
		d.fail(&providers.Fault{Kind: providers.FaultUpstream, Retryable: true, Message: "the upstream's reply is not complete: its status is " + status})
		return
	}
	d.start(response)
	position := int64(0)
	response.Get("output").ForEach(func(_, item gjson.Result) bool {
		d.item(position, item)
		d.itemDone(position, item)
		position++
		return true
	})
	d.end(response)
}

// event reads one event of a stream.
func (d *decoder) event(ev gjson.Result) {
	kind, at := ev.Get("type").Str, ev.Get("output_index").Int()
	switch kind {
	case "response.created", "response.in_progress":
		d.start(ev.Get("response"))
	case "response.output_item.added":
		d.item(at, ev.Get("item"))
	case "response.output_item.done":
		d.itemDone(at, ev.Get("item"))
	case "response.content_part.added":
		d.part(at, ev, ev.Get("part.type").Str)
	case "response.output_text.delta", "response.refusal.delta", "response.reasoning_text.delta", "response.reasoning_summary_text.delta":
		d.text(at, ev, kind)
	case "response.function_call_arguments.delta", "response.custom_tool_call_input.delta":
		d.arguments(at, ev.Get("delta").Str)
	case "response.output_text.annotation.added":
		d.cite(d.part(at, ev, "output_text"), ev.Get("annotation"))
	case "response.completed", "response.incomplete":
		d.start(ev.Get("response"))
		d.end(ev.Get("response"))
	case "response.failed":
		d.fail(failure(ev.Get("response")))
	default:
		if kind == "error" || ev.Get("error").IsObject() {
			d.fail(streamFault([]byte(ev.Raw)))
		}
	}
}

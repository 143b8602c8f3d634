package responses

import (
	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

func (d *decoder) heard(key int64) *heard {
	for i := len(d.items) - 1; i >= 0; i-- {
		if d.items[i].key == key {
			return d.items[i]
		}
	}
	it := &heard{key: key}
	d.items = append(d.items, it)
	return it
}

// item notes an item. A call begins with it; texts begin with their parts, and reasoning when
// there is some.
func (d *decoder) item(key int64, v gjson.Result) {
	it := d.heard(key)
	it.kind = v.Get("type").String()
	if it.kind != "function_call" && it.kind != "custom_tool_call" {
		return
	}
	d.calls = true
	b := &block{index: -1, kind: providers.KindToolCall, call: providers.ToolCall{
		ID: v.Get("call_id").String(), Name: providers.SaidToolName(v.Get("name").String()), Custom: it.kind == "custom_tool_call",
	}}
	it.parts = append(it.parts, b)
	d.begin(b)
}

func (d *decoder) begin(b *block) {
	if b.index >= 0 {
		return
	}
	b.index = d.next
	d.next++
	said := &providers.Block{Kind: b.kind}
	if b.kind == providers.KindToolCall {
		call := b.call
		said.Call = &call
	}
	d.emit(providers.Event{Kind: providers.EventBlockStart, Index: b.index, Block: said})
}

// part gives the block of an item's part, a new one where it was not heard of. All parts of
// reasoning are one block.
func (d *decoder) part(key int64, ev gjson.Result, kind string) *block {
	it := d.heard(key)
	number, what := ev.Get("content_index").Int(), providers.KindText
	switch kind {
	case "refusal":
		what = providers.KindRefusal
	case "reasoning_text", "summary_text":
		number, what = 0, providers.KindReasoning
	}
	for _, b := range it.parts {
		if b.key == number && (b.kind == what || what == providers.KindText) {
			return b
		}
	}
	b := &block{key: number, index: -1, kind: what}
	it.parts = append(it.parts, b)
	if what != providers.KindReasoning {
		d.begin(b)
	}
	return b
}

func (d *decoder) text(key int64, ev gjson.Result, kind string) {
	text := ev.Get("delta").Str
	var b *block
	switch kind {
	case "response.refusal.delta":
		b = d.part(key, ev, "refusal")
	case "response.output_text.delta":
		b = d.part(key, ev, "output_text")
	default:
		d.thought(key, text, kind == "response.reasoning_summary_text.delta", ev.Get("summary_index").Int())
		return
	}
	if text == "" || b.done {
		return
	}
	b.said = true
	out := providers.Event{Kind: providers.EventDelta, Index: b.index, Text: text}
	if logprobs := ev.Get("logprobs"); logprobs.IsArray() && len(logprobs.Raw) > 2 {
		out.Logprobs = append(append([]byte(`{"content":`), logprobs.Raw...), `,"refusal":null}`...)
	}
	d.emit(out)
}

// thought adds to an item's reasoning: of its summary or of the text behind it whichever comes
// first, as the other says the same. Parts of a summary are set apart by an empty line.
func (d *decoder) thought(key int64, text string, summary bool, part int64) {
	b := d.part(key, gjson.Result{}, "summary_text")
	if text == "" || b.done || b.said && b.summary != summary {
		return
	}
	if !b.said {
		b.said, b.summary = true, summary
		d.begin(b)
	} else if part != b.last {
		text = "\n\n" + text
	}
	b.last = part
	d.emit(providers.Event{Kind: providers.EventDelta, Index: b.index, Text: text})
}

func (d *decoder) arguments(key int64, text string) {
	for _, b := range d.heard(key).parts {
		if b.kind == providers.KindToolCall && text != "" && !b.done {
			b.said = true
			d.emit(providers.Event{Kind: providers.EventDelta, Index: b.index, Text: text})
		}
	}
}

// cite tells a citation of a text, which no other block has.
func (d *decoder) cite(b *block, a gjson.Result) {
	if b.kind != providers.KindText {
		return
	}
	c := citation(a)
	d.emit(providers.Event{Kind: providers.EventCitation, Index: b.index, Citation: &c})
}

// itemDone says what an item held that no piece of it has said, and ends its blocks.
func (d *decoder) itemDone(key int64, v gjson.Result) {
	it := d.heard(key)
	switch it.kind = v.Get("type").String(); it.kind {
	case "message":
		d.messageDone(key, v)
	case "reasoning":
		d.reasoningDone(key, v)
		return
	case "function_call", "custom_tool_call":
		for _, b := range it.parts {
			if !b.said {
				d.arguments(key, v.Get("arguments").String()+v.Get("input").String())
			}
		}
	case "image_generation_call":
		d.image(v)
	}
	for _, b := range it.parts {
		d.stop(b, nil)
	}
}

func (d *decoder) messageDone(key int64, v gjson.Result) {
	number := int64(0)
	v.Get("content").ForEach(func(_, part gjson.Result) bool {
		kind := part.Get("type").Str
		had := d.has(key, number)
		b := d.numbered(key, number, kind)
		text := part.Get("text").Str + part.Get("refusal").Str
		if !b.said && text != "" {
			out := providers.Event{Kind: providers.EventDelta, Index: b.index, Text: text}
			if logprobs := part.Get("logprobs"); logprobs.IsArray() && len(logprobs.Raw) > 2 {
				out.Logprobs = append(append([]byte(`{"content":`), logprobs.Raw...), `,"refusal":null}`...)
			}
			b.said = true
			d.emit(out)
		}
		if !had {
			part.Get("annotations").ForEach(func(_, a gjson.Result) bool {
				d.cite(b, a)
				return true
			})
		}
		number++
		return true
	})
}

func (d *decoder) has(key, number int64) bool {
	for _, b := range d.heard(key).parts {
		if b.key == number {
			return true
		}
	}
	return false
}

func (d *decoder) numbered(key, number int64, kind string) *block {
	for _, b := range d.heard(key).parts {
		if b.key == number {
			return b
		}
	}
	b := &block{key: number, index: -1, kind: providers.KindText}
	if kind == "refusal" {
		b.kind = providers.KindRefusal
	}
	it := d.heard(key)
	it.parts = append(it.parts, b)
	d.begin(b)
	return b
}

// reasoningDone ends reasoning with its seal. What has neither text nor seal tells nothing.
func (d *decoder) reasoningDone(key int64, v gjson.Result) {
	for _, list := range [...]string{"summary", "content"} {
		number := int64(0)
		if b := d.part(key, gjson.Result{}, "summary_text"); b.said {
			break
		}
		v.Get(list).ForEach(func(_, part gjson.Result) bool {
			d.thought(key, part.Get("text").Str, list == "summary", number)
			number++
			return true
		})
	}
	b := d.part(key, gjson.Result{}, "summary_text")
	var seal *providers.Seal
	if sealed := v.Get("encrypted_content").String(); sealed != "" {
		seal = &providers.Seal{Minter: openaiMinter, Encrypted: sealed, ID: v.Get("id").String()}
	}
	if !b.said && seal == nil {
		return
	}
	d.begin(b)
	d.stop(b, seal)
}

func (d *decoder) stop(b *block, seal *providers.Seal) {
	if b.done || b.index < 0 {
		return
	}
	b.done = true
	ev := providers.Event{Kind: providers.EventBlockStop, Index: b.index}
	if seal != nil {
		ev.Block = &providers.Block{Kind: b.kind, Seal: seal}
	}
	d.emit(ev)
}

// image is one that the model's own tool made.
func (d *decoder) image(v gjson.Result) {
	data := v.Get("result").Str
	if data == "" {
		return
	}
	kind := "image/png"
	if format := v.Get("output_format").Str; format != "" {
		kind = "image/" + format
	}
	d.emit(providers.Event{Kind: providers.EventBlockStart, Index: d.next, Block: &providers.Block{
		Kind: providers.KindImage, Media: &providers.Media{Type: kind, Data: data},
	}})
	d.emit(providers.Event{Kind: providers.EventBlockStop, Index: d.next})
	d.next++
}

// end says usage and why the response ended.
func (d *decoder) end(response gjson.Result) {
	for _, it := range d.items { // some servers leave the items' own ends out
		for _, b := range it.parts {
			d.stop(b, nil)
		}
	}
	if usage, ok := readUsage(response); ok {
		d.emit(providers.Event{Kind: providers.EventUsage, Usage: &usage})
	}
	native, finish := response.Get("status").String(), providers.FinishStop
	if reason := response.Get("incomplete_details.reason").Str; reason != "" {
		native = reason
	}
	switch {
	case native == "max_output_tokens":
		finish = providers.FinishLength
	case native == "content_filter":
		finish = providers.FinishContentFilter
	case native == "incomplete":
		finish = providers.FinishUnknown
	case d.calls:
		finish = providers.FinishToolCalls
	}
	d.emit(providers.Event{Kind: providers.EventFinish, Finish: finish, Native: native})
	d.emit(providers.Event{Kind: providers.EventEnd})
	d.over = true
}

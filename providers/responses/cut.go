package responses

import (
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// passed is what is known of a stream whose events went to the client as they came.
type passed struct {
	begun    bool
	response []byte // of the first event
	items    []*passedItem
}

// passedItem is an item of the upstream's own.
type passedItem struct {
	index int64
	id    string
	raw   []byte // as it was added; once it is done, as it ended
	done  bool
	parts []passedPart
	text  []byte // of arguments
}

type passedPart struct {
	refusal bool
	text    []byte
}

// Passed implements providers.Writer. The pieces are kept: the events that end a stream of this
// language say them all again.
func (w *writer) Passed(frame []byte) {
	if w.ended || len(frame) == 0 || frame[0] != '{' || !providers.ValidJSON(frame) {
		return
	}
	ev := gjson.ParseBytes(frame)
	if n := ev.Get("sequence_number"); n.Type == gjson.Number {
		w.number = int(n.Int()) + 1
	}
	p := &w.passed
	switch ev.Get("type").Str {
	case "response.created":
		if response := ev.Get("response"); response.IsObject() {
			p.begun, p.response = true, []byte(response.Raw)
		}
	case "response.output_item.added":
		if !ev.Get("item").IsObject() {
			return
		}
		p.items = append(p.items, &passedItem{
			index: ev.Get("output_index").Int(), id: strings.Clone(ev.Get("item.id").Str), raw: []byte(ev.Get("item").Raw),
		})
	case "response.output_item.done":
		if it := p.find(ev); it != nil && ev.Get("item").IsObject() {
			it.raw, it.done = []byte(ev.Get("item").Raw), true
		}
	case "response.content_part.added":
		p.text(ev, ev.Get("part.type").Str == "refusal")
	case "response.output_text.delta":
		p.text(ev, false)
	case "response.refusal.delta":
		p.text(ev, true)
	case "response.function_call_arguments.delta", "response.custom_tool_call_input.delta":
		if it := p.find(ev); it != nil {
			it.text = append(it.text, ev.Get("delta").Str...)
		}
	}
}

func (p *passed) find(ev gjson.Result) *passedItem {
	at := ev.Get("output_index").Int()
	for _, it := range p.items {
		if it.index == at {
			return it
		}
	}
	return nil
}

func (p *passed) text(ev gjson.Result, refusal bool) {
	it, at := p.find(ev), ev.Get("content_index").Int()
	if it == nil || at < 0 || at > 1024 {
		return
	}
	for int64(len(it.parts)) <= at {
		it.parts = append(it.parts, passedPart{refusal: refusal})
	}
	it.parts[at].text = append(it.parts[at].text, ev.Get("delta").Str...)
}

// cut ends a stream early: the response is incomplete, as at its bound of tokens.
func (w *writer) cut(dst []byte, usage *providers.Usage) []byte {
	if !w.call.Stream {
		return dst
	}
	if usage != nil {
		w.usage, w.used = *usage, true
	}
	if w.passed.begun {
		return w.cutPassed(dst)
	}
	w.finish = providers.FinishLength
	return w.end(w.shut(w.begin(dst)))
}

// cutPassed ends what the upstream has left open, in its own items.
func (w *writer) cutPassed(dst []byte) []byte {
	var output []byte
	for _, it := range w.passed.items {
		if !it.done {
			dst = w.endPassed(dst, it)
		}
		output = appendElement(output, oneLine(nil, it.raw))
	}
	edits := []providers.Edit{
		{Name: "status", Value: []byte(`"incomplete"`)},
		{Name: "incomplete_details", Value: []byte(`{"reason":"max_output_tokens"}`)},
		{Name: "output", Value: append(append([]byte{'['}, output...), ']')},
	}
	if w.used {
		edits = append(edits, providers.Edit{Name: "usage", Value: appendUsage(nil, &w.usage)})
	}
	dst = append(w.open(dst, "response.incomplete"), `,"response":`...)
	return append(append(dst, edited(w.passed.response, edits)...), eventEnd...)
}

// edited splices an object of the upstream's; one that cannot be read stays as it is.
func edited(raw []byte, edits []providers.Edit) []byte {
	var doc providers.Document
	if doc.Scan(raw, nil) != nil {
		return oneLine(nil, raw)
	}
	return oneLine(nil, doc.Splice(nil, edits...))
}

func (w *writer) endPassed(dst []byte, it *passedItem) []byte {
	kind := gjson.GetBytes(it.raw, "type").Str
	edits := []providers.Edit{{Name: "status", Value: []byte(`"incomplete"`)}}
	switch kind {
	case "message":
		var content []byte
		for i := range it.parts {
			part := &it.parts[i]
			said := part.whole()
			content = appendElement(content, said)
			dst = w.endPassedPart(dst, it, i, said)
		}
		edits = append(edits, providers.Edit{Name: "content", Value: append(append([]byte{'['}, content...), ']')})
	case "function_call", "custom_tool_call":
		member, event := "arguments", "response.function_call_arguments.done"
		if kind == "custom_tool_call" {
			member, event = "input", "response.custom_tool_call_input.done"
		}
		text := providers.AppendString(nil, it.text)
		edits = append(edits, providers.Edit{Name: member, Value: text})
		dst = append(append(append(w.passedMember(dst, event, it), `,"`...), member...), `":`...)
		dst = append(append(dst, text...), eventEnd...)
	case "reasoning":
		edits = nil // it has no status
	}
	it.raw, it.done = edited(it.raw, edits), true
	dst = append(w.open(dst, "response.output_item.done"), `,"output_index":`...)
	dst = append(strconv.AppendInt(dst, it.index, 10), `,"item":`...)
	return append(append(dst, it.raw...), eventEnd...)
}

func (p *passedPart) whole() []byte {
	return (&part{refusal: p.refusal, text: p.text, closed: true}).append(nil)
}

func (w *writer) passedMember(dst []byte, kind string, it *passedItem) []byte {
	dst = append(w.open(dst, kind), `,"item_id":`...)
	dst = append(providers.AppendString(dst, it.id), `,"output_index":`...)
	return strconv.AppendInt(dst, it.index, 10)
}

func (w *writer) endPassedPart(dst []byte, it *passedItem, i int, said []byte) []byte {
	p := &it.parts[i]
	event, member := "response.output_text.done", `,"text":`
	if p.refusal {
		event, member = "response.refusal.done", `,"refusal":`
	}
	dst = strconv.AppendInt(append(w.passedMember(dst, event, it), `,"content_index":`...), int64(i), 10)
	dst = providers.AppendString(append(dst, member...), p.text)
	if !p.refusal {
		dst = append(dst, `,"logprobs":[]`...)
	}
	dst = append(dst, eventEnd...)
	dst = strconv.AppendInt(append(w.passedMember(dst, "response.content_part.done", it), `,"content_index":`...), int64(i), 10)
	return append(append(append(dst, `,"part":`...), said...), eventEnd...)
}

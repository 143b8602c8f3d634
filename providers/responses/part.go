package responses

import (
	"bytes"
	"strconv"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// part is one content part of a message.
type part struct {
	index       int
	refusal     bool
	audio       *providers.Media
	text        []byte
	annotations []byte // elements of the array
	cited       int
	unlinked    []byte // citations that have no address, as they came
	logprobs    []byte // elements of the array
	closed      bool
}

func (w *writer) partMember(dst []byte, kind string, it *item, p *part) []byte {
	dst = append(w.itemMember(dst, kind, it), `,"content_index":`...)
	return strconv.AppendInt(dst, int64(p.index), 10)
}

func (w *writer) addPart(dst []byte, it *item, p *part) []byte {
	for _, before := range it.parts {
		dst = w.closePart(dst, it, before)
	}
	p.index = len(it.parts)
	it.parts = append(it.parts, p)
	if !w.call.Stream {
		return dst
	}
	dst = append(w.partMember(dst, "response.content_part.added", it, p), `,"part":`...)
	return append(p.append(dst), eventEnd...)
}

// partText adds a piece of a message.
func (w *writer) partText(dst []byte, it *item, p *part, text string, logprobs []byte) []byte {
	p.text = append(p.text, text...)
	said := p.addLogprobs(logprobs)
	if !w.call.Stream {
		return dst
	}
	kind := "response.output_text.delta"
	if p.refusal {
		kind = "response.refusal.delta"
	}
	dst = append(w.partMember(dst, kind, it, p), `,"delta":`...)
	dst = providers.AppendString(dst, text)
	if !p.refusal {
		dst = append(append(append(dst, `,"logprobs":[`...), said...), ']')
	}
	return append(dst, eventEnd...)
}

// addLogprobs takes logprobs in Chat's form, and gives the elements that are new.
func (p *part) addLogprobs(raw []byte) (said []byte) {
	if len(raw) == 0 || !providers.ValidJSON(raw) {
		return nil
	}
	gjson.GetBytes(raw, "content").ForEach(func(_, e gjson.Result) bool {
		if len(said) > 0 {
			said = append(said, ',')
		}
		said = oneLine(said, []byte(e.Raw))
		return true
	})
	if len(p.logprobs) > 0 && len(said) > 0 {
		p.logprobs = append(p.logprobs, ',')
	}
	p.logprobs = append(p.logprobs, said...)
	return said
}

// cite notes where a text comes from. A citation may come when its text has ended in the stream:
// it then speaks of the text that is open, or has no place any more.
func (w *writer) cite(dst []byte, ev *providers.Event) []byte {
	b := w.find(ev.Index)
	if b == nil || ev.Citation == nil {
		return dst
	}
	if w.call.Stream && b.part != nil && b.part.closed {
		if b = w.openText(); b == nil {
			return dst
		}
		c := *ev.Citation
		c.Start, c.End = 0, 0
		return w.annotate(dst, b, &c)
	}
	return w.annotate(dst, b, ev.Citation)
}

// openText is the text that goes on, nil where none does.
func (w *writer) openText() *placed {
	for i := len(w.blocks) - 1; i >= 0; i-- {
		if b := &w.blocks[i]; b.kind == providers.KindText && b.part != nil && !b.part.closed {
			return b
		}
	}
	return nil
}

func (w *writer) annotate(dst []byte, b *placed, c *providers.Citation) []byte {
	if b.kind != providers.KindText {
		return dst
	}
	dst = w.text(dst, b)
	p := b.part
	if c.URL == "" {
		if len(c.Native) > 0 {
			p.unlinked = appendElement(p.unlinked, oneLine(nil, c.Native))
		}
		return dst
	}
	said := appendAnnotation(nil, c, p.text)
	p.annotations = appendElement(p.annotations, said)
	p.cited++
	if !w.call.Stream {
		return dst
	}
	dst = append(w.partMember(dst, "response.output_text.annotation.added", b.item, p), `,"annotation_index":`...)
	dst = strconv.AppendInt(dst, int64(p.cited-1), 10)
	return append(append(append(dst, `,"annotation":`...), said...), eventEnd...)
}

func appendElement(list, element []byte) []byte {
	if len(list) > 0 {
		list = append(list, ',')
	}
	return append(list, element...)
}

// appendAnnotation is a url_citation. One without a place speaks of the whole text.
func appendAnnotation(dst []byte, c *providers.Citation, text []byte) []byte {
	start, end := c.Start, c.End
	if start == 0 && end == 0 {
		end = len(bytes.Runes(text))
	}
	dst = strconv.AppendInt(append(dst, `{"type":"url_citation","start_index":`...), int64(start), 10)
	dst = strconv.AppendInt(append(dst, `,"end_index":`...), int64(end), 10)
	dst = providers.AppendString(append(dst, `,"url":`...), c.URL)
	return append(providers.AppendString(append(dst, `,"title":`...), c.Title), '}')
}

func (w *writer) closePart(dst []byte, it *item, p *part) []byte {
	if p.closed {
		return dst
	}
	p.closed = true
	if !w.call.Stream {
		return dst
	}
	switch {
	case p.audio != nil:
	case p.refusal:
		dst = append(w.partMember(dst, "response.refusal.done", it, p), `,"refusal":`...)
		dst = append(providers.AppendString(dst, p.text), eventEnd...)
	default:
		dst = append(w.partMember(dst, "response.output_text.done", it, p), `,"text":`...)
		dst = append(providers.AppendString(dst, p.text), `,"logprobs":[`...)
		dst = append(append(append(dst, p.logprobs...), ']'), eventEnd...)
	}
	dst = append(w.partMember(dst, "response.content_part.done", it, p), `,"part":`...)
	return append(p.append(dst), eventEnd...)
}

// append is a part as it stands; one that is open is empty, as what it says comes in pieces.
func (p *part) append(dst []byte) []byte {
	text := p.text
	if !p.closed {
		text = nil
	}
	switch {
	case p.audio != nil:
		dst = providers.AppendString(append(dst, `{"type":"output_audio","data":`...), p.audio.Data)
		return append(dst, `,"transcript":""}`...)
	case p.refusal:
		return append(providers.AppendString(append(dst, `{"type":"refusal","refusal":`...), text), '}')
	}
	dst = append(providers.AppendString(append(dst, `{"type":"output_text","text":`...), text), `,"annotations":[`...)
	if p.closed {
		dst = append(dst, p.annotations...)
	}
	dst = append(dst, `],"logprobs":[`...)
	if p.closed {
		dst = append(dst, p.logprobs...)
	}
	return append(dst, "]}"...)
}

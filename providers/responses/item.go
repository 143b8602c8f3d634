package responses

import (
	"strconv"
	"strings"

	"github.com/aistrale/aistrale/providers"
)

type itemKind uint8

const (
	itemMessage itemKind = iota + 1
	itemReasoning
	itemCall
	itemImage
)

// item is one item of the output.
type item struct {
	kind   itemKind
	index  int // output_index
	id     string
	status string // completed or incomplete, once it is closed
	closed bool
	parts  []*part // of a message
	text   []byte  // of reasoning, of a call's arguments
	call   providers.ToolCall
	media  *providers.Media
	seal   *providers.Seal
	on     string // what the seal is on, "" reasoning itself
}

// add puts an item at the end of the output. What waited has ended.
func (w *writer) add(dst []byte, it *item) []byte {
	dst = w.flush(dst)
	it.index = len(w.items)
	prefix := map[itemKind]string{itemMessage: "msg", itemReasoning: "rs", itemCall: "fc", itemImage: "ig"}[it.kind]
	if it.call.Custom {
		prefix = "ctc"
	}
	it.id = w.itemID(prefix, it.index)
	w.items = append(w.items, it)
	return w.itemEvent(dst, "response.output_item.added", it)
}

func (w *writer) itemEvent(dst []byte, kind string, it *item) []byte {
	if !w.call.Stream {
		return dst
	}
	dst = append(w.open(dst, kind), `,"output_index":`...)
	dst = strconv.AppendInt(dst, int64(it.index), 10)
	return append(it.append(append(dst, `,"item":`...)), eventEnd...)
}

// itemMember begins an event about an item, up to where it says what.
func (w *writer) itemMember(dst []byte, kind string, it *item) []byte {
	dst = append(w.open(dst, kind), `,"item_id":`...)
	dst = append(providers.AppendString(dst, it.id), `,"output_index":`...)
	return strconv.AppendInt(dst, int64(it.index), 10)
}

// thought adds a piece of reasoning. It is shown as a summary, which is what clients show.
func (w *writer) thought(dst []byte, it *item, text string) []byte {
	first := len(it.text) == 0
	it.text = append(it.text, text...)
	if !w.call.Stream {
		return dst
	}
	if first {
		dst = append(w.itemMember(dst, "response.reasoning_summary_part.added", it), `,"summary_index":0,"part":{"type":"summary_text","text":""}`...)
		dst = append(dst, eventEnd...)
	}
	dst = append(w.itemMember(dst, "response.reasoning_summary_text.delta", it), `,"summary_index":0,"delta":`...)
	return append(providers.AppendString(dst, text), eventEnd...)
}

func (w *writer) arguments(dst []byte, it *item, text string) []byte {
	it.text = append(it.text, text...)
	if !w.call.Stream {
		return dst
	}
	dst = append(w.itemMember(dst, it.argumentEvent(".delta"), it), `,"delta":`...)
	return append(providers.AppendString(dst, text), eventEnd...)
}

func (it *item) argumentEvent(suffix string) string {
	if it.call.Custom {
		return "response.custom_tool_call_input" + suffix
	}
	return "response.function_call_arguments" + suffix
}

// closeItem ends an item with the events that say it whole, and with an item for the seal that
// has no place in it.
func (w *writer) closeItem(dst []byte, it *item, status string) []byte {
	if it.closed {
		return dst
	}
	if it.kind == itemCall && len(it.text) == 0 && !it.call.Custom {
		dst = w.arguments(dst, it, "{}")
	}
	for _, p := range it.parts {
		dst = w.closePart(dst, it, p)
	}
	it.closed, it.status = true, status
	if w.call.Stream {
		dst = w.saidWhole(dst, it)
	}
	dst = w.itemEvent(dst, "response.output_item.done", it)
	if it.seal != nil && it.on != "" {
		return w.sealed(dst, it.seal, it.on)
	}
	return dst
}

// saidWhole is the events that repeat what an item's pieces have said.
func (w *writer) saidWhole(dst []byte, it *item) []byte {
	switch {
	case it.kind == itemReasoning && len(it.text) > 0:
		dst = append(w.itemMember(dst, "response.reasoning_summary_text.done", it), `,"summary_index":0,"text":`...)
		dst = append(providers.AppendString(dst, it.text), eventEnd...)
		dst = append(w.itemMember(dst, "response.reasoning_summary_part.done", it), `,"summary_index":0,"part":{"type":"summary_text","text":`...)
		return append(append(providers.AppendString(dst, it.text), '}'), eventEnd...)
	case it.kind == itemImage:
		return append(w.itemMember(dst, "response.image_generation_call.completed", it), eventEnd...)
	case it.kind == itemCall && it.call.Custom:
		dst = append(w.itemMember(dst, it.argumentEvent(".done"), it), `,"input":`...)
		return append(providers.AppendString(dst, it.text), eventEnd...)
	case it.kind == itemCall:
		dst = append(w.itemMember(dst, it.argumentEvent(".done"), it), `,"arguments":`...)
		return append(providers.AppendString(dst, it.text), eventEnd...)
	}
	return dst
}

// sealed is an item that carries nothing but the seal of another one.
func (w *writer) sealed(dst []byte, seal *providers.Seal, on string) []byte {
	it := &item{kind: itemReasoning, seal: seal, on: on}
	dst = w.add(dst, it)
	it.closed, it.status = true, "completed"
	return w.itemEvent(dst, "response.output_item.done", it)
}

// append is the item as it stands.
func (it *item) append(dst []byte) []byte {
	dst = providers.AppendString(append(dst, `{"id":`...), it.id)
	status := it.status
	if status == "" {
		status = "in_progress"
	}
	switch it.kind {
	case itemMessage:
		dst = append(append(append(dst, `,"type":"message","status":"`...), status...), `","role":"assistant","content":[`...)
		dst = it.appendParts(dst)
	case itemReasoning:
		dst = append(dst, `,"type":"reasoning","summary":[`...)
		if it.closed && len(it.text) > 0 {
			dst = append(providers.AppendString(append(dst, `{"type":"summary_text","text":`...), it.text), '}')
		}
		dst = append(dst, ']')
		if it.closed && it.seal != nil {
			dst = providers.AppendString(append(dst, `,"encrypted_content":`...), packSeal(it.seal, it.id, it.on))
		}
	case itemImage:
		dst = append(append(append(dst, `,"type":"image_generation_call","status":"`...), status...), `","result":`...)
		dst = it.appendImage(dst)
	case itemCall:
		kind, member := "function_call", "arguments"
		if it.call.Custom {
			kind, member = "custom_tool_call", "input"
		}
		dst = append(append(append(dst, `,"type":"`...), kind...), `","status":"`...)
		dst = providers.AppendString(append(append(dst, status...), `","call_id":`...), it.call.ID)
		dst = providers.AppendString(append(dst, `,"name":`...), it.call.Name)
		dst = append(append(append(dst, `,"`...), member...), `":`...)
		if it.closed {
			dst = providers.AppendString(dst, it.text)
		} else {
			dst = append(dst, `""`...)
		}
	}
	return append(dst, '}')
}

func (it *item) appendParts(dst []byte) []byte {
	if !it.closed {
		return append(dst, ']')
	}
	var unlinked []byte
	for i, p := range it.parts {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = p.append(dst)
		if len(p.unlinked) > 0 {
			unlinked = appendElement(unlinked, p.unlinked)
		}
	}
	dst = append(dst, ']')
	if len(unlinked) > 0 {
		dst = append(append(append(dst, `,"provider_specific_fields":{"citations":[`...), unlinked...), "]}"...)
	}
	return dst
}

// appendImage is the bytes of an image, where it is done and came as bytes.
func (it *item) appendImage(dst []byte) []byte {
	m := it.media
	switch {
	case m == nil || !it.closed:
		return append(dst, "null"...)
	case m.Data == "":
		dst = append(dst, `null,"url":`...)
		return providers.AppendString(dst, m.URL)
	}
	dst = providers.AppendString(dst, m.Data)
	if format, ok := strings.CutPrefix(m.Type, "image/"); ok {
		dst = providers.AppendString(append(dst, `,"output_format":`...), format)
	}
	return dst
}

func keepSeal(s *providers.Seal) *providers.Seal {
	if s == nil || s.Signature == "" && s.Encrypted == "" {
		return nil
	}
	return &providers.Seal{
		Minter: strings.Clone(s.Minter), Signature: strings.Clone(s.Signature), Encrypted: strings.Clone(s.Encrypted), ID: strings.Clone(s.ID),
	}
}

func keepMedia(m *providers.Media) *providers.Media {
	if m == nil {
		return nil
	}
	return &providers.Media{Type: strings.Clone(m.Type), Data: strings.Clone(m.Data), URL: strings.Clone(m.URL), Name: strings.Clone(m.Name)}
}

package openai

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// part is one choice of a reply under way: which blocks are open, and what waits for its end.
type part struct {
	index    int
	next     int // number of the next block
	running  int // the open block of text, reasoning or refusal; -1 none
	kind     providers.Kind
	seal     *providers.Seal // of the running reasoning
	detail   int64           // index of the reasoning detail that runs
	texted   bool            // there is a text block
	text     int             // the last one
	before   int             // code points of content before it
	runes    int             // code points of content
	calls    []*opened
	sound    providers.Media
	cited    []string // annotations that came before any text
	finished bool
	ending   providers.Event // the finish, which is said at the end: some providers call on behind it
}

// opened is a tool call that has begun.
type opened struct {
	key     int64 // the upstream's index
	block   int   // -1 until its name is known
	id      string
	custom  bool
	seal    *providers.Seal
	stopped bool
}

func (p *part) emit(d *decoder, ev providers.Event) {
	ev.Choice = p.index
	d.emit(ev)
}

// begin opens a block of text, reasoning or refusal, unless one of that kind runs already.
func (p *part) begin(d *decoder, kind providers.Kind) {
	if p.running >= 0 && p.kind == kind {
		return
	}
	p.stop(d)
	p.running, p.kind = p.next, kind
	p.next++
	if kind == providers.KindText {
		p.text, p.before = p.running, p.runes
	}
	p.emit(d, providers.Event{Kind: providers.EventBlockStart, Index: p.running, Block: &providers.Block{Kind: kind}})
	if kind == providers.KindText {
		p.texted = true
		for _, raw := range p.cited {
			p.annotation(d, gjson.Parse(raw))
		}
		p.cited = nil
	}
}

func (p *part) stop(d *decoder) {
	if p.running < 0 {
		return
	}
	ev := providers.Event{Kind: providers.EventBlockStop, Index: p.running}
	if p.seal != nil {
		ev.Block = &providers.Block{Kind: p.kind, Seal: p.seal}
	}
	p.emit(d, ev)
	p.running, p.seal, p.detail = -1, nil, 0
}

func (p *part) stopAll(d *decoder) {
	p.stop(d)
	for _, c := range p.calls {
		if c.block >= 0 && !c.stopped {
			c.stopped = true
			ev := providers.Event{Kind: providers.EventBlockStop, Index: c.block}
			if c.seal != nil {
				ev.Block = &providers.Block{Kind: providers.KindToolCall, Seal: c.seal}
			}
			p.emit(d, ev)
		}
	}
}

func (p *part) piece(d *decoder, kind providers.Kind, text string) {
	if text == "" {
		return
	}
	p.begin(d, kind)
	if kind == providers.KindText {
		p.runes += utf8.RuneCountInString(text)
	}
	p.emit(d, providers.Event{Kind: providers.EventDelta, Index: p.running, Text: text})
}

// message reads a delta or a whole message.
func (p *part) message(d *decoder, m gjson.Result) {
	if p.finished {
		p.late(d, m)
		return
	}
	p.reasoning(d, m)
	p.content(d, m.Get("content"))
	p.annotations(d, m.Get("annotations"))
	p.piece(d, providers.KindRefusal, m.Get("refusal").Str)
	m.Get("images").ForEach(func(_, image gjson.Result) bool {
		p.image(d, image.Get("image_url.url").Str)
		return true
	})
	p.audio(d, m.Get("audio"))
	position := int64(0)
	m.Get("tool_calls").ForEach(func(_, call gjson.Result) bool {
		if call.IsObject() {
			p.call(d, call, position)
		}
		position++
		return true
	})
	if legacy := m.Get("function_call"); legacy.IsObject() {
		c := p.opened(-1, "", "")
		p.advance(d, c, legacy.Get("name").Str, arguments(legacy.Get("arguments")))
	}
}

// late reads a message behind the finish. Some providers repeat the last one there; others finish
// with each call (Together), and a further one counts.
func (p *part) late(d *decoder, m gjson.Result) {
	position := int64(0)
	m.Get("tool_calls").ForEach(func(_, call gjson.Result) bool {
		id := call.Get("id").Str
		known := slices.ContainsFunc(p.calls, func(c *opened) bool { return id != "" && c.id == id })
		if call.IsObject() && d.stream && !known {
			p.call(d, call, position)
		}
		position++
		return true
	})
}

// content reads a text, or Mistral's list of parts.
func (p *part) content(d *decoder, content gjson.Result) {
	if content.Type == gjson.String {
		p.piece(d, providers.KindText, content.Str)
		return
	}
	if !content.IsArray() {
		return
	}
	content.ForEach(func(_, c gjson.Result) bool {
		switch c.Get("type").Str {
		case "text", "output_text":
			p.piece(d, providers.KindText, c.Get("text").Str)
		case "refusal":
			p.piece(d, providers.KindRefusal, c.Get("refusal").Str)
		case "image_url":
			p.image(d, c.Get("image_url.url").Str)
		case "thinking":
			p.piece(d, providers.KindReasoning, c.Get("thinking").Str)
			c.Get("thinking.#.text").ForEach(func(_, t gjson.Result) bool {
				p.piece(d, providers.KindReasoning, t.Str)
				return true
			})
		}
		return true
	})
}

// reasoning reads the text under either of its names. Details are read for their seals, and
// for their text where it stands nowhere else.
func (p *part) reasoning(d *decoder, m gjson.Result) {
	text := either(m.Get("reasoning_content").Str, m.Get("reasoning").Str)
	details := m.Get("reasoning_details")
	if !details.IsArray() || len(details.Array()) == 0 {
		p.piece(d, providers.KindReasoning, text)
		return
	}
	said := false
	details.ForEach(func(_, e gjson.Result) bool {
		said = said || e.Get("text").Str != "" || e.Get("summary").Str != ""
		return true
	})
	if !said {
		p.piece(d, providers.KindReasoning, text)
	}
	details.ForEach(func(_, e gjson.Result) bool {
		p.detailed(d, e)
		return true
	})
}

func (p *part) detailed(d *decoder, e gjson.Result) {
	number := e.Get("index").Int()
	text, signature, data := e.Get("text").Str+e.Get("summary").Str, e.Get("signature").Str, e.Get("data").Str
	if text == "" && signature == "" && data == "" {
		return
	}
	if p.running >= 0 && p.kind == providers.KindReasoning && number != p.detail {
		p.stop(d)
	}
	p.begin(d, providers.KindReasoning)
	p.detail = number
	p.piece(d, providers.KindReasoning, text)
	if signature == "" && data == "" {
		return
	}
	if p.seal == nil {
		p.seal = &providers.Seal{Minter: formatMinter(e.Get("format").Str)}
	}
	p.seal.Signature += signature
	p.seal.Encrypted += data
	p.seal.ID = either(p.seal.ID, e.Get("id").Str)
}

func (p *part) image(d *decoder, url string) {
	if url == "" {
		return
	}
	m := &providers.Media{URL: url}
	if mime, data, ok := DataURL(url); ok && len(url) > 5 && url[:5] == "data:" {
		m = &providers.Media{Type: mime, Data: data}
	}
	p.stop(d)
	p.media(d, providers.KindImage, m)
}

func (p *part) media(d *decoder, kind providers.Kind, m *providers.Media) {
	p.emit(d, providers.Event{Kind: providers.EventBlockStart, Index: p.next, Block: &providers.Block{Kind: kind, Media: m}})
	p.emit(d, providers.Event{Kind: providers.EventBlockStop, Index: p.next})
	p.next++
}

// audio gathers a sound, which a stream sends in pieces; its transcript is text.
func (p *part) audio(d *decoder, a gjson.Result) {
	if !a.IsObject() {
		return
	}
	p.piece(d, providers.KindText, a.Get("transcript").Str)
	p.sound.Data += a.Get("data").Str
	p.sound.FileID = either(p.sound.FileID, a.Get("id").Str)
}

// annotations reads the citations of the text block that came last, or of the first one to come.
func (p *part) annotations(d *decoder, list gjson.Result) {
	list.ForEach(func(_, a gjson.Result) bool {
		if p.texted {
			p.annotation(d, a)
		} else {
			p.cited = append(p.cited, a.Raw)
		}
		return true
	})
}

func (p *part) annotation(d *decoder, a gjson.Result) {
	u := a.Get("url_citation")
	if !u.IsObject() {
		return
	}
	start, end := int(u.Get("start_index").Int())-p.before, int(u.Get("end_index").Int())-p.before
	p.emit(d, providers.Event{Kind: providers.EventCitation, Index: p.text, Citation: &providers.Citation{
		URL: u.Get("url").Str, Title: u.Get("title").Str, Text: u.Get("content").Str, Start: max(0, start), End: max(0, end), Native: []byte(a.Raw),
	}})
}

func (p *part) finish(d *decoder, reason, native string) {
	if p.sound.Data != "" {
		p.stop(d)
		sound := p.sound
		p.media(d, providers.KindAudio, &sound)
	}
	p.stopAll(d)
	p.finished, d.ending = true, append(d.ending, p)
	p.ending = providers.Event{Kind: providers.EventFinish, Finish: finishOf(reason), Native: strings.Clone(either(native, reason))}
}

func finishOf(reason string) providers.Finish {
	switch reason {
	case "stop", "eos", "eos_token", "stop_sequence", "end_turn":
		return providers.FinishStop
	case "length", "max_tokens":
		return providers.FinishLength
	case "tool_calls", "function_call":
		return providers.FinishToolCalls
	case "content_filter":
		return providers.FinishContentFilter
	}
	return providers.FinishUnknown
}

// carried reads a whole message by its carriers, where it has any: they know the order of
// blocks and their seals. It reports whether it did.
func (p *part) carried(d *decoder, m gjson.Result) bool {
	if !m.Get("thinking_blocks").IsArray() && !m.Get("extra_content.aistrale").IsObject() {
		return false
	}
	var said messageJSON
	if json.Unmarshal([]byte(m.Raw), &said) != nil || said.Content.list || said.Refusal != "" || m.Get("images").Exists() || m.Get("audio").IsObject() {
		return false
	}
	content, _ := said.Content.blocks("")
	calls, err := said.calls("", 0)
	if err != nil {
		return false
	}
	for _, b := range said.arrange(content, nil, calls) {
		p.block(d, &b)
	}
	p.annotations(d, m.Get("annotations"))
	return true
}

// block emits a whole block.
func (p *part) block(d *decoder, b *providers.Block) {
	index := p.next
	p.next++
	p.emit(d, providers.Event{Kind: providers.EventBlockStart, Index: index, Block: &providers.Block{Kind: b.Kind, Call: named(b.Call), Seal: b.Seal}})
	text := b.Text
	if b.Call != nil {
		text = b.Call.Arguments
	}
	if b.Kind == providers.KindText {
		p.texted, p.text, p.before = true, index, p.runes
		p.runes += utf8.RuneCountInString(text)
	}
	if text != "" {
		p.emit(d, providers.Event{Kind: providers.EventDelta, Index: index, Text: text})
	}
	p.emit(d, providers.Event{Kind: providers.EventBlockStop, Index: index})
}

// named is a call without its arguments.
func named(c *providers.ToolCall) *providers.ToolCall {
	if c == nil {
		return nil
	}
	return &providers.ToolCall{ID: c.ID, Name: c.Name, Custom: c.Custom}
}

package gemini

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// choice is one candidate of a reply, over all frames.
type choice struct {
	index     int
	blocks    int             // begun so far
	open      providers.Kind  // of the last block, until it is shut; 0 else
	sealed    bool            // what is open goes on no more: its seal is of just this text
	late      *providers.Seal // of an empty text behind what is open
	said      bool            // text or a call came
	called    bool
	ids       map[string]bool // of the calls
	finish    string          // native
	message   string
	text      strings.Builder // all visible text, to place citations in
	spans     []span
	partAt    []int // of the last frame: where in text each part begins
	grounding string
	sources   []gjson.Result
	logprobs  []byte
}

// span is a text block's place in the whole text.
type span struct{ block, start int }

// add says what one candidate of one frame holds.
func (c *choice) add(events []providers.Event, said *saidCandidate) []providers.Event {
	c.partAt = c.partAt[:0]
	providers.Elements(said.parts, func(raw []byte) bool {
		c.partAt = append(c.partAt, c.text.Len())
		p := readSaidPart(raw)
		events = c.part(events, &p)
		return true
	})
	if reason := saidReason(said.finish); reason != "" {
		c.finish, c.message = reason, providers.Text(said.message)
	}
	if providers.IsObject(said.grounding) {
		c.ground(gjson.ParseBytes(said.grounding))
	}
	if sources := gjson.ParseBytes(providers.Member(said.citations, "citationSources")); sources.IsArray() {
		c.sources = append(c.sources, sources.Array()...)
	}
	if providers.IsObject(said.logprobs) {
		c.logprobs = appendLogprobs(c.logprobs, gjson.ParseBytes(said.logprobs))
	}
	return events
}

func (c *choice) part(events []providers.Event, p *saidPart) []providers.Event {
	seal := p.seal()
	switch {
	case p.call.IsObject():
		return c.call(events, p.call, seal)
	case len(p.text) > 0 && p.text[0] == '"':
		kind := providers.KindText
		if p.thought {
			kind = providers.KindReasoning
		}
		return c.say(events, kind, providers.Text(p.text), seal)
	case p.thought && (p.inline.IsObject() || p.file.IsObject()):
		// A draft of the image that the answer holds: clients take the first image for the answer.
		// Source: https://ai.google.dev/gemini-api/docs/image-generation#thinking-process
		return events
	case p.inline.IsObject():
		return c.media(events, &providers.Media{Type: p.inline.Get("mimeType").Str, Data: p.inline.Get("data").Str}, seal)
	case p.file.IsObject():
		return c.media(events, &providers.Media{Type: p.file.Get("mimeType").Str, URL: p.file.Get("fileUri").Str}, seal)
	}
	return c.hidden(events, p, seal)
}

// say reads text. Parts follow each other as the pieces of one block; but a signed part is a
// block of its own, as it must go back with exactly its own text. What was said last stays open
// to the end, where its sources come; so an empty signed part behind it waits.
// Source: https://ai.google.dev/gemini-api/docs/thought-signatures
func (c *choice) say(events []providers.Event, kind providers.Kind, text string, seal *providers.Seal) []providers.Event {
	switch {
	case text == "" && seal == nil:
		return events
	case text == "" && kind == providers.KindText && c.open == kind && c.late == nil:
		c.late = seal
		return events
	}
	if c.open != kind || c.sealed || c.late != nil || seal != nil {
		events = c.begin(events, &providers.Block{Kind: kind, Seal: seal})
		c.open, c.sealed = kind, seal != nil
		if kind == providers.KindText {
			c.spans = append(c.spans, span{c.blocks - 1, c.text.Len()})
		}
	}
	if text != "" {
		events = append(events, providers.Event{Kind: providers.EventDelta, Choice: c.index, Index: c.blocks - 1, Text: text})
		if kind == providers.KindText {
			c.said = true
			c.text.WriteString(text)
		}
	}
	return events
}

// begin ends the open block and begins another.
func (c *choice) begin(events []providers.Event, b *providers.Block) []providers.Event {
	events = c.shut(events)
	c.blocks++
	return append(events, providers.Event{Kind: providers.EventBlockStart, Choice: c.index, Index: c.blocks - 1, Block: b})
}

// shut ends the open block, and says the empty one that waits behind it.
func (c *choice) shut(events []providers.Event) []providers.Event {
	if c.open == 0 {
		return events
	}
	c.open, c.sealed = 0, false
	events = append(events, providers.Event{Kind: providers.EventBlockStop, Choice: c.index, Index: c.blocks - 1})
	if c.late == nil {
		return events
	}
	empty := &providers.Block{Kind: providers.KindText, Seal: c.late}
	c.late = nil
	events = c.begin(events, empty)
	return append(events, providers.Event{Kind: providers.EventBlockStop, Choice: c.index, Index: c.blocks - 1})
}

// call reads a function call, which comes whole. A call without a name is a piece of one that is
// streamed (partialArgs), which only Vertex does and only where it was asked to.
func (c *choice) call(events []providers.Event, v gjson.Result, seal *providers.Seal) []providers.Event {
	name := v.Get("name").Str
	if name == "" {
		return events
	}
	id := v.Get("id").Str
	if c.ids[id] {
		id = "" // given twice: the writer makes one that is not
	}
	if id != "" {
		if c.ids == nil {
			c.ids = map[string]bool{}
		}
		c.ids[id] = true
	}
	c.said, c.called = true, true
	events = c.begin(events, &providers.Block{
		Kind: providers.KindToolCall, Call: &providers.ToolCall{ID: id, Name: decodeName(name)}, Seal: seal,
	})
	c.open = providers.KindToolCall
	text := "{}"
	if args := v.Get("args"); args.IsObject() {
		text = compact(args.Raw)
	}
	events = append(events, providers.Event{Kind: providers.EventDelta, Choice: c.index, Index: c.blocks - 1, Text: text})
	return c.shut(events)
}

// compact takes the white space out of JSON, which the API prints for people.
func compact(raw string) string {
	v := jsontext.Value(raw)
	if err := v.Compact(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)); err != nil {
		return raw
	}
	return string(v)
}

func (c *choice) media(events []providers.Event, m *providers.Media, seal *providers.Seal) []providers.Event {
	kind := providers.KindFile
	switch {
	case strings.HasPrefix(m.Type, "image/"):
		kind = providers.KindImage
	case strings.HasPrefix(m.Type, "audio/"):
		kind = providers.KindAudio
	}
	c.said = true
	events = c.begin(events, &providers.Block{Kind: kind, Media: m, Seal: seal})
	c.open = kind
	return c.shut(events)
}

// hidden seals a part that other languages have no word for, so that it comes back in its place.
func (c *choice) hidden(events []providers.Event, p *saidPart, seal *providers.Seal) []providers.Event {
	raw := compact(string(p.raw))
	switch {
	case hiddenPart([]byte(raw)):
		seal = &providers.Seal{Minter: Language, Encrypted: raw}
	case seal == nil:
		return events
	case p.thought:
		return c.say(events, providers.KindReasoning, "", seal)
	default:
		return c.say(events, providers.KindText, "", seal)
	}
	events = c.begin(events, &providers.Block{Kind: providers.KindReasoning, Seal: seal})
	c.open = providers.KindReasoning
	return c.shut(events)
}

package gemini

import (
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// ground keeps the newest grounding and turns its places, which count the bytes of one part, into
// places in the whole text. In a stream they count from the beginning of the answer.
func (c *choice) ground(g gjson.Result) {
	if g.Get("groundingChunks").Exists() {
		c.grounding = g.Raw
	}
}

// cite says where the text comes from: every source of every supported passage, then the sources
// that support none in particular, then those that the answer recites.
func (c *choice) cite(events []providers.Event) []providers.Event {
	text := c.text.String()
	g := gjson.Parse(c.grounding)
	chunks := g.Get("groundingChunks").Array()
	cited := make([]bool, len(chunks))
	g.Get("groundingSupports").ForEach(func(_, support gjson.Result) bool {
		start, end := c.place(text, support.Get("segment"))
		support.Get("groundingChunkIndices").ForEach(func(_, n gjson.Result) bool {
			if i := int(n.Int()); i >= 0 && i < len(chunks) {
				cited[i] = true
				events = c.citation(events, source(chunks[i]), text[start:end], start)
			}
			return true
		})
		return true
	})
	for i := range chunks {
		if !cited[i] {
			events = c.citation(events, source(chunks[i]), "", 0)
		}
	}
	seen := map[string]bool{}
	for _, s := range c.sources {
		if uri := s.Get("uri").Str; uri != "" && !seen[s.Raw] {
			seen[s.Raw] = true
			start, end := clamp(text, int(s.Get("startIndex").Int()), int(s.Get("endIndex").Int()))
			events = c.citation(events, providers.Citation{URL: uri}, text[start:end], start)
		}
	}
	return events
}

// source reads a chunk: a page, a place or a stored document.
func source(chunk gjson.Result) providers.Citation {
	for _, kind := range []string{"web", "retrievedContext", "maps", "image"} {
		v := chunk.Get(kind)
		if !v.Exists() {
			continue
		}
		cite := providers.Citation{URL: v.Get("uri").Str, Title: v.Get("title").Str, Text: v.Get("text").Str}
		if kind != "web" {
			cite.Native = verbatim(chunk)
		}
		return cite
	}
	return providers.Citation{Native: verbatim(chunk)}
}

// verbatim gives JSON that a strict reader takes as well (no name twice), nil where it is not.
func verbatim(v gjson.Result) []byte {
	raw := jsontext.Value(compact(v.Raw))
	if !raw.IsValid() {
		return nil
	}
	return raw
}

// citation says one source of a passage, in characters of the block the passage begins in.
func (c *choice) citation(events []providers.Event, cite providers.Citation, passage string, start int) []providers.Event {
	text := c.text.String()
	block := span{}
	stop := len(text)
	for i, s := range c.spans {
		if i > 0 && s.start > start {
			stop = s.start
			break
		}
		block = s
	}
	if passage != "" {
		cite.Start = utf8.RuneCountInString(text[block.start:start])
		cite.End = cite.Start + utf8.RuneCountInString(text[start:min(start+len(passage), stop)])
	}
	return append(events, providers.Event{Kind: providers.EventCitation, Choice: c.index, Index: block.block, Citation: &cite})
}

// place finds a segment's bytes in the whole text. Where the text there is another one than the
// segment says, the segment's own words are looked for.
func (c *choice) place(text string, segment gjson.Result) (start, end int) {
	start, end = int(segment.Get("startIndex").Int()), int(segment.Get("endIndex").Int())
	if part := int(segment.Get("partIndex").Int()); part > 0 && part < len(c.partAt) {
		start, end = start+c.partAt[part], end+c.partAt[part]
	}
	start, end = clamp(text, start, end)
	words := segment.Get("text").Str
	if words == "" || text[start:end] == words {
		return start, end
	}
	if at := strings.Index(text, words); at >= 0 {
		return at, at + len(words)
	}
	return start, end
}

// clamp brings a place within the text and onto the borders of its characters; 0, 0 where it is
// not of this text at all.
func clamp(text string, start, end int) (int, int) {
	if start < 0 || start >= len(text) || end <= start {
		return 0, 0
	}
	end = min(end, len(text))
	for start > 0 && !utf8.RuneStart(text[start]) {
		start--
	}
	for end < len(text) && !utf8.RuneStart(text[end]) {
		end++
	}
	return start, end
}

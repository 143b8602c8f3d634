package gemini

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// cite keeps a citation that has an address: the API's sources are pages.
func (b *said) cite(c *providers.Citation) {
	if c.URL != "" {
		b.cites = append(b.cites, providers.Citation{URL: strings.Clone(c.URL), Title: strings.Clone(c.Title), Start: c.Start, End: c.End})
	}
}

// ground says where the answer comes from: every page once, and the passages that it supports, in
// bytes of the whole text.
func (c *candidate) ground(out *body) {
	var pages []string
	var chunks, supports body
	before := 0
	for _, b := range c.blocks {
		for i := range b.cites {
			cite := &b.cites[i]
			at := slices.Index(pages, cite.URL)
			if at < 0 {
				at = len(pages)
				pages = append(pages, cite.URL)
				chunks.open('{')
				chunks.key("web")
				chunks.open('{')
				chunks.field("uri", cite.URL)
				if cite.Title != "" {
					chunks.field("title", cite.Title)
				}
				chunks.b = append(chunks.b, "}}"...)
			}
			supports.support(b.text, before, at, cite)
		}
		if b.kind == providers.KindText {
			before += len(b.text)
		}
	}
	if len(pages) == 0 {
		return
	}
	out.b = append(append(out.b, `,"groundingMetadata":{"groundingChunks":[`...), chunks.b...)
	out.b = append(append(append(out.b, `],"groundingSupports":[`...), supports.b...), "]}"...)
}

func (w *body) support(text []byte, before, chunk int, cite *providers.Citation) {
	start, end := bytesOf(text, cite.Start), bytesOf(text, cite.End)
	if end <= start {
		return // it says nothing of place
	}
	w.open('{')
	w.key("segment")
	w.open('{')
	w.rawField("startIndex", number(int64(before+start)))
	w.rawField("endIndex", number(int64(before+end)))
	w.field("text", string(text[start:end]))
	w.shut('}')
	w.key("groundingChunkIndices")
	w.open('[')
	w.raw(number(int64(chunk)))
	w.b = append(w.b, "]}"...)
}

// bytesOf gives the bytes that the first n characters take, as far as there are so many.
func bytesOf(text []byte, n int) int {
	at := 0
	for ; n > 0 && at < len(text); n-- {
		_, size := utf8.DecodeRune(text[at:])
		at += size
	}
	return at
}

// addLogprobs gathers log probabilities, which come in OpenAI's form.
// Source: https://ai.google.dev/api/generate-content#LogprobsResult
func (c *candidate) addLogprobs(raw []byte) {
	if len(raw) == 0 || !providers.ValidJSON(raw) {
		return
	}
	chosen, top := body{c.chosen}, body{c.top}
	gjson.GetBytes(raw, "content").ForEach(func(_, v gjson.Result) bool {
		chosen.likely(v)
		top.open('{')
		top.key("candidates")
		top.open('[')
		v.Get("top_logprobs").ForEach(func(_, one gjson.Result) bool {
			top.likely(one)
			return true
		})
		top.b = append(top.b, "]}"...)
		return true
	})
	c.chosen, c.top = chosen.b, top.b
}

func (w *body) likely(v gjson.Result) {
	w.open('{')
	w.field("token", v.Get("token").Str)
	w.rawField("logProbability", decimal(v.Get("logprob").Num))
	w.shut('}')
}

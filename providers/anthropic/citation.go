package anthropic

import (
	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// cite keeps citations that came with a block's start.
func (b *open) cite(list gjson.Result) {
	if list.IsArray() {
		b.citations = append(b.citations, list.Array()...)
	}
}

// citation says where a text block comes from. The API attaches it to the block as a whole,
// of runes characters.
// Source: https://docs.claude.com/en/docs/build-with-claude/citations
func citation(c gjson.Result, runes int) *providers.Citation {
	out := &providers.Citation{
		URL: c.Get("url").String(), Title: c.Get("title").String(), Text: c.Get("cited_text").String(),
		End: runes, Native: []byte(c.Raw),
	}
	if out.URL == "" && c.Get("type").String() == "search_result_location" {
		out.URL = c.Get("source").String()
	}
	if out.Title == "" {
		out.Title = c.Get("document_title").String()
	}
	return out
}

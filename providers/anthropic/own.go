package anthropic

import (
	"bytes"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// ownThinking takes out of a conversation the thinking that another model's reply was given by
// this gateway to carry: the API would refuse the whole request for its signature. All other
// bytes stay.
func (s *splicer) ownThinking() {
	raw := s.doc.Value("messages")
	if !bytes.Contains(raw, []byte(`"`+carrierTag)) {
		return
	}
	out := make([]byte, 0, len(raw))
	from := 0
	for _, c := range carried(raw) {
		out = append(out, raw[from:c.start]...)
		from = c.end
	}
	if from == 0 {
		return
	}
	s.edits = append(s.edits, providers.Edit{Name: "messages", Value: append(out, raw[from:]...)})
	s.dropped = providers.AddDropped(s.dropped, "messages.content.thinking")
}

// carried gives the places of such blocks in messages, each with one of its commas. A message
// of nothing else is left alone: the API wants some content, and its refusal says why.
func carried(messages []byte) (cuts []span) {
	gjson.ParseBytes(messages).ForEach(func(_, m gjson.Result) bool {
		content := m.Get("content")
		if m.Get("role").Str == "assistant" && content.IsArray() {
			cuts = appendCuts(cuts, content.Array())
		}
		return true
	})
	return cuts
}

func appendCuts(cuts []span, blocks []gjson.Result) []span {
	last := -1 // that stays
	for i := range blocks {
		if !isCarrier(blocks[i]) {
			last = i
		}
	}
	if last < 0 {
		return cuts
	}
	for i := range last {
		if isCarrier(blocks[i]) {
			cuts = append(cuts, span{blocks[i].Index, blocks[i+1].Index})
		}
	}
	if end := len(blocks) - 1; end > last {
		cuts = append(cuts, span{endOf(blocks[last]), endOf(blocks[end])})
	}
	return cuts
}

func endOf(v gjson.Result) int { return v.Index + len(v.Raw) }

func isCarrier(b gjson.Result) bool {
	kind := b.Get("type").Str
	return kind == "thinking" && strings.HasPrefix(b.Get("signature").Str, carrierTag) ||
		kind == "redacted_thinking" && strings.HasPrefix(b.Get("data").Str, carrierTag)
}

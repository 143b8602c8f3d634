package anthropic

import (
	"strconv"

	"github.com/aistrale/aistrale/providers"
)

// whole is the one body of a reply that is not streamed.
func (w *speaker) whole(dst []byte) []byte {
	dst = w.appendHead(dst)
	written := 0
	block := func(write func([]byte) []byte) {
		if written++; written > 1 {
			dst = append(dst, ',')
		}
		dst = write(dst)
	}
	for _, b := range w.blocks {
		b.stopped = true
		if !b.silent() {
			b.shown = true
			block(b.appendWhole)
		}
		if of := b.carries(); of != "" {
			block(func(dst []byte) []byte { return appendRedacted(dst, carry(b.seal, of)) })
		}
	}
	dst = w.appendStop(append(dst, "],"...))
	return append(appendCounts(append(dst, `,"usage":`...), &w.usage), '}')
}

// appendCounts is the usage object in Anthropic's form, out of any provider's meters: cached
// input is counted beside the rest of it, thinking within the output. What nobody has counted
// is 0 here, as the language has no other word for it.
func appendCounts(dst []byte, u *providers.Usage) []byte {
	n := u.Called()
	dst = strconv.AppendInt(append(dst, `{"input_tokens":`...), n.InputUncached, 10)
	dst = strconv.AppendInt(append(dst, `,"cache_creation_input_tokens":`...), n.CacheWrite5m+n.CacheWrite1h, 10)
	dst = strconv.AppendInt(append(dst, `,"cache_read_input_tokens":`...), n.CacheRead, 10)
	dst = strconv.AppendInt(append(dst, `,"output_tokens":`...), n.Output, 10)
	if n.Reasoning > 0 {
		dst = strconv.AppendInt(append(dst, `,"output_tokens_details":{"thinking_tokens":`...), n.Reasoning, 10)
		dst = append(dst, '}')
	}
	if n.Searches > 0 {
		dst = strconv.AppendInt(append(dst, `,"server_tool_use":{"web_search_requests":`...), n.Searches, 10)
		dst = append(dst, '}')
	}
	switch n.Tier {
	case "standard", "priority", "batch":
		dst = append(append(append(dst, `,"service_tier":"`...), n.Tier...), '"')
	case "default": // OpenAI's name of it
		dst = append(dst, `,"service_tier":"standard"`...)
	}
	return append(dst, '}')
}

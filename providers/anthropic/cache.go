package anthropic

import "github.com/aistrale/aistrale/providers"

// maxMarks is how many cache breakpoints a request may have.
// Source: https://docs.claude.com/en/docs/build-with-claude/prompt-caching
const maxMarks = 4

// span is a piece of the body that can be cut out.
type span struct{ start, end int }

// mark writes a cache breakpoint as a further member of the block under way.
func (w *writer) mark(m *providers.CacheMark) {
	if m == nil {
		return
	}
	start := len(w.body)
	w.body = append(w.body, `,"cache_control":{"type":"ephemeral"`...)
	switch m.TTL {
	case "":
	case "5m", "1h":
		w.body = append(append(append(w.body, `,"ttl":"`...), m.TTL...), '"')
	default:
		w.drop("cache_control.ttl")
	}
	w.body = append(w.body, '}')
	w.marks = append(w.marks, span{start, len(w.body)})
}

// limitMarks gives the body with no more breakpoints than the API takes. The last ones stay:
// they cover the longest prefixes, and a conversation that grows is cached by its newest.
func (w *writer) limitMarks() []byte {
	excess := min(len(w.marks)+w.fixed-maxMarks, len(w.marks))
	if excess <= 0 {
		return w.body
	}
	w.drop("cache_control")
	out := make([]byte, 0, len(w.body))
	from := 0
	for _, s := range w.marks[:excess] {
		out = append(out, w.body[from:s.start]...)
		from = s.end
	}
	return append(out, w.body[from:]...)
}

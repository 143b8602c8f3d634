package anthropic

import (
	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// deepFrom is the size from which on bytes can be nested deep enough to matter to a validator
// that recurses.
const deepFrom = 64 << 10

// valid reports whether an upstream's bytes are JSON, nested no deeper than a client's may be.
func valid(b []byte) bool {
	if len(b) > deepFrom && tooDeep(b) {
		return false
	}
	return gjson.ValidBytes(b)
}

func tooDeep(b []byte) bool {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			i = pastString(b, i) - 1
		case '{', '[':
			if depth++; depth > providers.MaxDepth {
				return true
			}
		case '}', ']':
			depth--
		}
	}
	return false
}

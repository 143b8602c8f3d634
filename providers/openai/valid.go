package openai

import (
	"bytes"

	"github.com/tidwall/gjson"
)

// maxDepth bounds the nesting of an upstream's JSON. gjson validates by recursion, and Go ends
// the whole process when a stack overflows.
const maxDepth = 4096

// valid reports whether b is one JSON value that is safe to look into.
func valid(b []byte) bool {
	if bytes.Count(b, []byte("["))+bytes.Count(b, []byte("{")) > maxDepth && depth(b) > maxDepth {
		return false
	}
	return gjson.ValidBytes(b)
}

func depth(b []byte) int {
	most, now := 0, 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			i += closing(b[i:])
		case '[', '{':
			now++
			most = max(most, now)
		case ']', '}':
			now--
		}
	}
	return most
}

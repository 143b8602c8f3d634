package gemini

import "github.com/aistrale/aistrale/providers"

// A flat walk over JSON, for what runs on every event: it validates nothing and allocates
// nothing, and on bytes that are no JSON it just ends early.

// items visits the items of an array until visit says false.
func items(raw []byte, visit func(item []byte) bool) {
	i := providers.SkipSpace(raw, 0)
	if i >= len(raw) || raw[i] != '[' {
		return
	}
	for i++; ; i++ {
		i = providers.SkipSpace(raw, i)
		end := providers.PastValue(raw, i)
		if end == i || !visit(raw[i:end]) {
			return
		}
		i = providers.SkipSpace(raw, end)
		if i >= len(raw) || raw[i] != ',' {
			return
		}
	}
}

// inner takes the quotes off a string; other values stay as they are.
func inner(value []byte) []byte {
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
		return value[1 : len(value)-1]
	}
	return value
}

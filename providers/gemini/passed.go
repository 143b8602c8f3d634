package gemini

import (
	"strings"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// passed is what is known of a stream whose events went to the client as they came.
type passed struct{ id, model string }

// Passed implements providers.Writer.
func (w *writer) Passed(frame []byte) {
	if w.ended || len(frame) == 0 || frame[0] != '{' {
		return
	}
	if w.passed == nil {
		root := gjson.ParseBytes(frame)
		w.passed = &passed{strings.Clone(root.Get("responseId").Str), strings.Clone(root.Get("modelVersion").Str)}
	}
	providers.Members(frame, func(name, value []byte) bool {
		if string(name) != "candidates" {
			return true
		}
		providers.Elements(value, func(item []byte) bool {
			w.passedCandidate(item)
			return true
		})
		return false
	})
}

func (w *writer) passedCandidate(item []byte) {
	index, over := int64(0), false
	providers.Members(item, func(name, value []byte) bool {
		switch string(name) {
		case "index":
			index, _ = count(value)
		case "finishReason":
			over = true
		}
		return true
	})
	if index < 1024 {
		c := w.candidate(int(index))
		c.over = c.over || over
	}
}

// cut ends a stream early: every candidate that is open has reached its length.
func (w *writer) cut(dst []byte) []byte {
	w.ended = true
	if len(w.candidates) == 0 {
		w.candidate(0)
	}
	for _, c := range w.candidates {
		if c.reason == "" {
			c.reason = "MAX_TOKENS"
		}
		dst = w.closeAll(dst, c)
	}
	return w.last(dst)
}

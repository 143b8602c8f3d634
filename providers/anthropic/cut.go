package anthropic

import (
	"slices"
	"strconv"

	"github.com/aistrale/aistrale/providers"
)

// passed is what is known of a stream whose events went to the client as they came.
type passed struct {
	begun    bool
	finished bool    // message_delta has said why it ends
	open     []int64 // indices of the blocks that are not closed
}

// Passed implements providers.Writer. It looks into nothing but the type and the index.
func (w *speaker) Passed(frame []byte) {
	if w.ended {
		return
	}
	switch string(providers.Member(frame, "type")) {
	case `"message_start"`:
		w.passed.begun = true
	case `"content_block_start"`:
		w.passed.open = append(w.passed.open, indexOf(frame))
	case `"content_block_stop"`:
		at := indexOf(frame)
		w.passed.open = slices.DeleteFunc(w.passed.open, func(i int64) bool { return i == at })
	case `"message_delta"`:
		w.passed.finished = w.passed.finished || len(providers.Member(providers.Member(frame, "delta"), "stop_reason")) > len("null")
	case `"message_stop"`:
		w.ended = true
	}
}

func indexOf(frame []byte) int64 {
	n, err := strconv.ParseInt(string(providers.Member(frame, "index")), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// cut ends a stream early. What is open stays as it is: a call's input is cut off as Anthropic
// cuts it at max_tokens.
func (w *speaker) cut(dst []byte, usage *providers.Usage) []byte {
	if usage != nil {
		w.usage = *usage
	}
	w.reason = providers.FinishLength
	if !w.passed.begun {
		return w.end(dst)
	}
	w.ended = true
	for _, index := range w.passed.open {
		dst = append(dst, "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":"...)
		dst = append(strconv.AppendInt(dst, index, 10), "}\n\n"...)
	}
	if !w.passed.finished {
		dst = w.appendDelta(dst)
	}
	return append(dst, messageStop...)
}

package openai

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// passed is what is known of a stream whose chunks went to the client as they came.
type passed struct {
	begun  bool
	id     string
	model  string
	stamp  int64  // created
	prints string // raw system_fingerprint, "" where there is none
	// several is set where more than one choice was asked for.
	several bool
}

// Passed implements providers.Writer. Of most chunks it looks at no more than which choice they
// belong to and whether they finish it.
func (w *writer) Passed(frame []byte) {
	if w.ended || len(frame) == 0 || frame[0] != '{' {
		return
	}
	if w.passed.id == "" { // Azure's first chunk tells of its filter only
		w.begin(frame)
	}
	if w.plain(frame) {
		return
	}
	gjson.GetBytes(frame, "choices").ForEach(func(_, said gjson.Result) bool {
		c := w.known(int(said.Get("index").Int()))
		if reason := said.Get("finish_reason"); reason.Type == gjson.String && reason.Str != "" {
			c.finished = true
		}
		return true
	})
}

// plain reports a chunk that tells nothing new: where only one choice was asked for, that is any
// which does not finish it.
func (w *writer) plain(frame []byte) bool {
	if len(w.choices) != 1 || w.passed.several {
		return false
	}
	at := bytes.LastIndex(frame, []byte(`"finish_reason"`))
	if at < 0 {
		return true
	}
	rest := frame[at+len(`"finish_reason"`):]
	rest = rest[min(len(rest), providers.SkipSpace(rest, 0)+1):] // past the colon
	rest = rest[providers.SkipSpace(rest, 0):]
	return len(rest) == 0 || rest[0] == 'n'
}

func (w *writer) asked() int64 {
	if w.call.Doc == nil {
		return 1
	}
	s := splicer{call: w.call, doc: w.call.Doc}
	return s.readLimits().choices
}

// begin keeps what all chunks of a stream share.
func (w *writer) begin(frame []byte) {
	root := gjson.ParseBytes(frame)
	w.passed = passed{
		begun: true, several: w.asked() > 1, id: strings.Clone(root.Get("id").Str), model: strings.Clone(root.Get("model").Str),
		stamp: root.Get("created").Int(), prints: strings.Clone(root.Get("system_fingerprint").Raw),
	}
}

func (w *writer) known(index int) *choice {
	for _, c := range w.choices {
		if c.index == index {
			return c
		}
	}
	c := &choice{index: index}
	w.choices = append(w.choices, c)
	return c
}

// cut ends a stream early. What is open stays as it is: a call's arguments are cut off as
// OpenAI cuts them at max_tokens.
func (w *writer) cut(dst []byte, usage *providers.Usage) []byte {
	if !w.call.Stream {
		return dst
	}
	if usage != nil {
		w.usage, w.used = *usage, true
	}
	if !w.passed.begun {
		return w.cutOwn(dst)
	}
	if len(w.choices) == 0 {
		w.known(0)
	}
	for _, c := range w.choices {
		if !c.finished {
			c.finished = true
			dst = w.cutChoice(dst, c)
		}
	}
	if w.call.IncludeUsage && w.used {
		dst = append(w.passedHead(dst), `,"choices":[],"usage":`...)
		dst = append(appendUsage(dst, &w.usage), "}\n\n"...)
	}
	return append(dst, "data: [DONE]\n\n"...)
}

// cutOwn ends a stream of the writer's own chunks.
func (w *writer) cutOwn(dst []byte) []byte {
	if len(w.choices) == 0 {
		_, dst = w.choice(dst, 0)
	}
	for _, c := range w.choices {
		if c.finished {
			continue
		}
		for _, b := range c.blocks {
			b.closed = true
		}
		dst = w.finish(dst, c, &providers.Event{Finish: providers.FinishLength})
	}
	return w.end(dst)
}

func (w *writer) cutChoice(dst []byte, c *choice) []byte {
	dst = strconv.AppendInt(append(w.passedHead(dst), `,"choices":[{"index":`...), int64(c.index), 10)
	if w.call.Op == providers.OpCompletions {
		dst = append(dst, `,"text":""`...)
	} else {
		dst = append(dst, `,"delta":{}`...)
	}
	return append(dst, `,"logprobs":null,"finish_reason":"length"}]}`+"\n\n"...)
}

// passedHead begins a chunk as the upstream's own began.
func (w *writer) passedHead(dst []byte) []byte {
	p := &w.passed
	object := "chat.completion.chunk"
	if w.call.Op == providers.OpCompletions {
		object = "text_completion"
	}
	dst = providers.AppendString(append(dst, `data: {"id":`...), p.id)
	dst = append(append(append(dst, `,"object":"`...), object...), `","created":`...)
	dst = strconv.AppendInt(dst, p.stamp, 10)
	dst = providers.AppendString(append(dst, `,"model":`...), p.model)
	if p.prints != "" {
		dst = append(append(dst, `,"system_fingerprint":`...), p.prints...)
	}
	return dst
}

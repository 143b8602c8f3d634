package mock

import (
	"strconv"
	"strings"
)

type kind uint8

const (
	kindText kind = iota + 1
	kindThinking
	kindRefusal
	kindCall
)

// A block is one piece of an answer: text, reasoning, a refusal, or a call whose arguments are
// the pieces. A piece is one content event of a stream and one token.
type block struct {
	kind   kind
	pieces []string
	full   string // of the pieces, where it is known
	call   int    // index among the calls
	name   string
	hidden bool // redacted reasoning
}

func (b *block) text() string {
	if b.full == "" {
		b.full = strings.Join(b.pieces, "")
	}
	return b.full
}

// usage counts tokens, and of calls that are not billed by tokens what they are billed by. Output
// includes reasoning, input includes cached and what is no text.
type usage struct {
	input, cached, output, reasoning, media int64
	characters, seconds, images             int64
}

// The finish reasons in the mock's words; a dialect says them in its own.
const (
	finishStop   = "stop"
	finishLength = "length"
	finishCalls  = "tool_calls"
	finishFilter = "content_filter"
	finishRefuse = "refuse"
)

// An answer is what the model says, in no provider's words.
type answer struct {
	id     uint64
	blocks []block
	finish string // one of the reasons above, or a native word
	usage  usage
	total  int64 // pieces, those of all choices
}

func compose(a *ask, b *Behaviour) *answer {
	ans := &answer{id: a.id, finish: finishStop}
	if a.vectors != nil || a.counts { // says nothing
		ans.count(a, b)
		return ans
	}
	if b.Refuse {
		ans.blocks = []block{{kind: kindRefusal, pieces: split("I'm sorry, I can't assist with that request.")}}
		ans.finish = finishRefuse
	} else if calls := wanted(a, b); len(calls) > 0 {
		ans.blocks = calls
		ans.finish = finishCalls
	} else {
		ans.blocks = []block{say(a, b)}
	}
	ans.think(a, b)
	ans.bound(a.most)
	if b.Finish != "" {
		ans.finish = b.Finish
	}
	ans.count(a, b)
	return ans
}

// wanted gives the calls to make. After as many rounds as asked for the answer is a text.
func wanted(a *ask, b *Behaviour) []block {
	if a.rounds >= max(b.Steps, 1) {
		return nil
	}
	names := b.Tools
	switch {
	case len(names) > 0:
	case a.choice == choiceNone || len(a.tools) == 0:
	case a.forced != "":
		names = []string{a.forced}
	case a.choice == choiceAny || a.wantsTool():
		names = []string{a.tools[0].name}
	}
	if a.single && len(names) > 1 {
		names = names[:1]
	}
	calls := make([]block, len(names))
	for i, name := range names {
		t, _ := a.tool(name)
		calls[i] = block{kind: kindCall, call: i, name: name, pieces: split(string(fit(t.schema)))}
	}
	return calls
}

// say gives the text of an answer.
func say(a *ask, b *Behaviour) block {
	text := "This is the mock provider."
	switch {
	case b.JSON != "":
		text = b.JSON
	case a.schema.Exists():
		text = string(fit(a.schema))
	case a.json:
		text = `{"answer": "This is the mock provider."}`
	case len(a.results) > 0:
		text = quoteResults(a.results)
	case b.Events > 0:
		return block{kind: kindText, pieces: filler(min(b.Events, max(maxEvents/int64(a.texts()), 1)))}
	case a.script != nil:
		return block{kind: kindText, pieces: a.script}
	case a.user != "":
		text += " You said: " + clip(a.user, 200)
	}
	return block{kind: kindText, pieces: split(text), full: text}
}

func quoteResults(results []result) string {
	var s strings.Builder
	for i, r := range results {
		if i > 0 {
			s.WriteByte(' ')
		}
		s.WriteString("The tool ")
		s.WriteString(r.name)
		s.WriteString(" said: ")
		s.WriteString(clip(r.text, 1000))
	}
	return s.String()
}

// think puts a block of reasoning before each of the first blocks.
func (ans *answer) think(a *ask, b *Behaviour) {
	n := b.Thinking
	if n == 0 && a.thinks {
		n = 1
	}
	if n = min(n, int64(len(ans.blocks))); n == 0 {
		return
	}
	blocks := make([]block, 0, len(ans.blocks)+int(n))
	for i, next := range ans.blocks {
		if int64(i) < n {
			thought := "Let me think about what was asked, step " + strconv.Itoa(i+1) + "."
			blocks = append(blocks, block{kind: kindThinking, pieces: split(thought), hidden: b.Redacted})
		}
		blocks = append(blocks, next)
	}
	ans.blocks = blocks
}

// bound cuts the answer off at the client's limit. A call that does not fit is left out whole:
// no provider hands out half of one in a whole reply.
func (ans *answer) bound(most int64) {
	if most <= 0 {
		return
	}
	for i := range ans.blocks {
		b := &ans.blocks[i]
		if int64(len(b.pieces)) <= most {
			most -= int64(len(b.pieces))
			continue
		}
		ans.finish = finishLength
		keep := i
		if b.kind != kindCall && most > 0 {
			b.pieces, b.full = b.pieces[:most], ""
			keep++
		}
		ans.blocks = ans.blocks[:keep]
		return
	}
}

func (ans *answer) count(a *ask, b *Behaviour) {
	var all, thought int64
	for i := range ans.blocks {
		n := int64(len(ans.blocks[i].pieces))
		all += n
		if ans.blocks[i].kind == kindThinking {
			thought += n
		}
	}
	n := int64(a.texts())
	ans.total = all * n
	ans.usage = usage{
		input:     said(b.Input, a.input),
		cached:    said(b.Cached, 0),
		reasoning: said(b.Reasoning, thought*n),
	}
	// Reasoning that was named but not shown was made all the same.
	ans.usage.output = said(b.Output, (all-thought)*n+ans.usage.reasoning)
	ans.usage.cached = min(ans.usage.cached, ans.usage.input)
	ans.usage.reasoning = min(ans.usage.reasoning, ans.usage.output)
	if a.media != nil {
		a.media.bill(a.model, &ans.usage)
	}
}

func said(n *int64, otherwise int64) int64 {
	if n != nil {
		return *n
	}
	return otherwise
}

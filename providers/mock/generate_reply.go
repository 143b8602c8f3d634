package mock

import (
	"strconv"
	"strings"

	"github.com/aistrale/aistrale/providers"
)

// A generation writes an answer's parts in Gemini's words. The first call of a step carries
// the signature of all its calls, a text behind reasoning one of its own.
type generation struct {
	ask     *ask
	ans     *answer
	seal    string // of the calls
	thought bool
}

func newGeneration(a *ask, ans *answer) generation {
	g := generation{ask: a, ans: ans}
	var names []string
	for i := range ans.blocks {
		switch b := &ans.blocks[i]; b.kind {
		case kindCall:
			names = append(names, b.name)
		case kindThinking:
			g.thought = true
		case kindText, kindRefusal:
		}
	}
	if len(names) > 0 {
		g.seal = sealed("gemini", names...)
	}
	return g
}

func (g *generation) textSeal() string {
	return token("gemini text", strconv.FormatUint(g.ans.id, 16))
}

func (g *generation) appendCall(dst []byte, b *block) []byte {
	dst = providers.AppendString(append(dst, `{"functionCall": {"name": `...), b.name)
	dst = append(append(dst, `,"args": `...), b.text()...)
	dst = append(append(dst, `,"id": "`...), strings.ToLower(g.ask.callID("", b.call, 8))...)
	dst = append(dst, `"}`...)
	if b.call == 0 {
		dst = append(append(dst, `,"thoughtSignature": "`...), g.seal...)
		dst = append(dst, '"')
	}
	return append(dst, '}')
}

func appendPart(dst []byte, text string, thought bool) []byte {
	dst = providers.AppendString(append(dst, `{"text": `...), text)
	if thought {
		dst = append(dst, `,"thought": true`...)
	}
	return append(dst, '}')
}

// appendFinish appends the finish reason, from the parts' end on.
func (g *generation) appendFinish(dst []byte) []byte {
	reason := g.ans.finish
	switch reason {
	case finishStop, finishCalls:
		reason = "STOP"
	case finishLength:
		reason = "MAX_TOKENS"
	case finishFilter, finishRefuse:
		reason = "SAFETY"
	}
	dst = providers.AppendString(append(dst, `,"finishReason": `...), reason)
	if g.ans.finish == finishCalls {
		dst = append(dst, `,"finishMessage": "Model generated function call(s)."`...)
	}
	return dst
}

// appendTail appends what stands behind the candidates: usage up to here, and the names.
func (g *generation) appendTail(dst []byte, output, reasoning int64, all bool) []byte {
	u := g.ans.usage
	dst = number(dst, `,"usageMetadata": {"promptTokenCount": `, u.input)
	if all || output > reasoning {
		dst = number(dst, `,"candidatesTokenCount": `, output-reasoning)
	}
	dst = number(dst, `,"totalTokenCount": `, u.input+output)
	if u.cached > 0 {
		dst = number(dst, `,"cachedContentTokenCount": `, u.cached)
	}
	dst = number(dst, `,"promptTokensDetails": [{"modality": "TEXT","tokenCount": `, u.input)
	dst = append(dst, "}]"...)
	if m := g.ask.media; m != nil {
		dst = number(append(dst, `,"candidatesTokensDetails": [{"modality": "`+m.modality+`"`...), `,"tokenCount": `, output-reasoning)
		dst = append(dst, "}]"...)
	}
	if reasoning > 0 {
		dst = number(dst, `,"thoughtsTokenCount": `, reasoning)
	}
	dst = append(dst, `,"serviceTier": "standard"},"modelVersion": `...)
	dst = append(providers.AppendString(dst, g.ask.model), `,"responseId": "`...)
	return append(appendID(dst, g.ans.id, 22), `"}`...)
}

// appendBlocked appends the answer to a prompt that the provider refuses: no candidate at all.
func (g *generation) appendBlocked(dst []byte) []byte {
	dst = append(dst, `{"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}`...)
	return g.appendTail(dst, 0, 0, false)
}

func writeGenerate(dst []byte, a *ask, ans *answer) []byte {
	g := newGeneration(a, ans)
	if ans.finish == finishRefuse {
		ans.usage.output, ans.usage.reasoning = 0, 0
		return g.appendBlocked(dst)
	}
	dst = append(dst, `{"candidates": [{"content": {`...)
	var parts []byte
	for i := range ans.blocks {
		b := &ans.blocks[i]
		if b.kind == kindThinking && (a.hideThoughts || b.hidden) {
			continue
		}
		if parts != nil {
			parts = append(parts, ',')
		}
		if b.kind == kindCall {
			parts = g.appendCall(parts, b)
			continue
		}
		if b.kind == kindText && a.media != nil {
			parts = g.appendWhole(parts, b)
			continue
		}
		parts = appendPart(parts, b.text(), b.kind == kindThinking)
		if b.kind == kindText && g.thought {
			parts = append(parts[:len(parts)-1], `,"thoughtSignature": "`+g.textSeal()+`"}`...)
		}
	}
	if parts != nil {
		dst = append(append(append(dst, `"parts": [`...), parts...), `],`...)
	}
	dst = g.appendFinish(append(dst, `"role": "model"}`...))
	dst = append(dst, `,"index": 0}]`...)
	return g.appendTail(dst, ans.usage.output, ans.usage.reasoning, true)
}

// generateFilm writes a generation as events, each a response of its own whose usage counts
// all up to there. There is no end mark.
type generateFilm struct {
	*film
	generation
}

func filmGenerate(f *film, a *ask, ans *answer) {
	g := generateFilm{film: f, generation: newGeneration(a, ans)}
	if ans.finish == finishRefuse {
		ans.usage.output, ans.usage.reasoning = 0, 0
		f.event = append(g.appendBlocked(append(f.event, "data: "...)), "\r\n\r\n"...)
		f.end()
		return
	}
	for i := range ans.blocks {
		b := &ans.blocks[i]
		switch {
		case b.kind == kindCall:
			g.pieces += int64(len(b.pieces))
			g.write(g.appendCall(nil, b))
			g.endContent(0)
		case b.kind == kindThinking && (a.hideThoughts || b.hidden):
			g.pieces += int64(len(b.pieces))
		default:
			g.texts(b)
		}
	}
	g.last()
}

func (g *generateFilm) texts(b *block) {
	thought := b.kind == kindThinking
	for i, piece := range b.pieces {
		g.pieces++
		part := appendPart(nil, piece, thought)
		if g.ask.media != nil && !thought {
			part = g.appendInline(nil, i, 1)
		}
		g.write(part)
		g.endContent(0)
	}
}

// write writes an event with one part.
func (g *generateFilm) write(part []byte) {
	g.event = append(append(g.event, `data: {"candidates": [{"content": {"parts": [`...), part...)
	g.event = append(g.event, `],"role": "model"},"index": 0}]`...)
	output, reasoning := g.soFar()
	g.event = append(g.appendTail(g.event, output, reasoning, false), "\r\n\r\n"...)
}

// soFar gives the share of the usage that the pieces up to here make.
func (g *generateFilm) soFar() (output, reasoning int64) {
	u, total := g.ans.usage, max(g.ans.total, 1)
	output = u.output * g.pieces / total
	return output, min(u.reasoning, output)
}

// last writes the event with the finish reason: an empty text, with the signature where the
// model reasoned.
func (g *generateFilm) last() {
	g.event = append(g.event, `data: {"candidates": [{"content": {"parts": [{"text": ""`...)
	if g.thought && g.seal == "" {
		g.event = append(g.event, `,"thoughtSignature": "`+g.textSeal()+`"`...)
	}
	g.event = g.appendFinish(append(g.event, `}],"role": "model"}`...))
	g.event = append(g.event, `,"index": 0}]`...)
	u := g.ans.usage
	g.event = append(g.appendTail(g.event, u.output, u.reasoning, true), "\r\n\r\n"...)
	g.end()
}

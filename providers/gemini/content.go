package gemini

import (
	"fmt"
	"slices"

	"github.com/aistrale/aistrale/providers"
)

// noSignature is what Google documents for a call that another model made, or whose signature
// the client lost: without any, generation 3 answers 400.
// Source: https://ai.google.dev/gemini-api/docs/thought-signatures
const noSignature = "skip_thought_signature_validator"

// content is one native turn.
type content struct {
	role    string // user or model
	results bool   // nothing but functionResponse parts
	parts   body
	calls   []*providers.ToolCall
}

// turn gives the last content where it has the role and no results, else a new one. Results keep
// a content of their own, as their number is held against the calls before them.
func (r *request) turn(role string) *content {
	if n := len(r.turns); n > 0 && r.turns[n-1].role == role && !r.turns[n-1].results {
		return &r.turns[n-1]
	}
	r.turns = append(r.turns, content{role: role})
	return &r.turns[len(r.turns)-1]
}

// contents says the turns. A last turn of the model's goes out as it stands: models up to 3.1 go
// on from it, and newer ones answer 400, which is theirs to say (pipecat-ai/pipecat#5821).
func (r *request) contents() error {
	used := map[*providers.Block]bool{}
	turns := r.req.Turns
	for i := range turns {
		if turns[i].Name != "" && turns[i].Role != providers.RoleTool {
			r.drop("messages.name")
		}
		var err error
		switch turns[i].Role {
		case providers.RoleSystem, providers.RoleDeveloper:
			err = r.instruct(i)
		case providers.RoleAssistant:
			err = r.model(i)
			if last := i+1 == len(turns) || turns[i+1].Role != providers.RoleAssistant; err == nil && last {
				err = r.answers(i+1, used)
			}
		default:
			err = r.user(i, used)
		}
		if err != nil {
			return err
		}
	}
	return r.fillContents()
}

// fillContents makes sure of one content: the API refuses a request without any. A request of
// instructions alone asks them as the user.
func (r *request) fillContents() error {
	kept := r.turns[:0]
	for _, c := range r.turns {
		if len(c.parts.b) > 0 {
			kept = append(kept, c)
		}
	}
	r.turns = kept
	if len(kept) > 0 || len(r.fetch) > 0 {
		return nil
	}
	for _, text := range r.system {
		r.turn("user").parts.textPart(text, nil)
	}
	r.system = nil
	if len(r.turns) == 0 {
		return providers.Invalid("messages", "the messages hold no content")
	}
	return nil
}

func (r *request) instruct(turn int) error {
	for i := range r.req.Turns[turn].Blocks {
		b := &r.req.Turns[turn].Blocks[i]
		r.mark(b)
		if b.Kind != providers.KindText && b.Kind != providers.KindRefusal {
			return providers.Invalid(param(turn, i), "instructions of this model are text only")
		}
		if b.Text != "" {
			r.system = append(r.system, b.Text)
		}
	}
	return nil
}

func (r *request) mark(b *providers.Block) {
	if b.Cache != nil {
		r.drop("cache_control") // the API caches by itself, or by cachedContent
	}
}

func (r *request) user(turn int, used map[*providers.Block]bool) error {
	for i := range r.req.Turns[turn].Blocks {
		b := &r.req.Turns[turn].Blocks[i]
		r.mark(b)
		var err error
		switch b.Kind {
		case providers.KindText, providers.KindRefusal:
			if b.Text != "" {
				r.turn("user").parts.textPart(b.Text, nil)
			}
		case providers.KindImage, providers.KindFile, providers.KindAudio:
			err = r.media(&r.turn("user").parts, b, param(turn, i))
		case providers.KindToolResult:
			if !used[b] {
				err = r.orphan(b, param(turn, i))
			}
		default:
			err = providers.Invalid(param(turn, i), "a call or a thought of the model stands in a turn that is not its own")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// orphan keeps the result of a call that nobody made (a trimmed history) as text: the API takes a
// functionResponse only behind its functionCall.
func (r *request) orphan(b *providers.Block, param string) error {
	text := resultText(b.Result)
	r.turn("user").parts.textPart(fmt.Sprintf("Result of the tool call %s:\n%s", b.Result.CallID, text), nil)
	return r.resultMedia(b, param)
}

func (r *request) model(turn int) error {
	c := r.turn("model")
	for i := range r.req.Turns[turn].Blocks {
		b := &r.req.Turns[turn].Blocks[i]
		r.mark(b)
		switch b.Kind {
		case providers.KindText, providers.KindRefusal:
			if seal := own(b.Seal); b.Text != "" || seal != nil {
				c.parts.textPart(b.Text, seal)
			}
		case providers.KindReasoning:
			c.parts.thoughtPart(b)
		case providers.KindToolCall:
			if err := r.functionCall(c, b, param(turn, i)); err != nil {
				return err
			}
		case providers.KindImage, providers.KindFile, providers.KindAudio:
			if err := r.media(&c.parts, b, param(turn, i)); err != nil {
				return err
			}
		default:
			return providers.Invalid(param(turn, i), "the result of a call stands in the model's own turn")
		}
	}
	return nil
}

// own gives a seal that this language made, nil for any other.
func own(s *providers.Seal) *providers.Seal {
	if s == nil || s.Minter != Language {
		return nil
	}
	return s
}

func (w *body) signature(s *providers.Seal) {
	if s != nil && s.Signature != "" {
		w.field("thoughtSignature", s.Signature)
	}
}

func (w *body) textPart(text string, seal *providers.Seal) {
	w.b = slices.Grow(w.b, len(text)+len(`,{"text":""}`))
	w.open('{')
	w.field("text", text)
	w.signature(seal)
	w.shut('}')
}

// thoughtPart gives a thought back to its minter. Thoughts of others, and those that came back
// without the seal that says who thought them, are left out.
func (w *body) thoughtPart(b *providers.Block) {
	seal := own(b.Seal)
	if seal == nil {
		return
	}
	if seal.Encrypted != "" {
		if hiddenPart([]byte(seal.Encrypted)) {
			w.raw([]byte(seal.Encrypted))
		}
		return
	}
	w.open('{')
	w.field("text", b.Text)
	w.rawField("thought", []byte("true"))
	w.signature(seal)
	w.shut('}')
}

func param(turn, block int) string { return fmt.Sprintf("messages[%d].content[%d]", turn, block) }

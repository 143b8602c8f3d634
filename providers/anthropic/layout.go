package anthropic

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/aistrale/aistrale/providers"
)

// layout is the conversation in the API's order: instructions first, then turns of user and
// assistant in alternation, results of tools before anything else in their turn.
type layout struct {
	system   []*providers.Block
	messages []message
	ids      map[string]int // ids of calls, as they are sent, and how often they were wanted
	made     int            // ids made up
}

type message struct {
	assistant bool
	results   []item
	rest      []item
	calls     []pending        // of an assistant's message
	open      map[string][]int // places in calls that have no result yet, by the id that was said
}

// item is a block and, for calls and results, the id that it is sent under.
type item struct {
	*providers.Block
	id string
}

// pending is a call and whether its result was seen.
type pending struct {
	said, id string
	answered bool
}

func (w *writer) layOut() error {
	for i := range w.req.Turns {
		turn := &w.req.Turns[i]
		if turn.Name != "" && turn.Role != providers.RoleTool {
			w.drop("messages.name")
		}
		if err := w.placeTurn(turn); err != nil {
			return err
		}
	}
	if err := w.layout.allAnswered(); err != nil {
		return err
	}
	w.trimPrefill()
	w.layout.askInstructions()
	for _, m := range w.layout.messages {
		if !m.assistant {
			return nil
		}
	}
	return providers.Invalid("messages", "messages: at least one user message with text or media is needed")
}

// askInstructions lets the user ask what stands in instructions alone: OpenAI's models answer
// such a request, and the API takes none without a user's message.
func (l *layout) askInstructions() {
	if len(l.messages) > 0 || len(l.system) == 0 {
		return
	}
	m := message{}
	for _, b := range l.system {
		m.rest = append(m.rest, item{Block: b})
	}
	l.messages, l.system = append(l.messages, m), nil
}

func (w *writer) placeTurn(turn *providers.Turn) error {
	for i := range turn.Blocks {
		b := &turn.Blocks[i]
		var err error
		switch turn.Role {
		case providers.RoleSystem, providers.RoleDeveloper:
			err = w.placeSystem(b)
		case providers.RoleAssistant:
			err = w.placeAssistant(b)
		default:
			err = w.placeUser(b)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) placeSystem(b *providers.Block) error {
	if b.Kind != providers.KindText && b.Kind != providers.KindRefusal {
		return providers.Invalid("messages", "anthropic takes only text in system and developer messages")
	}
	if blank(b.Text) {
		w.blankMark(b)
		return nil
	}
	w.layout.system = append(w.layout.system, b)
	return nil
}

func (w *writer) placeUser(b *providers.Block) error {
	switch b.Kind {
	case providers.KindToolResult:
		return w.placeResult(b)
	case providers.KindText, providers.KindRefusal:
		if blank(b.Text) {
			w.blankMark(b)
			return nil
		}
	case providers.KindImage, providers.KindFile, providers.KindAudio:
	default:
		return providers.Invalid("messages", "a user message cannot hold tool calls or reasoning")
	}
	m, err := w.message(false)
	if err != nil {
		return err
	}
	m.rest = append(m.rest, item{Block: b})
	return nil
}

func (w *writer) placeAssistant(b *providers.Block) error {
	switch b.Kind {
	case providers.KindText, providers.KindRefusal:
		if blank(b.Text) {
			w.blankMark(b)
			return nil
		}
	case providers.KindReasoning:
		if !w.ours(b) {
			return nil
		}
	case providers.KindToolCall:
		if b.Call == nil {
			return nil
		}
		return w.placeCall(b)
	case providers.KindImage:
		// Only users show images here. The talk goes on without one that another model made.
		w.drop("messages.images")
		return nil
	default:
		return providers.Invalid("messages", "anthropic takes only text and tool calls in assistant messages")
	}
	m, err := w.message(true)
	if err != nil {
		return err
	}
	m.rest = append(m.rest, item{Block: b})
	return nil
}

// ours reports whether a reasoning block may go back: only what Anthropic itself sealed, and
// only to a model that knows reasoning.
func (w *writer) ours(b *providers.Block) bool {
	s := b.Seal
	return s != nil && s.Minter == Language && (s.Signature != "" || s.Encrypted != "") && !w.call.Can.NoThinking
}

func (w *writer) placeCall(b *providers.Block) error {
	if err := w.checkCall(b.Call); err != nil {
		return err
	}
	m, err := w.message(true)
	if err != nil {
		return err
	}
	id := w.callID(b.Call.ID)
	m.rest = append(m.rest, item{b, id})
	if m.open == nil {
		m.open = map[string][]int{}
	}
	m.open[b.Call.ID] = append(m.open[b.Call.ID], len(m.calls))
	m.calls = append(m.calls, pending{said: b.Call.ID, id: id})
	return nil
}

// placeResult puts a result into the turn that follows its call. One without a call before it
// is refused as OpenAI refuses it: sent as the user's own words it would speak with the user's
// authority.
func (w *writer) placeResult(b *providers.Block) error {
	if b.Result == nil {
		return nil
	}
	call := w.layout.answer(b.Result.CallID)
	if call == nil {
		return providers.Invalid("messages", fmt.Sprintf(
			"messages with role 'tool' must be a response to a preceding message with 'tool_calls': no open call has the id '%s'", b.Result.CallID))
	}
	id := call.id
	m, err := w.message(false)
	if err != nil {
		return err
	}
	m.results = append(m.results, item{b, id})
	return nil
}

// answer gives the first call of that id without a result, which it has now; nil where there
// is none.
func (l *layout) answer(said string) *pending {
	m := l.asking()
	if m == nil || len(m.open[said]) == 0 {
		return nil
	}
	at := m.open[said][0]
	m.open[said] = m.open[said][1:]
	m.calls[at].answered = true
	return &m.calls[at]
}

// message gives the turn under way of that role. Neighbours of one role are one turn.
func (w *writer) message(assistant bool) (*message, error) {
	l := &w.layout
	if n := len(l.messages); n == 0 || l.messages[n-1].assistant != assistant {
		if assistant {
			if err := l.allAnswered(); err != nil {
				return nil, err
			}
		}
		l.messages = append(l.messages, message{assistant: assistant})
	}
	return &l.messages[len(l.messages)-1], nil
}

// asking gives the last assistant message, whose calls the user's turn behind it answers.
func (l *layout) asking() *message {
	for i := len(l.messages) - 1; i >= 0; i-- {
		if l.messages[i].assistant {
			return &l.messages[i]
		}
	}
	return nil
}

// allAnswered refuses a conversation that leaves a call without its result.
func (l *layout) allAnswered() error {
	m := l.asking()
	if m == nil {
		return nil
	}
	var open []string
	for _, c := range m.calls {
		if !c.answered {
			open = append(open, c.said)
		}
	}
	if len(open) == 0 {
		return nil
	}
	return providers.Invalid("messages", "an assistant message with 'tool_calls' must be followed by tool messages responding to each "+
		"'tool_call_id'. The following tool_call_ids did not have response messages: "+strings.Join(open, ", "))
}

// trimPrefill takes the white space off the end of a last assistant message, which the API
// refuses there.
func (w *writer) trimPrefill() {
	l := &w.layout
	if len(l.messages) == 0 {
		return
	}
	m := &l.messages[len(l.messages)-1]
	if !m.assistant || len(m.rest) == 0 {
		return
	}
	last := &m.rest[len(m.rest)-1]
	if last.Kind != providers.KindText && last.Kind != providers.KindRefusal {
		return
	}
	trimmed := *last.Block
	trimmed.Text = strings.TrimRightFunc(trimmed.Text, unicode.IsSpace)
	last.Block = &trimmed
}

// blank reports a text that the API refuses as empty.
func blank(text string) bool { return strings.TrimSpace(text) == "" }

func (w *writer) blankMark(b *providers.Block) {
	if b.Cache != nil {
		w.drop("cache_control")
	}
}

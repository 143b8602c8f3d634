package providertest

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/aistrale/aistrale/providers"
)

// Requests makes n random requests in normal form: what every language can say, each in one
// way only. System turns come first; turns of user and assistant alternate; an assistant's
// blocks are at most one text and then calls, every call is answered in the turn behind it in
// the same order; texts are not empty and stand alone unless media are beside them. Equal
// seeds give equal requests.
func Requests(seed uint64, n int) []*providers.Request {
	m := &maker{rng: rand.New(rand.NewPCG(seed, 0))}
	out := make([]*providers.Request, n)
	for i := range out {
		out[i] = m.request()
	}
	return out
}

type maker struct {
	rng   *rand.Rand
	calls int
}

func (m *maker) request() *providers.Request {
	r := &providers.Request{}
	m.calls = 0
	if m.chance(2) {
		r.Turns = append(r.Turns, providers.Turn{Role: providers.RoleSystem, Blocks: m.text()})
	}
	m.tools(r)
	for range 1 + m.rng.IntN(4) {
		r.Turns = append(r.Turns, m.user())
		if m.chance(3) {
			r.Turns = append(r.Turns, m.assistant(r.Tools)...)
		}
	}
	if last := r.Turns[len(r.Turns)-1].Role; last == providers.RoleAssistant {
		r.Turns = append(r.Turns, m.user())
	}
	m.sampling(r)
	return r
}

func (m *maker) chance(in int) bool { return m.rng.IntN(in) == 0 }

func (m *maker) words() string {
	words := []string{"alpha", "beta \"quoted\"", "<tag> & more", "ünï 🙂", "line\nbreak", "back\\slash", "\u2028", "tab\t"}
	var b strings.Builder
	for range 1 + m.rng.IntN(5) {
		b.WriteString(words[m.rng.IntN(len(words))])
	}
	return b.String()
}

func (m *maker) text() []providers.Block {
	return []providers.Block{{Kind: providers.KindText, Text: m.words()}}
}

func (m *maker) user() providers.Turn {
	t := providers.Turn{Role: providers.RoleUser, Blocks: m.text()}
	if m.chance(3) {
		t.Blocks = append(t.Blocks, providers.Block{Kind: providers.KindImage, Media: &providers.Media{Type: "image/png", Data: "iVBORw0KGgo="}})
	}
	if m.chance(5) {
		t.Blocks = append(t.Blocks, providers.Block{Kind: providers.KindFile, Media: &providers.Media{Type: "application/pdf", Data: "JVBERi0=", Name: "a.pdf"}})
	}
	return t
}

// assistant answers with a text, with calls and their results, or both.
func (m *maker) assistant(tools []providers.Tool) []providers.Turn {
	turn := providers.Turn{Role: providers.RoleAssistant}
	if len(tools) == 0 || m.chance(2) {
		turn.Blocks = m.text()
	}
	if len(tools) == 0 {
		return []providers.Turn{turn}
	}
	results := providers.Turn{Role: providers.RoleTool}
	for range 1 + m.rng.IntN(3) {
		m.calls++
		id, name := fmt.Sprintf("call_%d", m.calls), tools[m.rng.IntN(len(tools))].Name
		turn.Blocks = append(turn.Blocks, providers.Block{Kind: providers.KindToolCall, Call: &providers.ToolCall{
			ID: id, Name: name, Arguments: fmt.Sprintf(`{"q":%d}`, m.rng.IntN(100)),
		}})
		results.Blocks = append(results.Blocks, providers.Block{Kind: providers.KindToolResult, Result: &providers.ToolResult{
			CallID: id, Name: name, Blocks: m.text(),
		}})
	}
	return []providers.Turn{turn, results}
}

func (m *maker) tools(r *providers.Request) {
	if m.chance(2) {
		return
	}
	for i := range 1 + m.rng.IntN(3) {
		r.Tools = append(r.Tools, providers.Tool{
			Name: fmt.Sprintf("tool_%d", i), Description: m.words(),
			Schema: []byte(`{"type":"object","properties":{"q":{"type":"integer"}},"required":["q"]}`),
		})
	}
	switch m.rng.IntN(5) {
	case 0:
		r.ToolChoice = providers.ToolChoice{Mode: providers.ChoiceAuto}
	case 1:
		r.ToolChoice = providers.ToolChoice{Mode: providers.ChoiceAny}
	case 2:
		r.ToolChoice = providers.ToolChoice{Mode: providers.ChoiceTool, Name: "tool_0"}
	case 3:
		r.ToolChoice = providers.ToolChoice{Mode: providers.ChoiceNone}
	}
}

func (m *maker) sampling(r *providers.Request) {
	if m.chance(2) {
		v := int64(1 + m.rng.IntN(4096))
		r.MaxTokens = &v
	}
	if m.chance(2) {
		v := float64(m.rng.IntN(100)) / 100
		r.Sampling.Temperature = &v
	}
	if m.chance(4) {
		r.Stop = []string{"END", "STOP"}
	}
	if m.chance(5) {
		r.Format = providers.Format{
			Kind: providers.FormatSchema, Name: "out", Schema: []byte(`{"type":"object","properties":{},"additionalProperties":false}`),
		}
	}
}

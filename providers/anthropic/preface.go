package anthropic

import "github.com/aistrale/aistrale/providers"

// preface puts messages before a request's own. Instructions stand in a member of their own, which
// may be one text.
func preface(doc *providers.Document, before []providers.Message) ([]providers.Edit, error) {
	var system, said providers.Texts
	for i := range before {
		m := &before[i]
		switch {
		case m.Instructs():
			system.Add(`{"type":"text","text":`, m.Text, `}`)
		case m.Role == providers.RoleAssistant:
			said.Add(`{"role":"assistant","content":`, m.Text, `}`)
		default:
			said.Add(`{"role":"user","content":`, m.Text, `}`)
		}
	}
	edit, err := said.Before(doc, "messages")
	edits := []providers.Edit{edit}
	if err != nil || len(system) == 0 {
		return edits, err
	}
	if text := doc.Value("system"); len(text) > 0 && text[0] == '"' {
		system = append(append(append(system, `,{"type":"text","text":`...), text...), '}')
		return append(edits, providers.Edit{Name: "system", Value: system.Ahead(nil)}), nil
	}
	edit, err = system.Before(doc, "system")
	return append(edits, edit), err
}

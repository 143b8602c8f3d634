package responses

import "github.com/aistrale/aistrale/providers"

// preface puts messages before a response's own input, which may be one text.
func preface(doc *providers.Document, before []providers.Message) ([]providers.Edit, error) {
	var said providers.Texts
	for i := range before {
		said.Add(`{"role":"`+before[i].Role.String()+`","content":`, before[i].Text, `}`)
	}
	if text := doc.Value("input"); len(text) > 0 && text[0] == '"' {
		said = append(append(append(said, `,{"role":"user","content":`...), text...), '}')
		return []providers.Edit{{Name: "input", Value: said.Ahead(nil)}}, nil
	}
	edit, err := said.Before(doc, "input")
	return []providers.Edit{edit}, err
}

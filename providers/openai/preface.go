package openai

import "github.com/aistrale/aistrale/providers"

// preface puts messages before a chat's own.
func preface(doc *providers.Document, before []providers.Message) ([]providers.Edit, error) {
	var said providers.Texts
	for i := range before {
		said.Add(`{"role":"`+before[i].Role.String()+`","content":`, before[i].Text, `}`)
	}
	edit, err := said.Before(doc, "messages")
	return []providers.Edit{edit}, err
}

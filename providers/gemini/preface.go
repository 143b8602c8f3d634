package gemini

import (
	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// preface puts messages before a request's own contents. Instructions are one content of their own.
func preface(doc *providers.Document, before []providers.Message) ([]providers.Edit, error) {
	var system, said providers.Texts
	for i := range before {
		m := &before[i]
		switch {
		case m.Instructs():
			system.Add(`{"text":`, m.Text, `}`)
		case m.Role == providers.RoleAssistant:
			said.Add(`{"role":"model","parts":[{"text":`, m.Text, `}]}`)
		default:
			said.Add(`{"role":"user","parts":[{"text":`, m.Text, `}]}`)
		}
	}
	edit, err := said.Before(doc, "contents")
	edits := []providers.Edit{edit}
	if err != nil || len(system) == 0 {
		return edits, err
	}
	own, err := member(doc, "systemInstruction")
	if err != nil {
		return nil, err
	}
	parts, err := instructed(&own)
	if err != nil {
		return nil, err
	}
	value := append(append([]byte(`{"parts":`), system.Ahead(parts)...), '}')
	return append(edits, providers.Edit{Name: own.name, Value: value}), nil
}

// instructed gives the parts of a client's own instructions.
func instructed(own *spelt) ([]byte, error) {
	if !own.found() {
		return nil, nil
	}
	parts := gjson.GetBytes(own.value, "parts")
	switch {
	case own.value[0] != '{' || parts.Exists() && !parts.IsArray() && !parts.IsObject():
		return nil, wrong(own.name, "a content")
	case parts.IsObject(): // one part, as the API takes a list of one
		return []byte("[" + parts.Raw + "]"), nil
	}
	return []byte(parts.Raw), nil
}

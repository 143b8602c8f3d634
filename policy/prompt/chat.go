package prompt

import "github.com/aistrale/aistrale/providers"

// Chat says a version that was rendered as what it is good for: the body of a chat completion.
func (v *Version) Chat(messages []providers.Message) []byte {
	var said providers.Texts
	for i := range messages {
		said.Add(`{"role":"`+messages[i].Role.String()+`","content":`, messages[i].Text, `}`)
	}
	b := []byte{'{'}
	if v.Model != "" {
		b = append(providers.AppendString(append(b, `"model":`...), v.Model), ',')
	}
	b = append(append(b, `"messages":`...), said.Ahead(nil)...)
	for i := range v.Parameters.Defaults {
		p := &v.Parameters.Defaults[i]
		b = append(providers.AppendString(append(b, ','), p.Name), ':')
		b = append(b, p.Value...)
	}
	return append(b, '}')
}

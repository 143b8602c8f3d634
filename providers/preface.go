package providers

import "bytes"

// Message is one text that a stored prompt says before all that the client says itself.
type Message struct {
	Role Role // system, developer, user or assistant
	Text string
}

// Instructs reports whether the message is no part of the dialogue but stands above it.
func (m *Message) Instructs() bool { return m.Role == RoleSystem || m.Role == RoleDeveloper }

// Preface gives the edits that put messages before what a body says, in the body's language. A
// member that is of the wrong type for that is a *Fault.
type Preface func(doc *Document, before []Message) ([]Edit, error)

// Texts are JSON objects that say one text each, on their way into an array.
type Texts []byte

// Add says one more: head, the text as a string, tail.
func (t *Texts) Add(head, text, tail string) {
	if len(*t) > 0 {
		*t = append(*t, ',')
	}
	*t = append(AppendString(append(*t, head...), text), tail...)
}

// Before gives the edit that puts the texts before the elements of a top-level array, which may be
// missing.
func (t Texts) Before(doc *Document, name string) (Edit, error) {
	own := doc.Value(name)
	if !isNull(own) && own[0] != '[' {
		return Edit{}, wrongType(name, "an array", own)
	}
	return Edit{Name: name, Value: t.Ahead(own)}, nil
}

// Ahead gives an array of the texts and then of the elements of another one; nil and null have none.
func (t Texts) Ahead(own []byte) []byte {
	array := append([]byte{'['}, t...)
	if isNull(own) {
		return append(array, ']')
	}
	rest := bytes.TrimLeft(own[1:], " \t\r\n")
	if len(t) > 0 && rest[0] != ']' {
		array = append(array, ',')
	}
	return append(array, rest...)
}

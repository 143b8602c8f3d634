package storage

// Redacted is what a Secret prints.
const Redacted = "[redacted]"

// Secret is a credential in memory. Every way of printing it gives "[redacted]"; Reveal is the
// one way to its text, so a search for Reveal finds every use. The text is behind a pointer,
// because fmt asks no method of an unexported field: it then prints an address.
type Secret struct{ text *string }

// NewSecret wraps a credential.
func NewSecret(text string) Secret { return Secret{&text} }

// Reveal gives the text, to be put on the wire or sealed, and nowhere else.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// Empty reports whether there is no secret.
func (s Secret) Empty() bool { return s.text == nil || *s.text == "" }

// String implements fmt.Stringer.
func (Secret) String() string { return Redacted }

// GoString implements fmt.GoStringer, which %#v asks.
func (Secret) GoString() string { return Redacted }

// MarshalText keeps secrets out of JSON, YAML and slog.
func (Secret) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

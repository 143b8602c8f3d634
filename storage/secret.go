package storage

import (
	"errors"
	"fmt"
	"strings"
)

// MaxSecret bounds a provider's credential in bytes.
const MaxSecret = 64 << 10

// ReadSecret takes a provider's credential as a person gives it: visible ASCII only, which is what
// may stand in a header, as a line break inside would write further headers. White space around it
// is left out. Its errors say nothing of the text.
func ReadSecret(text string) (Secret, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return Secret{}, errors.New("the secret is empty")
	}
	if len(text) > MaxSecret {
		return Secret{}, fmt.Errorf("the secret is longer than %d bytes", MaxSecret)
	}
	for i := range len(text) {
		if text[i] <= ' ' || text[i] >= 0x7f {
			return Secret{}, errors.New("the secret has a space, a line break or another character that cannot stand in a header")
		}
	}
	return NewSecret(text), nil
}

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

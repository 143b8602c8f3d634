package proxy

import (
	"bytes"
	"errors"
	"strings"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// shortSecret is the length, in bytes, below which a credential is a placeholder ("mock", "any")
// and may be a word of any message.
const shortSecret = 8

// mask takes the credential out of a fault made of an upstream's words: providers quote a key
// that they refuse. It reports whether it was there. Only a fault is looked through; an answer
// is the provider's own bytes.
func mask(out *providers.Fault, secret storage.Secret) (found bool) {
	text := secret.Reveal()
	if out == nil || len(text) < shortSecret {
		return false
	}
	for _, s := range []*string{&out.Message, &out.Type, &out.Code, &out.Param} {
		if strings.Contains(*s, text) {
			*s, found = strings.ReplaceAll(*s, text, storage.Redacted), true
		}
	}
	if quotes(out.Body, secret) {
		out.Language, out.Body, found = "", nil, true // the face then says the message in its own words
	}
	if out.Cause != nil && strings.Contains(out.Cause.Error(), text) {
		out.Cause, found = errors.New(strings.ReplaceAll(out.Cause.Error(), text, storage.Redacted)), true
	}
	return found
}

// maskError is mask for an error that may be a fault.
func maskError(err error, secret storage.Secret) {
	if err == nil {
		return // before anything is made to look into it
	}
	var out *providers.Fault
	if errors.As(err, &out) {
		mask(out, secret)
	}
}

// quotes reports whether JSON holds the credential. Some encoders escape the slash, which is a
// character of base64.
func quotes(body []byte, secret storage.Secret) bool {
	text := []byte(secret.Reveal())
	if len(text) < shortSecret {
		return false
	}
	return bytes.Contains(body, text) || bytes.Contains(bytes.ReplaceAll(body, []byte(`\/`), []byte(`/`)), text)
}

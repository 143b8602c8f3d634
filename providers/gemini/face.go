package gemini

import "github.com/aistrale/aistrale/providers"

// Face speaks generateContent with clients.
type Face struct{}

var _ providers.Face = Face{}

// Language implements providers.Face.
func (Face) Language() string { return Language }

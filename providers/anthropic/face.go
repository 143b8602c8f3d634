package anthropic

import "github.com/aistrale/aistrale/providers"

// Face speaks the Messages API with clients.
type Face struct{}

var _ providers.Face = Face{}

// Language implements providers.Face.
func (Face) Language() string { return Language }

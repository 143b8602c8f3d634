// Package openai speaks OpenAI's Chat Completions, Completions and Embeddings, as a face to
// clients and as a dialect to every upstream that took the language over. It must never open a
// connection, hold a key or read a clock.
//
// Source: https://github.com/openai/openai-openapi (CreateChatCompletionRequest and the
// objects of its replies); fields of OpenRouter, Groq, HuggingFace and of Google's and
// Anthropic's compatible endpoints are named where they are read.
package openai

import "github.com/aistrale/aistrale/providers"

// Language is the wire format's name.
const Language = "openai"

// Face speaks Chat Completions with clients.
type Face struct{}

// Dialect speaks Chat Completions, Completions and Embeddings with upstreams.
type Dialect struct{}

var (
	_ providers.Face = Face{}
)

var _ providers.Dialect = Dialect{}

// Language implements providers.Face.
func (Face) Language() string { return Language }

// Package responses speaks OpenAI's Responses API, as a face to clients and as a dialect to the
// upstreams that have it. It must never open a connection, hold a key or read a clock; turns
// that the gateway keeps are handed to it as bytes.
//
// Source: https://github.com/openai/openai-openapi (CreateResponse, Response, the items and
// the ResponseStreamEvent objects).
package responses

import (
	"slices"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/openai"
)

// Language is the wire format's name.
const Language = "responses"

// Face speaks Responses with clients.
type Face struct{}

// Dialect speaks Responses with upstreams.
type Dialect struct{}

var (
	_ providers.Face    = Face{}
	_ providers.Dialect = Dialect{}
)

// Language implements providers.Face.
func (Face) Language() string { return Language }

// Refuse implements providers.Face. Errors have one form in all of OpenAI's APIs.
func (Face) Refuse(f *providers.Fault) (status int, body []byte) { return openai.Face{}.Refuse(f) }

// Fault implements providers.Dialect.
func (Dialect) Fault(status int, header func(name string) string, body []byte) *providers.Fault {
	return openai.Dialect{}.Fault(status, header, body)
}

// Endpoints are the language's paths, which stand on OpenAI's surface.
func Endpoints() []providers.Endpoint {
	return slices.Concat(storedEndpoints(), conversationEndpoints(), []providers.Endpoint{
		{Path: "/v1/responses/input_tokens", Op: providers.OpCountTokens, Face: counting{}, Ask: ask, Words: countWords(), Turns: turns(false), Preface: preface},
		{Path: "/v1/responses", Op: providers.OpChat, Face: Face{}, Ask: ask, Words: parameters(), Turns: turns(true), Preface: preface, Stored: &providers.Stored{
			// Kept by OpenAI unless the client says otherwise.
			Makes: append(told(), providers.Made{ID: "id", Kind: providers.ObjectResponse, Events: []string{"response"}, Unless: "store"}),
			Marks: marks(),
		}},
	})
}

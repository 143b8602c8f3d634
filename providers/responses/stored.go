package responses

import (
	"net/http"

	"github.com/aistrale/aistrale/providers"
)

// storedEndpoints are those of responses that were made and kept before.
// Source: https://platform.openai.com/docs/api-reference/responses
func storedEndpoints() []providers.Endpoint {
	at := func(method, tail string, s providers.Stored) providers.Endpoint {
		s.Path, s.Names = "/{response}"+tail, []string{"response"}
		return providers.Endpoint{Method: method, Path: "/v1/responses/{response}" + tail, Op: providers.OpStoredResponses, Face: Face{}, Stored: &s}
	}
	return []providers.Endpoint{
		at(http.MethodGet, "", providers.Stored{Streams: true}),
		at(http.MethodDelete, "", providers.Stored{Deletes: true}),
		at(http.MethodPost, "/cancel", providers.Stored{}),
		at(http.MethodGet, "/input_items", providers.Stored{}),
	}
}

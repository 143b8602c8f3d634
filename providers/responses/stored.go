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
		at(http.MethodGet, "", providers.Stored{Streams: true, Makes: containers(), Marks: containerMarks()}),
		at(http.MethodDelete, "", providers.Stored{Deletes: true}),
		at(http.MethodPost, "/cancel", providers.Stored{}),
		at(http.MethodGet, "/input_items", providers.Stored{}),
	}
}

// containers are those that a response has made by itself, for code or a shell to run in, as its
// items tell of them, and its citations of files in them.
func containers() []providers.Made {
	made := func(id string, events ...string) providers.Made {
		return providers.Made{ID: id, Kind: providers.ObjectContainer, Events: events}
	}
	return []providers.Made{
		made("output.#.container_id", "response"),
		made("output.#.environment.container_id", "response"),
		made("output.#.content.#.annotations.#.container_id", "response"),
		made("container_id", "item", "annotation"),
		made("environment.container_id", "item"),
		made("content.#.annotations.#.container_id", "item"),
		made("annotations.#.container_id", "part"),
	}
}

func containerMarks() []string { return []string{`"container_id"`} }

package responses

import (
	"net/http"

	"github.com/aistrale/aistrale/providers"
)

// storedEndpoints are those of responses that were made and kept before.
// Source: https://platform.openai.com/docs/api-reference/responses
func storedEndpoints() []providers.Endpoint {
	at := func(method, tail string, s providers.Stored, act providers.TurnAct, answer func(*providers.TurnCall) (providers.TurnReply, error)) providers.Endpoint {
		s.Path, s.Names, s.Held = "/{response}"+tail, []string{"response"}, &providers.Held{Act: act, Kind: providers.ObjectResponse, Answer: answer}
		return providers.Endpoint{Method: method, Path: "/v1/responses/{response}" + tail, Op: providers.OpStoredResponses, Face: Face{}, Stored: &s}
	}
	return []providers.Endpoint{
		at(http.MethodGet, "", providers.Stored{Streams: true, Makes: told(), Marks: marks()}, providers.TurnShow, showResponse),
		at(http.MethodDelete, "", providers.Stored{Deletes: true}, providers.TurnRemove, removeResponse),
		at(http.MethodPost, "/cancel", providers.Stored{Makes: told()}, providers.TurnShow, cancelResponse),
		at(http.MethodGet, "/input_items", providers.Stored{Paging: paging(), Makes: itemsOf("{response}")}, providers.TurnShow, listInput),
	}
}

// told are the objects that a response tells of: its items, and what it has made by itself.
func told() []providers.Made {
	return append(containers(), providers.Made{ID: "output.#.id", Kind: providers.ObjectItem, Parent: itemParent, Events: []string{"response"}, Unless: "store"})
}

// itemParent leads from a response to what its items go away with: its conversation, else itself.
const itemParent = "[conversation.id,id].0"

// itemsOf are those of a list, which go away with an object of the path.
func itemsOf(parent string) []providers.Made {
	return []providers.Made{{ID: "data.#.id", Kind: providers.ObjectItem, Parent: parent}}
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

// marks are of events that tell of a container, and of those that show the response as it is by
// then: the last one has all of its items.
func marks() []string { return []string{`"container_id"`, `"output"`} }

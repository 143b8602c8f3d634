package anthropic

import (
	"slices"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

const (
	prefix   = "/anthropic"
	messages = "/v1/messages"
	batches  = messages + "/batches"
)

// batchEndpoints are those of Message Batches. What one costs stands in its results.
func batchEndpoints() []providers.Endpoint {
	tells := providers.Stored{
		Batch: batch(), Makes: []providers.Made{{ID: "id", Kind: providers.ObjectBatch, Owed: true}},
		Links: []providers.Link{{Field: "results_url", Path: prefix + batches + "/{id}/results"}},
	}
	begins := tells
	begins.Costs = true
	all := lists(providers.ObjectBatch)
	all.Makes, all.Batch, all.Links = tells.Makes, tells.Batch, tells.Links
	at := func(method, tail string, s providers.Stored) providers.Endpoint {
		return about(providers.OpBatches, method, batches, tail, s)
	}
	return []providers.Endpoint{
		at(get, "", all), at(post, "", begins),
		at(get, "/{batch}", tells),
		at(del, "/{batch}", providers.Stored{Deletes: true}),
		at(post, "/{batch}/cancel", tells),
		at(get, "/{batch}/results", providers.Bytes()),
	}
}

// batch says how Message Batches are read.
// Source: https://docs.claude.com/en/docs/build-with-claude/batch-processing
func batch() *providers.Batch {
	return &providers.Batch{
		Input: "requests", Inline: true, Show: batches + "/{id}", Content: batches + "/{id}/results",
		Call: batchCall, State: batchState, Result: batchResult,
	}
}

// batchCall reads a request of a batch strictly: what two readers could take differently is refused.
func batchCall(request []byte) (path string, body []byte, err error) {
	var doc providers.Document
	if err := doc.Scan(request, nil); err != nil {
		return "", nil, err
	}
	if body = doc.Value("params"); len(body) == 0 || body[0] != '{' {
		return "", nil, providers.Invalid("params", "A request of a batch must have params, a JSON object.")
	}
	return prefix + messages, body, nil
}

func batchState(batch []byte) (ended bool, results []string) {
	state := gjson.ParseBytes(batch)
	if state.Get("results_url").String() != "" {
		results = []string{state.Get("id").String()}
	}
	return state.Get("processing_status").String() == "ended", results
}

func batchResult(line []byte) []byte {
	result := gjson.GetBytes(line, "result")
	message := result.Get("message")
	if result.Get("type").String() != "succeeded" || !message.IsObject() {
		return nil
	}
	return slices.Clone([]byte(message.Raw))
}

package openai

import (
	"slices"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// batch says how OpenAI's batches are read.
// Source: https://platform.openai.com/docs/api-reference/batch
func batch() *providers.Batch {
	return &providers.Batch{
		Input: "input_file_id", Show: "/batches/{id}", Content: "/files/{id}/content",
		Call: batchCall, State: batchState, Result: batchResult, Spoken: batchSpoken,
	}
}

// batchCall reads a line of calls strictly: what two readers could take differently is refused.
func batchCall(line []byte) (path string, body []byte, err error) {
	var doc providers.Document
	if err := doc.Scan(line, nil); err != nil {
		return "", nil, err
	}
	method, _, err := doc.String("method")
	if err != nil {
		return "", nil, err
	}
	if method != "POST" {
		return "", nil, providers.Invalid("method", "The method of a call in a batch must be POST.")
	}
	if path, _, err = doc.String("url"); err != nil {
		return "", nil, err
	}
	if body = doc.Value("body"); len(body) == 0 || body[0] != '{' {
		return "", nil, providers.Invalid("body", "A call in a batch must have a body, a JSON object.")
	}
	return path, body, nil
}

func batchState(batch []byte) (ended bool, results []string) {
	switch gjson.GetBytes(batch, "status").String() {
	case "completed", "expired", "cancelled", "failed":
		ended = true
	}
	if id := gjson.GetBytes(batch, "output_file_id").String(); id != "" {
		results = append(results, id)
	}
	return ended, results
}

func batchResult(line []byte) []byte {
	answer := gjson.GetBytes(line, "response")
	body := answer.Get("body")
	if status := answer.Get("status_code").Int(); status < 200 || status > 299 || !body.IsObject() {
		return nil
	}
	return slices.Clone([]byte(body.Raw))
}

// batchSpoken tells Responses from the other replies, which are of this language.
func batchSpoken(reply []byte) string {
	if gjson.GetBytes(reply, "object").Str == "response" {
		return "responses"
	}
	return Language
}

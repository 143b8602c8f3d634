package gemini_test

import (
	"testing"

	"github.com/aistrale/aistrale/providers"
)

// Google's clients get vectors of a provider of OpenAI's embeddings, one or a batch, each in its
// own place.
func TestEmbeddings_FromOpenAI(t *testing.T) {
	pair := endpoint(t, "/v1beta/models/{model}:embedContent").Pairs["openai"]
	f := func(request, sent, reply, want string) {
		t.Helper()
		var doc providers.Document
		if err := doc.Scan([]byte(request), nil); err != nil {
			t.Fatal(err)
		}
		call := providers.Call{Op: providers.OpEmbeddings, Doc: &doc, Model: "text-embedding-3-small"}
		plan, err := pair.Write(&call)
		if err != nil {
			if err.Error() != want {
				t.Errorf("refused with %q, want %q", err, want)
			}
			return
		}
		if got := string(plan.Requests[0].Body); got != sent {
			t.Errorf("sent %s\nwant %s", got, sent)
		}
		said, err := pair.Read(&call, [][]byte{[]byte(reply)})
		switch {
		case err != nil && err.Error() != want:
			t.Errorf("read %v", err)
		case err == nil && (string(said.Body) != want || said.Usage.Total().Input() != 5):
			t.Errorf("read %s\nwant %s\n%+v", said.Body, want, said.Usage)
		}
	}
	f(`{"model":"models/openai/text-embedding-3-small","content":{"parts":[{"text":"a"},{"text":"b"}]},"output_dimensionality":2,"taskType":"CLUSTERING"}`,
		`{"model":"text-embedding-3-small","input":["ab"],"dimensions":2}`,
		`{"data":[{"index":0,"embedding":[0.1, -2]}],"usage":{"prompt_tokens":5,"total_tokens":5}}`,
		`{"embedding":{"values":[0.1, -2]},"usageMetadata":{"promptTokenCount":5}}`)
	batch := `{"requests":[{"content":{"parts":[{"text":"a"}]}},{"content":{"parts":[{"text":"b"}]}}]}`
	f(batch, `{"model":"text-embedding-3-small","input":["a","b"]}`,
		`{"data":[{"index":1,"embedding":[2]},{"index":0,"embedding":[1]}],"usage":{"prompt_tokens":5}}`,
		`{"embeddings":[{"values":[1]},{"values":[2]}],"usageMetadata":{"promptTokenCount":5}}`)
	f(batch, `{"model":"text-embedding-3-small","input":["a","b"]}`,
		`{"data":[{"index":1,"embedding":[2]}]}`, `the upstream's reply is incomplete: gemini: no embedding of text 0`)
	f(`{"requests":[{"outputDimensionality":2},{"outputDimensionality":3}]}`, "", "",
		"Invalid value at 'requests[1].outputDimensionality': this model's provider makes all vectors of a request of one size.")
	f(`{"requests":[]}`, "", "", "BatchEmbedContentsRequest.requests: requests is not specified")
	f(`{"content":{"parts":[{"inlineData":{"mimeType":"image/png","data":"AAAA"}}]}}`, "", "",
		"Invalid value at 'content.parts': expected text, as this model takes nothing else.")
}

package bedrock_test

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/bedrock"
	"github.com/aistrale/aistrale/providers/gemini"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/providers/providertest"
)

func TestGoldenPair(t *testing.T) {
	providertest.GoldenPair(t, "pairs/titan", openai.Face{}, bedrock.Dialect{}, bedrock.Titan())
	providertest.GoldenPair(t, "pairs/cohere", openai.Face{}, bedrock.Dialect{}, bedrock.Cohere())
}

// Whatever the upstream says, it is a list of as many vectors as there are texts, or a fault.
func FuzzEmbeddings(f *testing.F) {
	for _, reply := range []string{
		`{"embedding":[0.5],"inputTextTokenCount":3}`, `{"embeddings":[[0.5]]}`, `{"embeddings":{"float":[[0.5]]}}`,
		`{"embeddings":{"float":[[0.5],[1]]}}`, `{"embedding":[]}`, `{"embeddings":[["a"]]}`, `{`, `[]`, `null`,
	} {
		f.Add([]byte(reply))
	}
	var doc providers.Document
	if err := doc.Scan([]byte(`{"model":"m","input":"one"}`), nil); err != nil {
		f.Fatal(err)
	}
	call := providers.Call{Op: providers.OpEmbeddings, Doc: &doc, Asked: "m"}
	f.Fuzz(func(t *testing.T, reply []byte) {
		for _, pair := range []*providers.Pair{bedrock.Titan(), bedrock.Cohere(), gemini.Predict(), gemini.EmbedContent()} {
			said, err := pair.Read(&call, [][]byte{reply})
			if err == nil && (!jsontext.Value(said.Body).IsValid() || len(gjson.GetBytes(said.Body, "data.0.embedding").Array()) == 0) {
				t.Errorf("%q is %s", reply, said.Body)
			}
		}
	})
}

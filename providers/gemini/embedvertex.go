package gemini

import (
	"strings"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// How Google's cloud makes embeddings: older models by predict, which takes several texts, newer
// ones by embedContent, which takes one.
//
// Source: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api
const (
	predictMax   = 250
	predictBytes = 20_000 // it takes as many tokens, and a token has a byte at least
)

// Predict serves OpenAI's embeddings by predict.
func Predict() *providers.Pair {
	return (&embedAPI{most: predictMax, size: predictBytes, single: "gemini-embedding", write: (*embedding).predict, read: readPredictions}).pair()
}

// EmbedContent serves OpenAI's embeddings by the cloud's embedContent.
func EmbedContent() *providers.Pair {
	return (&embedAPI{most: 1, write: (*embedding).embedContent, read: readEmbedded}).pair()
}

func (e *embedding) predict(texts []string) []byte {
	var w body
	w.open('{')
	w.key("instances")
	w.open('[')
	for _, text := range texts {
		w.open('{')
		w.field("content", text)
		if e.task != "" {
			w.field("task_type", e.task)
		}
		if e.title != "" {
			w.field("title", e.title)
		}
		w.shut('}')
	}
	w.shut(']')
	if e.dimensions > 0 {
		w.key("parameters")
		w.open('{')
		w.rawField("outputDimensionality", number(e.dimensions))
		w.shut('}')
	}
	w.shut('}')
	return w.b
}

func (e *embedding) embedContent(texts []string) []byte {
	var w body
	w.open('{')
	w.content(strings.Join(texts, "")) // one text
	if e.task != "" || e.title != "" || e.dimensions > 0 {
		w.key("embedContentConfig")
		w.open('{')
		e.options(&w)
		w.shut('}')
	}
	w.shut('}')
	return w.b
}

// readPredictions reads the vectors and the tokens that each of them counts.
func readPredictions(v gjson.Result) (vectors []gjson.Result, tokens int64, counted bool) {
	counted = true
	for _, p := range v.Get("predictions").Array() {
		n := p.Get("embeddings.statistics.token_count")
		vectors, tokens, counted = append(vectors, p.Get("embeddings.values")), tokens+n.Int(), counted && n.Exists()
	}
	return vectors, tokens, counted
}

func readEmbedded(v gjson.Result) (vectors []gjson.Result, tokens int64, counted bool) {
	n := v.Get("usageMetadata.promptTokenCount")
	return []gjson.Result{v.Get("embedding.values")}, n.Int(), n.Exists()
}

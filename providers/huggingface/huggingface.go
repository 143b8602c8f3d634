// Package huggingface speaks tasks of Hugging Face's own inference, which stands beside its
// OpenAI-compatible router: feature extraction, text to image and speech recognition. It must
// never open a connection or hold a key.
//
// Source: https://huggingface.co/docs/inference-providers/tasks/feature-extraction
package huggingface

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/embeddings"
)

// FeatureExtraction serves OpenAI's embeddings by POST …/pipeline/feature-extraction.
func FeatureExtraction() *providers.Pair {
	return &providers.Pair{Client: "openai", Write: write, Read: read}
}

// write says the texts. The task's own switches (normalize, truncate, prompt_name,
// truncation_direction) may stand in the client's body too.
func write(call *providers.Call) (providers.Plan, error) {
	asked, err := embeddings.Read(call.Doc)
	if err != nil {
		return providers.Plan{}, err
	}
	if asked.Dimensions > 0 {
		return providers.Plan{}, providers.Invalid("dimensions", "this model's provider makes vectors of the model's own size only")
	}
	body := append([]byte(nil), `{"inputs":[`...)
	for i, text := range asked.Inputs {
		if i > 0 {
			body = append(body, ',')
		}
		body = providers.AppendString(body, text)
	}
	body = append(body, ']')
	if body, err = switches(body, call.Doc); err != nil {
		return providers.Plan{}, err
	}
	return providers.Plan{
		Requests: call.One(providers.UpstreamRequest{Path: call.Path, Body: append(body, '}')}),
		Dropped:  embeddings.Dropped(call.Doc, "normalize", "truncate", "prompt_name", "truncation_direction"),
	}, nil
}

func switches(body []byte, doc *providers.Document) ([]byte, error) {
	for _, name := range []string{"normalize", "truncate"} {
		on, said, err := doc.Bool(name)
		if err != nil {
			return nil, err
		}
		if said {
			body = append(providers.AppendString(append(body, ','), name), ':')
			body = strconv.AppendBool(body, on)
		}
	}
	for _, name := range []string{"prompt_name", "truncation_direction"} {
		word, said, err := doc.String(name)
		if err != nil {
			return nil, err
		}
		if said {
			body = append(providers.AppendString(append(body, ','), name), ':')
			body = providers.AppendString(body, word)
		}
	}
	return body, nil
}

func read(call *providers.Call, replies [][]byte) (providers.PairReply, error) {
	asked, err := embeddings.Read(call.Doc)
	if err != nil {
		return providers.PairReply{}, err
	}
	var vectors [][]float64
	for _, reply := range replies {
		if !providers.ValidJSON(reply) {
			return providers.PairReply{}, broken("the reply is not valid JSON")
		}
		v := gjson.ParseBytes(reply)
		if message := v.Get("error"); v.IsObject() && message.Type == gjson.String {
			return providers.PairReply{}, &providers.Fault{Kind: providers.FaultUpstream, Message: message.Str, Retryable: true}
		}
		if vectors, err = appendVectors(vectors, v); err != nil {
			return providers.PairReply{}, err
		}
	}
	if len(vectors) != len(asked.Inputs) {
		return providers.PairReply{}, broken(fmt.Sprintf("%d embeddings for %d texts", len(vectors), len(asked.Inputs)))
	}
	usage := embeddings.Estimate(asked.Inputs) // the task counts nothing
	return providers.PairReply{Body: asked.Append(nil, call.Asked, vectors, &usage), Usage: usage}, nil
}

// appendVectors reads a reply: a vector for each text, or one for each of a text's tokens, or a
// bare vector for a single text.
func appendVectors(vectors [][]float64, v gjson.Result) ([][]float64, error) {
	if vector, ok := embeddings.Numbers(v); ok {
		return append(vectors, vector), nil
	}
	if !v.IsArray() {
		return nil, broken("the reply is no array")
	}
	for _, item := range v.Array() {
		vector, ok := embeddings.Numbers(item)
		if !ok {
			if vector, ok = mean(item); !ok {
				return nil, broken("an embedding is no list of numbers")
			}
		}
		vectors = append(vectors, vector)
	}
	return vectors, nil
}

// mean pools the vectors of a text's tokens.
func mean(tokens gjson.Result) ([]float64, bool) {
	// Some models wrap each text in a list of one more level.
	if list := tokens.Array(); len(list) == 1 && list[0].Get("0").IsArray() {
		return mean(list[0])
	}
	var sum []float64
	n, good := 0, true
	tokens.ForEach(func(_, token gjson.Result) bool {
		vector, ok := embeddings.Numbers(token)
		if good = ok && (sum == nil || len(vector) == len(sum)); !good {
			return false
		}
		if sum == nil {
			sum = make([]float64, len(vector))
		}
		for i, x := range vector {
			sum[i] += x
		}
		n++
		return true
	})
	if !good || n == 0 {
		return nil, false
	}
	for i := range sum {
		sum[i] /= float64(n)
	}
	return sum, true
}

func appendInt(body []byte, name string, n int64) []byte {
	return strconv.AppendInt(append(providers.AppendString(append(body, ','), name), ':'), n, 10)
}

func broken(cause string) *providers.Fault {
	return &providers.Fault{
		Kind: providers.FaultUpstream, Message: "the upstream's reply cannot be read", Retryable: true,
		Cause: errors.New("huggingface: " + cause),
	}
}

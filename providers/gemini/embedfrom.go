package gemini

import (
	"errors"
	"fmt"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// openAIEmbeddings serves embedContent and batchEmbedContents by a provider of OpenAI's embeddings.
// Source: https://ai.google.dev/api/embeddings and https://platform.openai.com/docs/api-reference/embeddings
func openAIEmbeddings() *providers.Pair {
	return &providers.Pair{Client: Language, Write: writeOpenAI, Read: readOpenAI}
}

// texts are what a client wants vectors of.
type texts struct {
	batch      bool // asked for by batchEmbedContents
	inputs     []string
	dimensions int64 // 0 where not said
	dropped    []string
}

func readTexts(doc *providers.Document) (*texts, error) {
	t := &texts{}
	at, err := member(doc, "requests")
	if err != nil {
		return nil, err
	}
	root := gjson.ParseBytes(doc.Raw)
	if t.batch = at.found(); !t.batch {
		return t, object(root, "", t.one())
	}
	err = list(gjson.ParseBytes(at.value), "requests", func(path string, v gjson.Result) error {
		return object(v, path, t.one())
	})
	if err == nil && len(t.inputs) == 0 {
		err = providers.Invalid("requests", "BatchEmbedContentsRequest.requests: requests is not specified")
	}
	return t, err
}

// one reads the members of one request.
func (t *texts) one() func(name, path string, v gjson.Result) error {
	t.inputs = append(t.inputs, "")
	mine := len(t.inputs) - 1
	return func(name, path string, v gjson.Result) error {
		switch name {
		case "model":
		case "content":
			r := reader{req: &providers.Request{}}
			_, parts, err := r.content(v, path)
			for i := range parts {
				if parts[i].Kind != providers.KindText {
					return wrong(path+".parts", "text, as this model takes nothing else")
				}
				t.inputs[mine] += parts[i].Text
			}
			return err
		case "outputDimensionality":
			n, err := integer(v, path)
			if mine > 0 && n != t.dimensions {
				return providers.Invalid(path, fmt.Sprintf("Invalid value at '%s': this model's provider makes all vectors of a request of one size.", path))
			}
			t.dimensions = n
			return err
		default:
			t.dropped = providers.AddDropped(t.dropped, unnumbered(path))
		}
		return nil
	}
}

func writeOpenAI(call *providers.Call) (providers.Plan, error) {
	t, err := readTexts(call.Doc)
	if err != nil {
		return providers.Plan{}, err
	}
	var w body
	w.open('{')
	w.field("model", call.Model)
	w.rawField("input", quotedList(t.inputs))
	if t.dimensions > 0 {
		w.rawField("dimensions", number(t.dimensions))
	}
	w.shut('}')
	return providers.Plan{Requests: call.One(providers.UpstreamRequest{Path: call.Path, Body: w.b}), Dropped: t.dropped}, nil
}

func readOpenAI(call *providers.Call, replies [][]byte) (providers.PairReply, error) {
	t, err := readTexts(call.Doc)
	if err != nil {
		return providers.PairReply{}, err
	}
	if len(replies) != 1 || !providers.ValidJSON(replies[0]) {
		return providers.PairReply{}, broken("the upstream's reply cannot be read", errors.New("gemini: the embeddings are not valid JSON"))
	}
	root := gjson.ParseBytes(replies[0])
	vectors := make([]string, len(t.inputs))
	for i, one := range root.Get("data").Array() {
		at := i
		if index := one.Get("index"); index.Exists() {
			at = int(index.Int())
		}
		if vector := one.Get("embedding"); vector.IsArray() && at >= 0 && at < len(vectors) {
			vectors[at] = vector.Raw
		}
	}
	var w body
	w.open('{')
	if t.batch {
		w.key("embeddings")
		w.open('[')
	} else {
		w.key("embedding")
	}
	for i, vector := range vectors {
		if vector == "" {
			return providers.PairReply{}, broken("the upstream's reply is incomplete", fmt.Errorf("gemini: no embedding of text %d", i))
		}
		w.open('{')
		w.rawField("values", []byte(vector))
		w.shut('}')
	}
	if t.batch {
		w.shut(']')
	}
	var usage providers.Usage
	if used := root.Get("usage"); used.Get("prompt_tokens").Exists() {
		var line providers.UsageLine
		line.Set(providers.InputTotal, used.Get("prompt_tokens").Int())
		usage = providers.Usage{Lines: []providers.UsageLine{line}, Raw: []byte(used.Raw)}
		w.key("usageMetadata")
		w.open('{')
		w.rawField("promptTokenCount", number(used.Get("prompt_tokens").Int()))
		w.shut('}')
	}
	w.shut('}')
	return providers.PairReply{Body: w.b, Usage: usage}, nil
}

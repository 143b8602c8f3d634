package bedrock

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/embeddings"
)

// Models that make embeddings have languages of their makers' own, beside Converse.
//
// Sources: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html
// and model-parameters-embed.html, model-parameters-embed-v4.html.

// embedder is one maker's language.
type embedder struct {
	most  int // texts in one request
	known []string
	write func(asked *embeddings.Request, doc *providers.Document, texts []string) ([]byte, error)
	// read gives a reply's vectors, and its tokens where it counts them.
	read func(v gjson.Result) (vectors []gjson.Result, tokens gjson.Result)
}

// Titan serves OpenAI's embeddings by Amazon's models, one text in each request.
func Titan() *providers.Pair {
	return (&embedder{most: 1, known: []string{"normalize"}, write: writeTitan, read: readTitan}).pair()
}

// Cohere serves OpenAI's embeddings by Cohere's models.
func Cohere() *providers.Pair {
	return (&embedder{most: 96, known: []string{"input_type", "truncate"}, write: writeCohere, read: readCohere}).pair()
}

func (e *embedder) pair() *providers.Pair {
	return &providers.Pair{Client: "openai", Write: e.ask, Read: e.answer}
}

func (e *embedder) ask(call *providers.Call) (providers.Plan, error) {
	asked, err := embeddings.Read(call.Doc)
	if err != nil {
		return providers.Plan{}, err
	}
	plan := providers.Plan{Dropped: embeddings.Dropped(call.Doc, e.known...)}
	for texts := asked.Inputs; len(texts) > 0; {
		n := min(e.most, len(texts))
		body, err := e.write(asked, call.Doc, texts[:n])
		if err != nil {
			return providers.Plan{}, err
		}
		plan.Requests = append(plan.Requests, providers.UpstreamRequest{Path: call.Path, Body: body})
		texts = texts[n:]
	}
	return plan, nil
}

func (e *embedder) answer(call *providers.Call, replies [][]byte) (providers.PairReply, error) {
	asked, err := embeddings.Read(call.Doc)
	if err != nil {
		return providers.PairReply{}, err
	}
	var vectors [][]float64
	total, counted := int64(0), true
	for _, reply := range replies {
		if !providers.ValidJSON(reply) {
			return providers.PairReply{}, unread(errors.New("the embeddings are not JSON"))
		}
		list, tokens := e.read(gjson.ParseBytes(reply))
		for _, values := range list {
			vector, ok := embeddings.Numbers(values)
			if !ok {
				return providers.PairReply{}, unread(errors.New("an embedding is no list of numbers"))
			}
			vectors = append(vectors, vector)
		}
		total, counted = total+tokens.Int(), counted && tokens.Exists()
	}
	if len(vectors) != len(asked.Inputs) {
		return providers.PairReply{}, unread(fmt.Errorf("%d embeddings for %d texts", len(vectors), len(asked.Inputs)))
	}
	usage := embeddings.Estimate(asked.Inputs)
	if counted {
		var line providers.UsageLine
		line.Set(providers.InputTotal, total)
		usage = providers.Usage{Lines: []providers.UsageLine{line}}
	}
	return providers.PairReply{Body: asked.Append(nil, call.Asked, vectors, &usage), Usage: usage}, nil
}

func unread(err error) *providers.Fault {
	return &providers.Fault{
		Kind: providers.FaultUpstream, Message: "bedrock's reply cannot be read", Retryable: true, Cause: fmt.Errorf("bedrock: %w", err),
	}
}

func writeTitan(asked *embeddings.Request, doc *providers.Document, texts []string) ([]byte, error) {
	b := providers.AppendString([]byte(`{"inputText":`), texts[0])
	if asked.Dimensions > 0 {
		b = strconv.AppendInt(append(b, `,"dimensions":`...), asked.Dimensions, 10)
	}
	normal, said, err := doc.Bool("normalize")
	if err != nil {
		return nil, err
	}
	if said {
		b = strconv.AppendBool(append(b, `,"normalize":`...), normal)
	}
	return append(b, '}'), nil
}

func readTitan(v gjson.Result) ([]gjson.Result, gjson.Result) {
	return []gjson.Result{v.Get("embedding")}, v.Get("inputTextTokenCount")
}

// writeCohere says what the texts are for: a document where the client does not say.
func writeCohere(asked *embeddings.Request, doc *providers.Document, texts []string) ([]byte, error) {
	b := []byte(`{"texts":[`)
	for i, text := range texts {
		if i > 0 {
			b = append(b, ',')
		}
		b = providers.AppendString(b, text)
	}
	use := asked.InputType
	switch use {
	case "", "document", "passage":
		use = "search_document"
	case "query":
		use = "search_query"
	}
	b = providers.AppendString(append(b, `],"input_type":`...), use)
	b = append(b, `,"embedding_types":["float"]`...)
	if asked.Dimensions > 0 {
		b = strconv.AppendInt(append(b, `,"output_dimension":`...), asked.Dimensions, 10)
	}
	truncate, said, err := doc.String("truncate")
	if err != nil {
		return nil, err
	}
	if said {
		b = providers.AppendString(append(b, `,"truncate":`...), truncate)
	}
	return append(b, '}'), nil
}

// readCohere reads the vectors by type, or bare ones. The body counts no tokens.
func readCohere(v gjson.Result) ([]gjson.Result, gjson.Result) {
	list := v.Get("embeddings")
	if list.IsObject() {
		list = list.Get("float")
	}
	return list.Array(), gjson.Result{}
}

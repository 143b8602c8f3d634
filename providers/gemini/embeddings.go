package gemini

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/embeddings"
)

// embedMax is how many texts the API takes at once.
const embedMax = 100

// Embeddings serves OpenAI's embeddings by batchEmbedContents.
// Source: https://ai.google.dev/api/embeddings
func Embeddings() *providers.Pair {
	return (&embedAPI{most: embedMax, write: (*embedding).batch, read: readBatch}).pair()
}

// embedAPI is one of the ways in which Google's models make embeddings.
type embedAPI struct {
	most   int    // texts in one request
	size   int    // bytes of text in one request, where there are several; 0 any
	single string // a piece of the name of models that take one text at a time, "" none
	write  func(e *embedding, texts []string) []byte
	read   func(reply gjson.Result) (vectors []gjson.Result, tokens int64, counted bool)
}

func (a *embedAPI) pair() *providers.Pair {
	return &providers.Pair{Client: "openai", Write: a.ask, Read: a.answer}
}

func (a *embedAPI) ask(call *providers.Call) (providers.Plan, error) {
	asked, err := embeddings.Read(call.Doc)
	if err != nil {
		return providers.Plan{}, err
	}
	task, taken := taskType(asked.InputType, call.Model)
	plan := providers.Plan{Dropped: embeddings.Dropped(call.Doc, "input_type", "title")}
	if !taken {
		plan.Dropped = append(plan.Dropped, "input_type")
	}
	title, said, err := call.Doc.String("title")
	if err != nil {
		return providers.Plan{}, err
	}
	if said && task != "RETRIEVAL_DOCUMENT" { // no other task takes one
		plan.Dropped, title = append(plan.Dropped, "title"), ""
	}
	common := embedding{model: call.Model, task: task, title: title, dimensions: asked.Dimensions}
	for texts := asked.Inputs; len(texts) > 0; {
		n := a.fits(texts, call.Model)
		plan.Requests = append(plan.Requests, providers.UpstreamRequest{
			Path: call.Path, Body: a.write(&common, texts[:n]),
		})
		texts = texts[n:]
	}
	return plan, nil
}

// fits counts the texts that go into the next request, at least one.
func (a *embedAPI) fits(texts []string, model string) int {
	if a.single != "" && strings.Contains(model, a.single) {
		return 1
	}
	n, size := 0, 0
	for n < min(a.most, len(texts)) {
		if size += len(texts[n]); a.size > 0 && size > a.size {
			break
		}
		n++
	}
	return max(1, n)
}

// embedding is what all texts of a request have in common.
type embedding struct {
	model, task, title string
	dimensions         int64 // 0 for the model's own
}

func (e *embedding) batch(texts []string) []byte {
	var w body
	w.open('{')
	w.key("requests")
	w.open('[')
	for _, text := range texts {
		w.open('{')
		w.field("model", "models/"+strings.TrimPrefix(e.model, "models/"))
		w.content(text)
		e.options(&w)
		w.shut('}')
	}
	w.shut(']')
	w.shut('}')
	return w.b
}

// content says one text as a content of its own.
func (w *body) content(text string) {
	w.key("content")
	w.open('{')
	w.key("parts")
	w.open('[')
	w.textPart(text, nil)
	w.shut(']')
	w.shut('}')
}

// options says what the vectors are for, and how long they are to be.
func (e *embedding) options(w *body) {
	if e.task != "" {
		w.field("taskType", e.task)
	}
	if e.title != "" {
		w.field("title", e.title)
	}
	if e.dimensions > 0 {
		w.rawField("outputDimensionality", number(e.dimensions))
	}
}

// taskType gives the API's word for input_type; false where it has none. The second generation
// takes the task in the text itself and no taskType.
func taskType(asked, model string) (string, bool) {
	if asked == "" {
		return "", true
	}
	if strings.Contains(model, "embedding-2") {
		return "", false
	}
	switch word := strings.ToUpper(asked); word {
	case "QUERY", "SEARCH_QUERY":
		return "RETRIEVAL_QUERY", true
	case "DOCUMENT", "PASSAGE", "SEARCH_DOCUMENT":
		return "RETRIEVAL_DOCUMENT", true
	case "RETRIEVAL_QUERY", "RETRIEVAL_DOCUMENT", "SEMANTIC_SIMILARITY", "CLASSIFICATION", "CLUSTERING",
		"QUESTION_ANSWERING", "FACT_VERIFICATION", "CODE_RETRIEVAL_QUERY":
		return word, true
	}
	return "", false
}

func (a *embedAPI) answer(call *providers.Call, replies [][]byte) (providers.PairReply, error) {
	asked, err := embeddings.Read(call.Doc)
	if err != nil {
		return providers.PairReply{}, err
	}
	var vectors [][]float64
	tokens, counted := int64(0), true
	for _, reply := range replies {
		if !providers.ValidJSON(reply) {
			return providers.PairReply{}, broken("the upstream's reply cannot be read", errors.New("gemini: the embeddings are not valid JSON"))
		}
		list, n, told := a.read(gjson.ParseBytes(reply))
		for _, values := range list {
			vector, ok := embeddings.Numbers(values)
			if !ok {
				return providers.PairReply{}, broken("the upstream's reply cannot be read", errors.New("gemini: an embedding has no values"))
			}
			vectors = append(vectors, vector)
		}
		tokens, counted = tokens+n, counted && told
	}
	if len(vectors) != len(asked.Inputs) {
		return providers.PairReply{}, broken("the upstream's reply is incomplete",
			fmt.Errorf("gemini: %d embeddings for %d texts", len(vectors), len(asked.Inputs)))
	}
	usage := embeddings.Estimate(asked.Inputs)
	if counted {
		usage = counting(tokens, replies)
	}
	// The first generation's vectors have length 1 in full size only.
	if asked.Dimensions > 0 && strings.Contains(call.Model, "embedding-001") {
		for _, vector := range vectors {
			normalise(vector)
		}
	}
	return providers.PairReply{Body: asked.Append(nil, call.Asked, vectors, &usage), Usage: usage}, nil
}

func readBatch(v gjson.Result) (vectors []gjson.Result, tokens int64, counted bool) {
	for _, e := range v.Get("embeddings").Array() {
		vectors = append(vectors, e.Get("values"))
	}
	n := v.Get("usageMetadata.promptTokenCount")
	return vectors, n.Int(), n.Exists()
}

func counting(tokens int64, replies [][]byte) providers.Usage {
	var line providers.UsageLine
	line.Set(providers.InputTotal, tokens)
	usage := providers.Usage{Lines: []providers.UsageLine{line}}
	if len(replies) == 1 {
		usage.Raw = []byte(gjson.GetBytes(replies[0], "usageMetadata").Raw)
	}
	return usage
}

// normalise brings a vector to length 1, in the precision of float32 that it came in. One that
// has it already stays as it is.
func normalise(vector []float64) {
	sum := 0.0
	for _, x := range vector {
		sum += x * x
	}
	length := math.Sqrt(sum)
	if length == 0 || math.IsInf(length, 0) || math.Abs(length-1) < 1e-6 {
		return
	}
	for i, x := range vector {
		vector[i] = shortest(float32(x / length))
	}
}

// shortest gives the float64 that prints as the float32 does.
func shortest(x float32) float64 {
	f, err := strconv.ParseFloat(strconv.FormatFloat(float64(x), 'g', -1, 32), 64)
	if err != nil {
		return float64(x)
	}
	return f
}

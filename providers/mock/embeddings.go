package mock

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"strconv"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

const (
	defaultDimensions = 64
	maxDimensions     = 3072
)

// vectors is what an embeddings request asks for.
type vectors struct {
	seeds      []uint64 // one per input: equal inputs, equal vectors
	dimensions int
	base64     bool
}

func (v *vectors) add(input gjson.Result) {
	v.seeds = append(v.seeds, uint64(crc32.ChecksumIEEE([]byte(input.Raw)))<<16|uint64(len(input.Raw))&0xffff)
}

// vector gives the unit vector of a seed.
func vector(seed uint64, dimensions int) []float32 {
	out := make([]float32, dimensions)
	sum := 0.0
	for i := range out {
		seed = mix(seed)
		x := float64(int64(seed)) / (1 << 63)
		out[i] = float32(x)
		sum += x * x
	}
	norm := float32(math.Sqrt(sum))
	for i := range out {
		out[i] /= norm
	}
	return out
}

func appendVector(dst []byte, vector []float32) []byte {
	dst = append(dst, '[')
	for i, x := range vector {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendFloat(dst, float64(x), 'g', -1, 32)
	}
	return append(dst, ']')
}

// readEmbeddings reads OpenAI's request: a text, texts, a list of tokens, or lists of them.
// Source: https://platform.openai.com/docs/api-reference/embeddings/create
func readEmbeddings(r *request) (*ask, *refusal) {
	model := r.doc.Get("model")
	a := newAsk(r.body, model.Str)
	a.vectors = &vectors{dimensions: defaultDimensions}
	input := r.doc.Get("input")
	switch {
	case model.Str == "":
		return nil, invalid("", "you must provide a model parameter")
	case isMissing(a.model):
		return nil, unknownModel(a.model)
	case !input.Exists():
		return nil, missing("input")
	}
	switch format := r.doc.Get("encoding_format"); format.Str {
	case "", "float":
	case "base64":
		a.vectors.base64 = true
	default:
		return nil, invalid("encoding_format", fmt.Sprintf("Invalid value: '%s'. Supported values are: 'float' and 'base64'.", format.Str)).withCode("invalid_value")
	}
	if d := r.doc.Get("dimensions"); d.Exists() && d.Type != gjson.Null {
		var n int64
		if refused := positive("dimensions", d, &n); refused != nil {
			return nil, refused
		}
		if n > maxDimensions {
			return nil, invalid("dimensions", fmt.Sprintf("Invalid value for 'dimensions' = %d. Must be less than or equal to %d.", n, maxDimensions))
		}
		a.vectors.dimensions = int(n)
	}
	return a, a.vectors.inputs(input)
}

func (v *vectors) inputs(input gjson.Result) *refusal {
	if input.Type == gjson.String && input.Str != "" {
		v.add(input)
		return nil
	}
	list := input.Array()
	if !input.IsArray() || len(list) == 0 || len(list) > 2048 {
		return invalid("input", "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference.")
	}
	if list[0].Type == gjson.Number {
		v.add(input)
		return nil
	}
	for _, one := range list {
		if one.Str == "" && !one.IsArray() {
			return invalid("input", "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference.")
		}
		v.add(one)
	}
	return nil
}

func writeEmbeddings(dst []byte, a *ask, ans *answer) []byte {
	dst = append(dst, `{"object":"list","data":[`...)
	for i, seed := range a.vectors.seeds {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(append(dst, `{"object":"embedding","index":`...), int64(i), 10)
		dst = append(dst, `,"embedding":`...)
		one := vector(seed, a.vectors.dimensions)
		if a.vectors.base64 {
			dst = append(appendBase64(append(dst, '"'), one), '"')
		} else {
			dst = appendVector(dst, one)
		}
		dst = append(dst, '}')
	}
	dst = providers.AppendString(append(dst, `],"model":`...), a.model)
	dst = number(dst, `,"usage":{"prompt_tokens":`, ans.usage.input)
	return append(number(dst, `,"total_tokens":`, ans.usage.input), "}}"...)
}

// appendBase64 appends little-endian float32s as base64.
func appendBase64(dst []byte, vector []float32) []byte {
	raw := make([]byte, 0, 4*len(vector))
	for _, x := range vector {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
	}
	return base64.StdEncoding.AppendEncode(dst, raw)
}

// maxBatch is how many contents Gemini takes in one batch.
const maxBatch = 100

// readBatch reads Gemini's batchEmbedContents.
// Source: https://ai.google.dev/api/embeddings
func readBatch(r *request) (*ask, *refusal) {
	a := newAsk(r.body, r.model)
	a.vectors = &vectors{dimensions: defaultDimensions}
	list := r.doc.Get("requests").Array()
	if refused := geminiModel(r.model, "embedContent"); refused != nil {
		return nil, refused
	}
	switch {
	case len(list) == 0:
		return nil, invalidf("* BatchEmbedContentsRequest.requests: requests is not specified\n")
	case len(list) > maxBatch:
		return nil, invalidf("* BatchEmbedContentsRequest.requests: at most %d requests can be in one batch\n", maxBatch)
	}
	for i, one := range list {
		if m := one.Get("model").Str; m != "models/"+r.model {
			return nil, invalidf("* BatchEmbedContentsRequest.requests[%d].model: the model must match the model in the request's path\n", i)
		}
		if refused := a.vectors.one(fmt.Sprintf("BatchEmbedContentsRequest.requests[%d]", i), one); refused != nil {
			return nil, refused
		}
	}
	return a, nil
}

// one reads what one vector is wanted of.
func (v *vectors) one(at string, said gjson.Result) *refusal {
	content := said.Get("content")
	if len(content.Get("parts").Array()) == 0 {
		return invalidf("* %s.content: contents.parts must not be empty.\n", at)
	}
	if d := said.Get("outputDimensionality"); d.Exists() {
		if d.Int() < 1 || d.Int() > maxDimensions {
			return invalidf("* %s.output_dimensionality: must be between 1 and %d\n", at, maxDimensions)
		}
		v.dimensions = int(d.Int())
	}
	v.add(content)
	return nil
}

// readEmbed reads Gemini's embedContent.
func readEmbed(r *request) (*ask, *refusal) {
	a := newAsk(r.body, r.model)
	a.vectors = &vectors{dimensions: defaultDimensions}
	if refused := geminiModel(r.model, "embedContent"); refused != nil {
		return nil, refused
	}
	if m := r.doc.Get("model"); m.Exists() && m.Str != "models/"+r.model {
		return nil, invalidf("* EmbedContentRequest.model: the model must match the model in the request's path\n")
	}
	return a, a.vectors.one("EmbedContentRequest", r.doc)
}

func writeEmbed(dst []byte, a *ask, _ *answer) []byte {
	return append(appendVector(append(dst, `{"embedding": {"values": `...), vector(a.vectors.seeds[0], a.vectors.dimensions)), "}}"...)
}

// writeBatch writes Gemini's embeddings, which come without usage.
func writeBatch(dst []byte, a *ask, _ *answer) []byte {
	dst = append(dst, `{"embeddings": [`...)
	for i, seed := range a.vectors.seeds {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendVector(append(dst, `{"values": `...), vector(seed, a.vectors.dimensions)), '}')
	}
	return append(dst, "]}"...)
}

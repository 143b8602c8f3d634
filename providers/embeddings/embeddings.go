// Package embeddings reads and writes the bodies of OpenAI's POST /v1/embeddings, for the pairs
// that serve it by a provider of another language. It must never know a provider, nor change a
// vector.
//
// Source: https://platform.openai.com/docs/api-reference/embeddings
package embeddings

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// MaxInputs is how many texts OpenAI takes at once.
const MaxInputs = 2048

// Request is what the client asks.
type Request struct {
	Inputs     []string
	Dimensions int64 // 0 where not said
	Base64     bool  // the vectors as base64 of little-endian float32
	// InputType is what the texts are for (query, document, …): an extension of many providers,
	// "" where not said.
	InputType string
}

// Read reads the client's body. Its errors are *providers.Fault.
func Read(doc *providers.Document) (*Request, error) {
	var r Request
	var err error
	if r.Inputs, err = inputs(doc.Value("input")); err != nil {
		return nil, err
	}
	dimensions, said, err := doc.Int("dimensions")
	if err != nil {
		return nil, err
	}
	if said && dimensions < 1 {
		return nil, providers.Invalid("dimensions", "'dimensions' must be at least 1")
	}
	r.Dimensions = dimensions
	format, _, err := doc.String("encoding_format")
	if err != nil {
		return nil, err
	}
	switch format {
	case "", "float":
	case "base64":
		r.Base64 = true
	default:
		return nil, providers.Invalid("encoding_format", fmt.Sprintf("invalid value: '%s'; supported values are 'float' and 'base64'", format))
	}
	if r.InputType, _, err = doc.String("input_type"); err != nil {
		return nil, err
	}
	return &r, nil
}

func inputs(raw []byte) ([]string, error) {
	v := gjson.ParseBytes(raw)
	switch {
	case !v.Exists() || v.Type == gjson.Null:
		return nil, providers.Invalid("input", "missing required parameter: 'input'")
	case v.Type == gjson.String:
		return []string{v.Str}, nil
	case !v.IsArray():
		return nil, providers.Invalid("input", "invalid type for 'input': expected a string or an array of strings")
	}
	items := v.Array()
	if len(items) == 0 || len(items) > MaxInputs {
		return nil, providers.Invalid("input", fmt.Sprintf("'input' must hold 1 to %d texts", MaxInputs))
	}
	list := make([]string, len(items))
	for i, item := range items {
		switch {
		case item.Type == gjson.String:
			list[i] = item.Str
		case item.Type == gjson.Number, item.IsArray():
			return nil, providers.Invalid("input", "this model's provider takes text only; tokens belong to another provider's tokenizer")
		default:
			return nil, providers.Invalid(fmt.Sprintf("input[%d]", i), "invalid type: expected a string")
		}
	}
	return list, nil
}

// Dropped names the body's members that are none of those known, nor ones that Read reads.
func Dropped(doc *providers.Document, known ...string) []string {
	var names []string
	for i := range doc.Fields {
		f := &doc.Fields[i]
		switch f.Name {
		case "model", "input", "dimensions", "encoding_format":
		default:
			if doc.Raw[f.Start] != 'n' && !slices.Contains(known, f.Name) {
				names = providers.AddDropped(names, f.Name)
			}
		}
	}
	return names
}

// Estimate counts the tokens of texts where the provider did not: four bytes to a token.
func Estimate(texts []string) providers.Usage {
	var line providers.UsageLine
	n := int64(0)
	for _, text := range texts {
		n += int64(max(1, (len(text)+3)/4))
	}
	line.Set(providers.InputTotal, n)
	return providers.Usage{Lines: []providers.UsageLine{line}, Estimated: true}
}

// Numbers reads a JSON array of numbers; false where it is none, or empty.
func Numbers(v gjson.Result) ([]float64, bool) {
	if !v.IsArray() {
		return nil, false
	}
	list, good := []float64(nil), true
	v.ForEach(func(_, n gjson.Result) bool {
		good = good && n.Type == gjson.Number && !math.IsInf(n.Num, 0)
		list = append(list, n.Num)
		return good
	})
	return list, good && len(list) > 0
}

// Append appends the client's reply.
func (r *Request) Append(dst []byte, model string, vectors [][]float64, usage *providers.Usage) []byte {
	dst = append(dst, `{"object":"list","data":[`...)
	for i, vector := range vectors {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(append(dst, `{"object":"embedding","index":`...), int64(i), 10)
		dst = append(dst, `,"embedding":`...)
		if r.Base64 {
			dst = appendBase64(dst, vector)
		} else {
			dst = appendNumbers(dst, vector)
		}
		dst = append(dst, '}')
	}
	dst = providers.AppendString(append(dst, `],"model":`...), model)
	tokens := usage.Total()
	dst = strconv.AppendInt(append(dst, `,"usage":{"prompt_tokens":`...), tokens.Input(), 10)
	dst = strconv.AppendInt(append(dst, `,"total_tokens":`...), tokens.Input(), 10)
	return append(dst, "}}"...)
}

func appendNumbers(dst []byte, vector []float64) []byte {
	dst = append(dst, '[')
	for i, x := range vector {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendFloat(dst, x, 'g', -1, 64)
	}
	return append(dst, ']')
}

func appendBase64(dst []byte, vector []float64) []byte {
	raw := make([]byte, 0, 4*len(vector))
	for _, x := range vector {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(float32(x)))
	}
	dst = base64.StdEncoding.AppendEncode(append(dst, '"'), raw)
	return append(dst, '"')
}

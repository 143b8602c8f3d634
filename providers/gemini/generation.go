package gemini

import (
	"fmt"
	"math"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/schema"
)

// stopMax is the API's bound of stopSequences; one more is a 400.
const stopMax = 5

// generation says generationConfig as far as the hub knows it.
func (r *request) generation(tools bool) error {
	if n := r.req.N; n != nil && *n > 1 {
		r.gen.set("candidateCount", number(*n))
	}
	if err := r.stops(); err != nil {
		return err
	}
	// Thoughts count too, as they do in OpenAI's max_completion_tokens. The number is never
	// raised: a budget may have been reserved for it.
	if r.limit != nil {
		r.gen.set("maxOutputTokens", number(*r.limit))
	}
	r.sampling()
	if err := r.format(tools); err != nil {
		return err
	}
	r.logprobs()
	r.thinking()
	return nil
}

func (r *request) stops() error {
	var stops []string
	for _, s := range r.req.Stop {
		if s != "" {
			stops = append(stops, s)
		}
	}
	if len(stops) > stopMax {
		return providers.Invalid("stop", fmt.Sprintf("this model takes at most %d stop sequences", stopMax))
	}
	if len(stops) > 0 {
		r.gen.set("stopSequences", quotedList(stops))
	}
	return nil
}

func (r *request) sampling() {
	s := r.req.Sampling
	if s.Temperature != nil {
		if *s.Temperature > 2 {
			r.drop("temperature") // served as 2
		}
		r.sample("temperature", "temperature", decimal(min(*s.Temperature, 2)))
	}
	if s.TopP != nil {
		r.sample("topP", "top_p", decimal(*s.TopP))
	}
	if s.TopK != nil {
		r.sample("topK", "top_k", number(*s.TopK))
	}
	switch {
	case s.Seed == nil:
	case *s.Seed < math.MinInt32 || *s.Seed > math.MaxInt32: // the API's is an int32
		r.drop("seed")
	default:
		r.gen.set("seed", number(*s.Seed))
	}
	if s.PresencePenalty != nil {
		r.gen.set("presencePenalty", decimal(*s.PresencePenalty))
	}
	if s.FrequencyPenalty != nil {
		r.gen.set("frequencyPenalty", decimal(*s.FrequencyPenalty))
	}
}

func (r *request) sample(name, asked string, raw []byte) {
	if r.call.Can.NoSampling {
		r.drop(asked)
		return
	}
	r.gen.set(name, raw)
}

// format says response_format. Before generation 3 the API refuses it beside functions, which
// say more: the model could not call at all. It is told of the format in words then.
func (r *request) format(tools bool) error {
	f := r.req.Format
	if f.Kind != providers.FormatJSON && f.Kind != providers.FormatSchema {
		return nil
	}
	if tools && !modern(r.call) {
		r.drop("response_format")
		r.system = append(r.system, formatNudge(f))
		return nil
	}
	if f.Kind == providers.FormatSchema && r.call.Can.NoStructuredOutput {
		return providers.Invalid("response_format", "this model takes no JSON schema")
	}
	r.gen.set("responseMimeType", quoted("application/json"))
	if f.Kind != providers.FormatSchema || len(f.Schema) == 0 {
		return nil
	}
	if !jsontext.Value(f.Schema).IsValid() || jsontext.Value(f.Schema).Kind() != jsontext.KindBeginObject {
		return providers.Invalid("response_format.json_schema.schema", "the schema is not a JSON object")
	}
	described := describe(f)
	if !r.call.Can.LegacySchema {
		r.gen.set("responseJsonSchema", described)
		return nil
	}
	old, err := legacySchema(described)
	if err != nil {
		return providers.Invalid("response_format.json_schema.schema", fmt.Sprintf("invalid schema for response_format: %v", err))
	}
	r.gen.set("responseSchema", old)
	return nil
}

func formatNudge(f providers.Format) string {
	text := "Where you answer without calling a function, answer with one valid JSON value and nothing else: no code fence and no text around it."
	if f.Kind == providers.FormatSchema && len(f.Schema) > 0 {
		text += " It must match this JSON schema: " + compact(string(f.Schema))
	}
	return text
}

// describe puts the format's description, which the API has no field for, into the schema,
// unless that has one itself.
func describe(f providers.Format) []byte {
	if f.Description == "" {
		return f.Schema
	}
	root, err := schema.Parse(f.Schema)
	if err != nil || root.Get("description") != nil {
		return f.Schema
	}
	root.Set("description", schema.String(f.Description))
	return root.Append(nil)
}

func (r *request) logprobs() {
	s := r.req.Sampling
	if s.Logprobs == nil || !*s.Logprobs {
		return
	}
	r.gen.set("responseLogprobs", []byte("true"))
	if s.TopLogprobs != nil && *s.TopLogprobs > 0 {
		r.gen.set("logprobs", number(*s.TopLogprobs))
	}
}

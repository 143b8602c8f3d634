package gemini

import (
	"fmt"
	"slices"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// wish reads one member of generationConfig.
// Source: https://ai.google.dev/api/generate-content#v1beta.GenerationConfig
func (r *reader) wish(name, path string, v gjson.Result) error {
	switch name {
	case "maxOutputTokens":
		return bounded(v, path, &r.req.MaxTokens)
	case "candidateCount":
		return bounded(v, path, &r.req.N)
	case "stopSequences":
		return list(v, path, func(path string, v gjson.Result) error {
			var one string
			err := text(v, path, &one)
			r.req.Stop = append(r.req.Stop, one)
			return err
		})
	case "responseMimeType", "responseSchema", "responseJsonSchema":
		return r.format(name, path, v)
	case "thinkingConfig":
		return object(v, path, r.thinking)
	case "responseModalities":
		return r.modalities(v, path)
	}
	return r.sampling(name, path, v)
}

// bounded reads a count; 0 is how some clients say nothing.
func bounded(v gjson.Result, path string, to **int64) error {
	n, err := integer(v, path)
	switch {
	case err != nil:
		return err
	case n < 0:
		return wrong(path, "a positive number")
	case n > 0:
		*to = &n
	}
	return nil
}

func (r *reader) sampling(name, path string, v gjson.Result) error {
	s := &r.req.Sampling
	switch name {
	case "temperature":
		return fraction(v, path, &s.Temperature)
	case "topP":
		return fraction(v, path, &s.TopP)
	case "presencePenalty":
		return fraction(v, path, &s.PresencePenalty)
	case "frequencyPenalty":
		return fraction(v, path, &s.FrequencyPenalty)
	case "seed":
		return whole(v, path, &s.Seed)
	case "topK":
		var f *float64 // some clients write 40.0, and the protobuf has been a float
		if err := fraction(v, path, &f); err != nil {
			return err
		}
		n := int64(*f)
		s.TopK = &n
		return nil
	case "responseLogprobs":
		return truth(v, path, &s.Logprobs)
	case "logprobs":
		return whole(v, path, &s.TopLogprobs)
	}
	r.keep(path, v)
	return nil
}

// format reads what the answer shall look like. The schema may stand before the type.
func (r *reader) format(name, path string, v gjson.Result) error {
	f := &r.req.Format
	switch name {
	case "responseMimeType":
		var kind string
		if err := text(v, path, &kind); err != nil {
			return err
		}
		switch {
		case kind == "application/json" && f.Kind == providers.FormatUnset:
			f.Kind = providers.FormatJSON
		case kind == "application/json", kind == "text/plain", kind == "":
		default:
			return providers.Invalid(path, fmt.Sprintf("Invalid value at '%s': the type '%s' is made by Gemini's models only; use application/json or text/plain.", path, kind))
		}
		return nil
	case "responseSchema":
		schema, err := modernSchema([]byte(v.Raw))
		if err != nil {
			return providers.Invalid(path, fmt.Sprintf("Invalid value at '%s': %v.", path, err))
		}
		f.Schema = schema
	default:
		if !v.IsObject() {
			return wrong(path, "an object")
		}
		f.Schema = []byte(v.Raw)
	}
	f.Kind, f.Name = providers.FormatSchema, "response"
	return nil
}

// thinking reads thinkingConfig. A budget of -1 leaves it to the model, as saying nothing does.
func (r *reader) thinking(name, path string, v gjson.Result) error {
	ask := &r.req.Reasoning
	switch name {
	case "includeThoughts":
		return truth(v, path, &ask.Show)
	case "thinkingBudget":
		n, err := integer(v, path)
		switch {
		case err != nil:
			return err
		case n == 0:
			ask.Effort = "none"
		case n > 0:
			ask.Budget = &n
		}
		return nil
	case "thinkingLevel":
		var level string
		if err := text(v, path, &level); err != nil {
			return err
		}
		if level = lowered(level); level != "thinking_level_unspecified" {
			ask.Effort = level
		}
		return nil
	}
	r.unread(path)
	return nil
}

// modalities refuses an answer that is no text: models of other providers write.
func (r *reader) modalities(v gjson.Result, path string) error {
	var said []string
	err := list(v, path, func(path string, v gjson.Result) error {
		var one string
		err := text(v, path, &one)
		said = append(said, lowered(one))
		return err
	})
	if err != nil || len(said) == 0 {
		return err
	}
	if !slices.Contains(said, "text") {
		return providers.Invalid(path, fmt.Sprintf("Invalid value at '%s': this model answers in text only.", path))
	}
	if len(said) > 1 {
		r.keep(path, v)
	}
	return nil
}

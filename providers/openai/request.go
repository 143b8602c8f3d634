package openai

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/aistrale/aistrale/providers"
)

// reader is one request on its way into the hub.
type reader struct {
	doc *providers.Document
	req *providers.Request
}

// ReadRequest implements providers.Face for POST /v1/chat/completions. A field of the wrong
// type is a 400 that names its path.
func (Face) ReadRequest(doc *providers.Document) (*providers.Request, error) {
	r := &reader{doc: doc, req: &providers.Request{}}
	if err := r.messages(); err != nil {
		return nil, err
	}
	for i := range doc.Fields {
		f := &doc.Fields[i]
		raw := doc.Raw[f.Start:f.End]
		if raw[0] == 'n' {
			continue
		}
		if err := r.field(f.Name, raw); err != nil {
			return nil, err
		}
	}
	return r.req, nil
}

func (r *reader) field(name string, raw []byte) error {
	switch name {
	case "model", "stream", "stream_options", "messages":
		return nil // the call holds the first three
	case "tools", "functions", "tool_choice", "function_call", "parallel_tool_calls", "response_format":
		return r.toolField(name, raw)
	case "reasoning_effort", "reasoning", "thinking", "include_reasoning", "reasoning_format":
		return r.reasoningField(name, raw)
	case "temperature", "top_p", "top_k", "frequency_penalty", "presence_penalty", "seed", "logprobs", "top_logprobs":
		return r.samplingField(name, raw)
	case "max_tokens", "max_completion_tokens", "n":
		return r.limitField(name, raw)
	case "stop":
		return r.stop(raw)
	case "user", "safety_identifier":
		return r.user(name, raw)
	case "service_tier":
		return Unmarshal(name, raw, &r.req.ServiceTier)
	case "metadata":
		return r.metadata(raw)
	}
	return r.extra(name, raw)
}

func (r *reader) samplingField(name string, raw []byte) error {
	s := &r.req.Sampling
	switch name {
	case "temperature":
		return Unmarshal(name, raw, &s.Temperature)
	case "top_p":
		return Unmarshal(name, raw, &s.TopP)
	case "frequency_penalty":
		return Unmarshal(name, raw, &s.FrequencyPenalty)
	case "presence_penalty":
		return Unmarshal(name, raw, &s.PresencePenalty)
	case "logprobs":
		return Unmarshal(name, raw, &s.Logprobs)
	case "top_k":
		return integer(name, raw, &s.TopK)
	case "seed":
		return integer(name, raw, &s.Seed)
	default:
		return integer(name, raw, &s.TopLogprobs)
	}
}

func (r *reader) limitField(name string, raw []byte) error {
	var n *int64
	if err := integer(name, raw, &n); err != nil {
		return err
	}
	least := int64(0)
	if name == "n" {
		least = 1
	}
	if *n < least {
		return Refuse(name, "integer_below_min_value",
			fmt.Sprintf("Invalid '%s': integer below minimum value. Expected a value >= %d, but got %d instead.", name, least, *n))
	}
	switch {
	case name == "n":
		r.req.N = n
	case name == "max_completion_tokens":
		r.req.MaxTokens, r.req.LegacyMaxTokens = n, false
	case r.req.MaxTokens == nil:
		r.req.MaxTokens, r.req.LegacyMaxTokens = n, true
	}
	return nil
}

// integer reads a whole number in any spelling of JSON's numbers (4096, 4096.0, 4e3).
func integer(path string, raw []byte, to **int64) error {
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		f, err := strconv.ParseFloat(string(raw), 64)
		switch n = int64(f); {
		case f > 1<<53 || f < -1<<53: // also what is infinite to a float
			return outOfRange(path)
		case err != nil:
			return Refuse(path, "invalid_type", fmt.Sprintf("Invalid type for '%s': expected an integer, but got %s instead.", path, rawName(raw)))
		case float64(n) != f:
			return Refuse(path, "invalid_type", fmt.Sprintf("Invalid type for '%s': expected an integer, but got a decimal number instead.", path))
		}
	}
	*to = &n
	return nil
}

func rawName(raw []byte) string {
	switch c := raw[0]; {
	case c == '-' || c >= '0' && c <= '9':
		return kindName('0')
	default:
		return kindName(kindOf(c))
	}
}

func (r *reader) stop(raw []byte) error {
	var s stringOrList
	if err := Unmarshal("stop", raw, &s); err != nil {
		return err
	}
	r.req.Stop = s
	return nil
}

// user reads user and its newer name, safety_identifier, which stands in where user is absent.
func (r *reader) user(name string, raw []byte) error {
	var s string
	if err := Unmarshal(name, raw, &s); err != nil {
		return err
	}
	if name == "user" || r.req.User == "" {
		r.req.User = s
	}
	return nil
}

// metadata keeps the order in which the client wrote the labels.
func (r *reader) metadata(raw []byte) error {
	var m members
	if err := Unmarshal("metadata", raw, &m); err != nil {
		return err
	}
	for _, f := range m {
		var value string
		if err := Unmarshal("metadata."+f.name, f.value, &value); err != nil {
			return err
		}
		r.req.Metadata = append(r.req.Metadata, providers.Label{Name: f.name, Value: value})
	}
	return nil
}

func isNull(raw []byte) bool { return len(raw) == 0 || raw[0] == 'n' }

func clone(raw []byte) []byte { return bytes.Clone(raw) }

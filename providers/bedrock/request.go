package bedrock

import (
	"slices"
	"strconv"
	"strings"

	"github.com/aistrale/aistrale/providers"
)

// request is a Converse request under construction.
type request struct {
	req     *providers.Request
	call    *providers.Call
	system  []byte // elements of the list, each with a comma behind it
	turns   []message
	calls   bool // a turn has a call
	tools   []byte
	choice  []byte // nil where nothing is to be said
	fetch   []string
	dropped []string
	limit   *int64 // of the output, nil for none
	clamped string // as Plan.Clamped
	docs    int
}

// message is one turn: its role, and its blocks with a comma behind each.
type message struct {
	role   string
	blocks []byte
}

// WriteRequest implements providers.Dialect.
func (Dialect) WriteRequest(req *providers.Request, call *providers.Call) (providers.Plan, error) {
	r := &request{req: req, call: call}
	for _, step := range []func() error{r.refuse, r.writeTurns, r.writeTools} {
		if err := step(); err != nil {
			return providers.Plan{}, err
		}
	}
	if len(r.fetch) > 0 {
		return providers.Plan{Fetch: r.fetch}, nil
	}
	r.bound()
	body, err := r.body()
	if err == nil && call.Op == providers.OpCountTokens {
		body, err = countRequest(body)
		r.limit, r.clamped = nil, ""
	}
	if err != nil {
		return providers.Plan{}, err
	}
	return providers.Plan{
		Requests: call.One(providers.UpstreamRequest{Path: call.Path, Body: body}),
		Dropped:  r.dropped, MaxOutput: providers.MaxOutput(r.limit, nil), Clamped: r.clamped,
	}, nil
}

// refuse names what the API has no words for and whose loss would change the answer's meaning.
func (r *request) refuse() error {
	if n := r.req.N; n != nil && *n > 1 {
		return providers.Invalid("n", "bedrock gives one choice only: n must be 1")
	}
	s := &r.req.Sampling
	if s.Logprobs != nil && *s.Logprobs || s.TopLogprobs != nil && *s.TopLogprobs > 0 {
		return providers.Invalid("logprobs", "bedrock gives no log probabilities")
	}
	return nil
}

func (r *request) drop(name string) { r.dropped = providers.AddDropped(r.dropped, name) }

// bound decides on what the answer may be at most: the client's bound, or the gateway's where
// that is lower or the only one.
func (r *request) bound() {
	r.limit = r.req.MaxTokens
	clamp := r.call.Clamp
	if clamp <= 0 || r.limit != nil && *r.limit > 0 && *r.limit <= clamp {
		return
	}
	name := "max_completion_tokens"
	if r.req.LegacyMaxTokens {
		name = "max_tokens"
	}
	r.limit, r.clamped = &clamp, name+"="+strconv.FormatInt(clamp, 10)
}

// body writes the request. What is looked at last may still add to the instructions.
func (r *request) body() ([]byte, error) {
	output, err := r.format()
	if err != nil {
		return nil, err
	}
	config, more, tier := r.sampling(), r.reasoning(), r.rest()
	b := []byte(`{"messages":[`)
	for i := range r.turns {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, `{"role":"`...), r.turns[i].role...), `","content":[`...)
		b = append(append(b, shut(r.turns[i].blocks)...), "]}"...)
	}
	b = append(b, ']')
	if len(r.system) > 0 {
		b = append(append(append(b, `,"system":[`...), shut(r.system)...), ']')
	}
	if len(config) > 0 {
		b = append(append(append(b, `,"inferenceConfig":{`...), shut(config)...), '}')
	}
	if len(r.tools) > 0 {
		b = append(append(append(b, `,"toolConfig":{"tools":[`...), shut(r.tools)...), ']')
		if r.choice != nil {
			b = append(append(b, `,"toolChoice":`...), r.choice...)
		}
		b = append(b, '}')
	}
	for _, member := range [][]byte{more, output, tier} {
		if member != nil {
			b = append(append(b, ','), member...)
		}
	}
	return append(b, '}'), nil
}

// shut takes the comma off a list's end.
func shut(list []byte) []byte { return list[:max(0, len(list)-1)] }

// sampling says inferenceConfig, and names what the API has no word for.
func (r *request) sampling() (b []byte) {
	if r.limit != nil {
		b = append(strconv.AppendInt(append(b, `"maxTokens":`...), *r.limit, 10), ',')
	}
	s := &r.req.Sampling
	number := func(name, asked string, v *float64) {
		switch {
		case v == nil:
		case r.call.Can.NoSampling:
			r.drop(asked)
		default:
			if *v > 1 {
				r.drop(asked) // served as 1
			}
			b = append(providers.AppendString(b, name), ':')
			b = append(strconv.AppendFloat(b, min(*v, 1), 'g', -1, 64), ',')
		}
	}
	number("temperature", "temperature", s.Temperature)
	number("topP", "top_p", s.TopP)
	stops := slices.DeleteFunc(slices.Clone(r.req.Stop), func(s string) bool { return s == "" })
	if len(stops) > 0 {
		b = append(b, `"stopSequences":[`...)
		for _, stop := range stops {
			b = append(providers.AppendString(b, stop), ',')
		}
		b = append(shut(b), "],"...)
	}
	for _, lost := range [...]struct {
		name string
		said bool
	}{
		{"top_k", s.TopK != nil}, {"frequency_penalty", s.FrequencyPenalty != nil},
		{"presence_penalty", s.PresencePenalty != nil}, {"seed", s.Seed != nil},
	} {
		if lost.said {
			r.drop(lost.name)
		}
	}
	return b
}

// reasoning says how much to think in the words of the models that have any: Converse has none
// of its own.
// Sources: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-openai.html and
// https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html
func (r *request) reasoning() []byte {
	effort := r.req.Reasoning.Effort
	level := map[string]string{"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "high", "max": "high"}[effort]
	switch {
	case effort == "none", effort == "" && r.req.Reasoning.Budget == nil:
	case level != "" && strings.Contains(r.call.Model, "openai.gpt-oss"):
		return []byte(`"additionalModelRequestFields":{"reasoning_effort":"` + level + `"}`)
	case level != "" && strings.Contains(r.call.Model, "amazon.nova-2"):
		return []byte(`"additionalModelRequestFields":{"reasoningConfig":{"type":"enabled","maxReasoningEffort":"` + level + `"}}`)
	default:
		r.drop("reasoning_effort")
	}
	return nil
}

// format says response_format. Plain JSON mode has no field; the model is told in words.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html
func (r *request) format() ([]byte, error) {
	f := &r.req.Format
	switch {
	case f.Kind == providers.FormatJSON, f.Kind == providers.FormatSchema && len(f.Schema) == 0:
		r.drop("response_format")
		r.system = append(r.system, `{"text":"Answer with one valid JSON object and nothing else: no code fence and no text around it."},`...)
		return nil, nil
	case f.Kind != providers.FormatSchema:
		return nil, nil
	case r.call.Can.NoStructuredOutput:
		return nil, providers.Invalid("response_format", "this model takes no JSON schema")
	}
	b := append([]byte(`"outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":`), providers.AppendString(nil, string(f.Schema))...)
	if f.Name != "" {
		b = providers.AppendString(append(b, `,"name":`...), f.Name)
	}
	if f.Description != "" {
		b = providers.AppendString(append(b, `,"description":`...), f.Description)
	}
	return append(b, "}}}}"...), nil
}

// rest says the service tier, and names everything that is left.
func (r *request) rest() (tier []byte) {
	switch t := r.req.ServiceTier; t {
	case "", "auto":
	case "default", "standard":
		tier = []byte(`"serviceTier":{"type":"default"}`)
	case "flex", "priority":
		tier = []byte(`"serviceTier":{"type":"` + t + `"}`)
	default:
		r.drop("service_tier")
	}
	if r.req.User != "" {
		r.drop("user")
	}
	if len(r.req.Metadata) > 0 {
		r.drop("metadata")
	}
	if r.req.Parallel != nil && !*r.req.Parallel {
		r.drop("parallel_tool_calls")
	}
	for i := range r.req.Extras {
		if e := &r.req.Extras[i]; e.Name != "store" || string(e.Value) != "false" {
			r.drop(e.Name)
		}
	}
	for _, name := range r.req.Unread {
		r.drop(name)
	}
	return tier
}

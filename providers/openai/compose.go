package openai

import (
	"slices"
	"strconv"

	"github.com/aistrale/aistrale/providers"
)

// WriteRequest implements providers.Dialect for chat completions: the hub's words in one
// order of members, so that equal requests are equal bytes.
func (Dialect) WriteRequest(req *providers.Request, call providers.Call) (providers.Plan, error) {
	c := &composer{call: &call, req: req}
	c.dst = providers.AppendString(append(c.dst, `{"model":`...), call.Model)
	for _, step := range []func() error{c.messages, c.tools, c.choice, c.format} {
		if err := step(); err != nil {
			return providers.Plan{}, err
		}
	}
	if len(c.fetch) > 0 {
		return providers.Plan{Fetch: c.fetch}, nil
	}
	c.limits()
	c.sampling()
	c.reasoning()
	c.rest()
	c.extras()
	c.dst = append(c.dst, '}')
	return c.plan()
}

// composer builds one request body.
type composer struct {
	call    *providers.Call
	req     *providers.Request
	dst     []byte
	dropped []string
	fetch   []string
	custom  map[string]bool // names of free-form tools
}

func (c *composer) drop(name string) {
	c.dropped = providers.AddDropped(c.dropped, name)
}

func (c *composer) name(name string) {
	c.dst = append(append(append(c.dst, ',', '"'), name...), '"', ':')
}

func (c *composer) str(name, value string) {
	if value != "" {
		c.name(name)
		c.dst = providers.AppendString(c.dst, value)
	}
}

func (c *composer) integer(name string, value *int64) {
	if value != nil {
		c.name(name)
		c.dst = strconv.AppendInt(c.dst, *value, 10)
	}
}

func (c *composer) decimal(name string, value *float64) {
	if value != nil {
		c.name(name)
		c.dst = strconv.AppendFloat(c.dst, *value, 'g', -1, 64)
	}
}

func (c *composer) boolean(name string, value *bool) {
	if value != nil {
		c.name(name)
		c.dst = strconv.AppendBool(c.dst, *value)
	}
}

// plan applies the provider's quirks to the finished body.
func (c *composer) plan() (providers.Plan, error) {
	var doc providers.Document
	if err := doc.Scan(c.dst, nil); err != nil {
		return providers.Plan{}, Refuse("", "", "the request cannot be said in the upstream's language: "+err.Error())
	}
	s := splicer{call: c.call, doc: &doc}
	if c.call.Quirks.NoStreamUsage {
		s.edits = append(s.edits, providers.Edit{Name: "stream_options"})
	}
	s.bound()
	s.quirks()
	body := c.dst
	if len(s.edits) > 0 {
		body = doc.Splice(nil, s.edits...)
	}
	return providers.Plan{
		Requests: []providers.UpstreamRequest{{Path: c.call.Path, Body: body}},
		Dropped:  append(c.dropped, s.plan.Dropped...), MaxOutput: s.plan.MaxOutput, Choices: s.plan.Choices, Clamped: s.plan.Clamped,
	}, nil
}

func (c *composer) limits() {
	if c.req.LegacyMaxTokens {
		c.integer("max_tokens", c.req.MaxTokens)
	} else {
		c.integer("max_completion_tokens", c.req.MaxTokens)
	}
	c.integer("n", c.req.N)
	if len(c.req.Stop) > 0 {
		c.name("stop")
		for i, s := range c.req.Stop {
			c.dst = providers.AppendString(append(c.dst, "[,"[min(i, 1)]), s)
		}
		c.dst = append(c.dst, ']')
	}
}

func (c *composer) sampling() {
	s := &c.req.Sampling
	if s.TopK != nil {
		c.drop("top_k")
	}
	if c.call.Can.NoSampling {
		if s.Temperature != nil {
			c.drop("temperature")
		}
		if s.TopP != nil {
			c.drop("top_p")
		}
	} else {
		c.decimal("temperature", s.Temperature)
		c.decimal("top_p", s.TopP)
	}
	c.decimal("frequency_penalty", s.FrequencyPenalty)
	c.decimal("presence_penalty", s.PresencePenalty)
	c.integer("seed", s.Seed)
	c.boolean("logprobs", s.Logprobs)
	c.integer("top_logprobs", s.TopLogprobs)
}

// reasoning says effort; a budget of tokens becomes the effort that other gateways take for
// it, since the language has no budget.
func (c *composer) reasoning() {
	effort := c.req.Reasoning.Effort
	if b := c.req.Reasoning.Budget; effort == "" && b != nil {
		switch {
		case *b <= 0:
			effort = "none"
		case *b <= 2048:
			effort = "low"
		case *b <= 8192:
			effort = "medium"
		default:
			effort = "high"
		}
	}
	if effort == "" {
		return
	}
	if c.call.Can.NoThinking {
		if effort != "none" {
			c.drop("reasoning_effort")
		}
		return
	}
	said := Nearest(effort, c.call.Can.Efforts)
	if said != effort {
		c.drop("reasoning_effort") // served as another one
	}
	c.str("reasoning_effort", said)
}

// Nearest gives the highest of a model's efforts that is not above the one asked for, else its
// lowest. An unknown model takes what the language's owner documents, which has no max.
func Nearest(effort string, known []string) string {
	order := []string{"none", "minimal", "low", "medium", "high", "xhigh", "max"}
	asked := slices.Index(order, effort)
	if len(known) == 0 {
		if effort == "max" {
			return "xhigh"
		}
		return effort
	}
	if asked < 0 || slices.Contains(known, effort) {
		return effort
	}
	best := known[0]
	for _, k := range known {
		if at := slices.Index(order, k); at >= 0 && at <= asked {
			best = k
		}
	}
	return best
}

func (c *composer) rest() {
	c.str("user", c.call.EndUser)
	tier := c.req.ServiceTier
	if tier == "standard_only" { // Anthropic's word
		tier = "default"
	}
	c.str("service_tier", tier)
	if len(c.req.Metadata) > 0 {
		c.name("metadata")
		for i, l := range c.req.Metadata {
			c.dst = append(providers.AppendString(append(c.dst, "{,"[min(i, 1)]), l.Name), ':')
			c.dst = providers.AppendString(c.dst, l.Value)
		}
		c.dst = append(c.dst, '}')
	}
	if c.call.Stream {
		c.dst = append(c.dst, `,"stream":true,"stream_options":{"include_usage":true}`...)
	}
}

// extras passes on the language's own fields, and those whose owner nobody knows, under their
// top-level names. A nested one (extra_body.…) is never raised to the top: there it could
// stand for a field that was already judged.
func (c *composer) extras() {
	for _, e := range c.req.Extras {
		if e.Owner != Language && e.Owner != "" || !bare(e.Name) || spoken(e.Name) {
			c.drop(e.Name)
			continue
		}
		c.dst = append(providers.AppendString(append(c.dst, ','), e.Name), ':')
		c.dst = append(c.dst, e.Value...)
	}
	for _, name := range c.req.Unread {
		c.drop(name)
	}
}

func bare(name string) bool { return !slices.Contains([]byte(name), '.') }

// spoken reports whether a name is one that the hub has words for.
func spoken(name string) bool {
	switch name {
	case "model", "messages", "tools", "functions", "tool_choice", "function_call", "parallel_tool_calls", "response_format",
		"max_tokens", "max_completion_tokens", "n", "stop", "temperature", "top_p", "top_k", "frequency_penalty",
		"presence_penalty", "seed", "logprobs", "top_logprobs", "reasoning_effort", "user", "safety_identifier",
		"service_tier", "metadata", "stream", "stream_options":
		return true
	}
	return false
}

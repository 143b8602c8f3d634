package openai

import (
	"slices"

	"github.com/aistrale/aistrale/providers"
)

// WriteRequest implements providers.Dialect for chat completions: the hub's words in one
// order of members, so that equal requests are equal bytes.
func (Dialect) WriteRequest(req *providers.Request, call *providers.Call) (providers.Plan, error) {
	c := &composer{call: call, req: req}
	c.Dst = providers.AppendString(append(call.NewBody(), `{"model":`...), call.Model)
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
	c.Dst = append(c.Dst, '}')
	return c.plan()
}

// composer builds one request body.
type composer struct {
	Body
	call   *providers.Call
	req    *providers.Request
	fetch  []string
	custom map[string]bool           // names of free-form tools
	said   map[*providers.Block]bool // results that stand behind their calls already
}

// plan applies the provider's quirks to the finished body.
func (c *composer) plan() (providers.Plan, error) {
	var doc providers.Document
	if err := doc.Scan(c.Dst, nil); err != nil {
		return providers.Plan{}, Refuse("", "", "the request cannot be said in the upstream's language: "+err.Error())
	}
	s := splicer{call: c.call, doc: &doc}
	if c.call.Quirks.NoStreamUsage {
		s.edits = append(s.edits, providers.Edit{Name: "stream_options"})
	}
	s.bound()
	s.quirks()
	body := c.Dst
	if len(s.edits) > 0 {
		body = doc.Splice(nil, s.edits...)
	}
	return providers.Plan{
		Requests: c.call.One(providers.UpstreamRequest{Path: c.call.Path, Body: body}),
		Dropped:  append(c.Dropped, s.plan.Dropped...), MaxOutput: s.plan.MaxOutput, Choices: s.plan.Choices, Clamped: s.plan.Clamped,
	}, nil
}

func (c *composer) limits() {
	if c.req.LegacyMaxTokens {
		c.Integer("max_tokens", c.req.MaxTokens)
	} else {
		c.Integer("max_completion_tokens", c.req.MaxTokens)
	}
	c.Integer("n", c.req.N)
	if len(c.req.Stop) > 0 {
		c.Name("stop")
		for i, s := range c.req.Stop {
			c.Dst = providers.AppendString(append(c.Dst, "[,"[min(i, 1)]), s)
		}
		c.Dst = append(c.Dst, ']')
	}
}

func (c *composer) sampling() {
	s := &c.req.Sampling
	if s.TopK != nil {
		c.Drop("top_k")
	}
	if c.call.Can.NoSampling {
		if s.Temperature != nil {
			c.Drop("temperature")
		}
		if s.TopP != nil {
			c.Drop("top_p")
		}
	} else {
		c.Decimal("temperature", s.Temperature)
		c.Decimal("top_p", s.TopP)
	}
	c.Decimal("frequency_penalty", s.FrequencyPenalty)
	c.Decimal("presence_penalty", s.PresencePenalty)
	c.Integer("seed", s.Seed)
	c.Boolean("logprobs", s.Logprobs)
	c.Integer("top_logprobs", s.TopLogprobs)
}

// reasoning says effort, also for a budget of tokens.
func (c *composer) reasoning() {
	effort := c.req.Reasoning.Effort
	if b := c.req.Reasoning.Budget; effort == "" && b != nil {
		effort = EffortOf(*b)
	}
	if effort == "" {
		return
	}
	if c.call.Can.NoThinking {
		if effort != "none" {
			c.Drop("reasoning_effort")
		}
		return
	}
	said := Nearest(effort, c.call.Can.Efforts)
	if said != effort {
		c.Drop("reasoning_effort") // served as another one
	}
	c.Str("reasoning_effort", said)
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
	c.Account(c.req, c.call)
	if c.call.Stream {
		c.Dst = append(c.Dst, `,"stream":true,"stream_options":{"include_usage":true}`...)
	}
}

// extras passes on the language's own fields, and those whose owner nobody knows, under their
// top-level names. A nested one (extra_body.…) is never raised to the top: there it could
// stand for a field that was already judged.
func (c *composer) extras() {
	for _, e := range c.req.Extras {
		if e.Owner != Language && e.Owner != "" || !bare(e.Name) || spoken(e.Name) {
			c.Drop(e.Name)
			continue
		}
		c.Dst = append(providers.AppendString(append(c.Dst, ','), e.Name), ':')
		c.Dst = append(c.Dst, e.Value...)
	}
	for _, name := range c.req.Unread {
		c.Drop(name)
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

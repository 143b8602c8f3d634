package responses

import (
	"slices"
	"strconv"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/openai"
)

// leastOutput is the least bound that the API takes, in tokens.
// Source: https://platform.openai.com/docs/api-reference/responses/create (400 below 16).
const leastOutput = 16

// WriteRequest implements providers.Dialect: the hub's words in one order of members, so that
// equal requests are equal bytes.
func (Dialect) WriteRequest(req *providers.Request, call *providers.Call) (providers.Plan, error) {
	c := &composer{call: call, req: req, custom: map[string]bool{}}
	c.Dst = providers.AppendString(append(call.NewBody(), `{"model":`...), call.Model)
	if req.N != nil && *req.N > 1 {
		return providers.Plan{}, openai.Refuse("n", "unsupported_parameter", "'n' is not supported with this model: it gives one answer.")
	}
	for _, step := range []func() error{c.input, c.tools, c.choice} {
		if err := step(); err != nil {
			return providers.Plan{}, err
		}
	}
	c.limit()
	c.sampling()
	c.text()
	c.reasoning()
	c.account()
	if err := c.extras(); err != nil {
		return providers.Plan{}, err
	}
	c.Dst = append(c.Dst, '}')
	plan, err := c.plan()
	if err == nil && call.Op == providers.OpCountTokens {
		return counted(plan)
	}
	return plan, err
}

// composer builds one request body.
type composer struct {
	openai.Body
	call    *providers.Call
	req     *providers.Request
	custom  map[string]bool // ids of free-form calls
	include []string
	bound   int64 // max_output_tokens, 0 not said
}

// limit says the output's bound: the client's, or the gateway's own where that is less.
func (c *composer) limit() {
	if m := c.req.MaxTokens; m != nil {
		c.bound = *m
		if c.bound < leastOutput {
			c.bound = leastOutput
			c.Drop(c.limitSaid())
		}
	}
	if clamp := c.call.Clamp; clamp > 0 && (c.bound == 0 || c.bound > clamp) {
		c.bound = max(clamp, leastOutput)
	}
	if c.bound > 0 {
		c.Name("max_output_tokens")
		c.Dst = strconv.AppendInt(c.Dst, c.bound, 10)
	}
}

// limitSaid is the bound in the words of Chat, from which most of the hub's come.
func (c *composer) limitSaid() string {
	if c.req.LegacyMaxTokens {
		return "max_tokens"
	}
	return "max_completion_tokens"
}

func (c *composer) sampling() {
	s := &c.req.Sampling
	for _, f := range []struct {
		name string
		said bool
	}{
		{"top_k", s.TopK != nil}, {"frequency_penalty", s.FrequencyPenalty != nil}, {"presence_penalty", s.PresencePenalty != nil},
		{"seed", s.Seed != nil}, {"stop", len(c.req.Stop) > 0},
		{"temperature", c.call.Can.NoSampling && s.Temperature != nil}, {"top_p", c.call.Can.NoSampling && s.TopP != nil},
	} {
		if f.said {
			c.Drop(f.name)
		}
	}
	if !c.call.Can.NoSampling {
		c.Decimal("temperature", s.Temperature)
		c.Decimal("top_p", s.TopP)
	}
	if s.Logprobs != nil && *s.Logprobs {
		c.include = append(c.include, "message.output_text.logprobs")
		if s.TopLogprobs != nil {
			c.Name("top_logprobs")
			c.Dst = strconv.AppendInt(c.Dst, *s.TopLogprobs, 10)
		}
	}
}

// text says the output's format, and how much it shall say where the client wrote that in
// Chat's words.
func (c *composer) text() {
	f := &c.req.Format
	verbosity := c.extra("verbosity")
	if f.Kind == providers.FormatUnset && verbosity == nil {
		return
	}
	c.Name("text")
	c.Dst = append(c.Dst, '{')
	switch f.Kind {
	case providers.FormatText:
		c.Dst = append(c.Dst, `"format":{"type":"text"}`...)
	case providers.FormatJSON:
		c.Dst = append(c.Dst, `"format":{"type":"json_object"}`...)
	case providers.FormatSchema:
		name := f.Name
		if name == "" {
			name = "response"
		}
		c.Dst = providers.AppendString(append(c.Dst, `"format":{"type":"json_schema","name":`...), name)
		c.Str("description", f.Description)
		c.Name("schema")
		c.Dst = append(c.Dst, orEmpty(f.Schema)...)
		strict, lost := openai.Strict(f.Strict, f.Schema)
		if lost {
			c.Drop("response_format.json_schema.strict")
		}
		c.Boolean("strict", strict)
		c.Dst = append(c.Dst, '}')
	case providers.FormatUnset:
	}
	if verbosity != nil {
		if f.Kind != providers.FormatUnset {
			c.Dst = append(c.Dst, ',')
		}
		c.Dst = append(append(c.Dst, `"verbosity":`...), verbosity...)
	}
	c.Dst = append(c.Dst, '}')
}

// orEmpty gives a schema, or the one that takes no members.
func orEmpty(schema []byte) []byte {
	if len(schema) == 0 {
		return []byte(`{"type":"object","properties":{}}`)
	}
	return schema
}

// extra gives the value of a field that OpenAI alone has, nil where it was not said.
func (c *composer) extra(name string) []byte {
	for i := range c.req.Extras {
		if e := &c.req.Extras[i]; e.Name == name && e.Owner == openaiMinter {
			return e.Value
		}
	}
	return nil
}

// reasoning says effort, and asks for reasoning in the form that comes back next turn: the
// gateway's calls keep nothing at the provider.
func (c *composer) reasoning() {
	ask, can := &c.req.Reasoning, &c.call.Can
	effort := ask.Effort
	if b := ask.Budget; effort == "" && b != nil {
		effort = openai.EffortOf(*b)
	}
	if can.NoThinking {
		if effort != "" && effort != "none" {
			c.Drop("reasoning_effort")
		}
		return
	}
	said := effort
	if effort != "" {
		if said = openai.Nearest(effort, can.Efforts); said != effort {
			c.Drop("reasoning_effort") // served as another one
		}
	}
	show := ask.Show != nil && *ask.Show
	if said != "" || show {
		c.Name("reasoning")
		c.Dst = append(c.Dst, '{')
		if said != "" {
			c.Dst = providers.AppendString(append(c.Dst, `"effort":`...), said)
		}
		if show {
			if said != "" {
				c.Dst = append(c.Dst, ',')
			}
			c.Dst = append(c.Dst, `"summary":"auto"`...)
		}
		c.Dst = append(c.Dst, '}')
	}
	if can.Known || said != "" || show {
		c.include = append(c.include, "reasoning.encrypted_content")
	}
}

func (c *composer) account() {
	if len(c.include) > 0 {
		c.Name("include")
		c.Dst = append(c.Dst, '[')
		for _, name := range c.include {
			c.Separate()
			c.Dst = providers.AppendString(c.Dst, name)
		}
		c.Dst = append(c.Dst, ']')
	}
	if len(c.req.Tools) > 0 {
		c.Boolean("parallel_tool_calls", c.req.Parallel)
	}
	c.Account(c.req, c.call)
	c.Name("store")
	if kept := c.extra("store"); string(kept) == "true" {
		c.Dst = append(c.Dst, kept...)
	} else {
		c.Dst = append(c.Dst, "false"...)
	}
	if c.call.Stream {
		c.Dst = append(c.Dst, `,"stream":true`...)
	}
}

// extras passes on the fields that both of OpenAI's APIs have and those whose owner nobody
// knows, under their top-level names.
func (c *composer) extras() error {
	for i := range c.req.Extras {
		e := &c.req.Extras[i]
		switch {
		case e.Owner == openaiMinter:
			if err := c.chatExtra(e); err != nil {
				return err
			}
		case (e.Owner == "" || e.Owner == Language) && !slices.Contains([]byte(e.Name), '.') && !spoken(e.Name):
			c.own(e)
		default:
			c.Drop(e.Name)
		}
	}
	for _, name := range c.req.Unread {
		c.Drop(name)
	}
	return nil
}

func (c *composer) own(e *providers.Extra) {
	c.Dst = append(providers.AppendString(append(c.Dst, ','), e.Name), ':')
	c.Dst = append(c.Dst, e.Value...)
}

// chatExtra says a field of Chat's that the hub has no word for.
func (c *composer) chatExtra(e *providers.Extra) error {
	switch e.Name {
	case "verbosity", "store", "web_search_options": // said at their place
	case "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "moderation":
		c.own(e)
	case "modalities", "audio":
		if e.Name == "audio" || slices.Contains(words(e.Value), "audio") {
			return openai.Refuse(e.Name, "unsupported_parameter", "'"+e.Name+"' is not supported with this model: it makes no audio.")
		}
	case "logit_bias":
		if string(e.Value) != "{}" {
			c.Drop(e.Name)
		}
	default:
		c.Drop(e.Name)
	}
	return nil
}

// spoken reports whether a name is one that the hub has words for.
func spoken(name string) bool {
	return slices.Contains([]string{
		"model", "input", "instructions", "messages", "tools", "functions", "tool_choice", "function_call", "parallel_tool_calls", "text",
		"response_format", "max_tokens", "max_completion_tokens", "max_output_tokens", "n", "stop", "temperature", "top_p", "top_k",
		"frequency_penalty", "presence_penalty", "seed", "logprobs", "top_logprobs", "reasoning", "reasoning_effort", "include", "user",
		"safety_identifier", "service_tier", "metadata", "store", "stream", "stream_options", "previous_response_id", "conversation", "prompt",
		"background",
	}, name)
}

// plan applies the provider's quirks to the finished body.
func (c *composer) plan() (providers.Plan, error) {
	var doc providers.Document
	if err := doc.Scan(c.Dst, nil); err != nil {
		return providers.Plan{}, openai.Refuse("", "", "the request cannot be said in the upstream's language: "+err.Error())
	}
	s := splicer{call: c.call, doc: &doc}
	s.quirks()
	body := c.Dst
	if len(s.edits) > 0 {
		body = doc.Splice(nil, s.edits...)
	}
	plan := providers.Plan{
		Requests: c.call.One(providers.UpstreamRequest{Path: c.call.Path, Body: body}), Dropped: append(c.Dropped, s.dropped...), MaxOutput: c.bound,
	}
	if c.call.Clamp > 0 && (c.req.MaxTokens == nil || *c.req.MaxTokens > c.bound) {
		plan.Clamped = c.limitSaid() + "=" + strconv.FormatInt(c.bound, 10)
	}
	return plan, nil
}

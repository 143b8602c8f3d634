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
func (Dialect) WriteRequest(req *providers.Request, call providers.Call) (providers.Plan, error) {
	c := &composer{call: &call, req: req, custom: map[string]bool{}}
	c.dst = providers.AppendString(append(c.dst, `{"model":`...), call.Model)
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
	c.dst = append(c.dst, '}')
	return c.plan()
}

// composer builds one request body.
type composer struct {
	call    *providers.Call
	req     *providers.Request
	dst     []byte
	dropped []string
	custom  map[string]bool // ids of free-form calls
	include []string
	bound   int64 // max_output_tokens, 0 not said
}

func (c *composer) drop(name string) { c.dropped = providers.AddDropped(c.dropped, name) }

func (c *composer) name(name string) {
	c.dst = append(append(append(c.dst, ',', '"'), name...), '"', ':')
}

func (c *composer) str(name, value string) {
	if value != "" {
		c.name(name)
		c.dst = providers.AppendString(c.dst, value)
	}
}

func (c *composer) boolean(name string, value *bool) {
	if value != nil {
		c.name(name)
		c.dst = strconv.AppendBool(c.dst, *value)
	}
}

func (c *composer) decimal(name string, value *float64) {
	if value != nil {
		c.name(name)
		c.dst = strconv.AppendFloat(c.dst, *value, 'g', -1, 64)
	}
}

// separate puts a comma before an element, unless it is the first of its list.
func (c *composer) separate() {
	if c.dst[len(c.dst)-1] != '[' {
		c.dst = append(c.dst, ',')
	}
}

// limit says the output's bound: the client's, or the gateway's own where that is less.
func (c *composer) limit() {
	if m := c.req.MaxTokens; m != nil {
		c.bound = *m
		if c.bound < leastOutput {
			c.bound = leastOutput
			c.drop(c.limitSaid())
		}
	}
	if clamp := c.call.Clamp; clamp > 0 && (c.bound == 0 || c.bound > clamp) {
		c.bound = max(clamp, leastOutput)
	}
	if c.bound > 0 {
		c.name("max_output_tokens")
		c.dst = strconv.AppendInt(c.dst, c.bound, 10)
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
			c.drop(f.name)
		}
	}
	if !c.call.Can.NoSampling {
		c.decimal("temperature", s.Temperature)
		c.decimal("top_p", s.TopP)
	}
	if s.Logprobs != nil && *s.Logprobs {
		c.include = append(c.include, "message.output_text.logprobs")
		if s.TopLogprobs != nil {
			c.name("top_logprobs")
			c.dst = strconv.AppendInt(c.dst, *s.TopLogprobs, 10)
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
	c.name("text")
	c.dst = append(c.dst, '{')
	switch f.Kind {
	case providers.FormatText:
		c.dst = append(c.dst, `"format":{"type":"text"}`...)
	case providers.FormatJSON:
		c.dst = append(c.dst, `"format":{"type":"json_object"}`...)
	case providers.FormatSchema:
		name := f.Name
		if name == "" {
			name = "response"
		}
		c.dst = providers.AppendString(append(c.dst, `"format":{"type":"json_schema","name":`...), name)
		c.str("description", f.Description)
		c.name("schema")
		c.dst = append(c.dst, orEmpty(f.Schema)...)
		c.boolean("strict", f.Strict)
		c.dst = append(c.dst, '}')
	case providers.FormatUnset:
	}
	if verbosity != nil {
		if f.Kind != providers.FormatUnset {
			c.dst = append(c.dst, ',')
		}
		c.dst = append(append(c.dst, `"verbosity":`...), verbosity...)
	}
	c.dst = append(c.dst, '}')
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
		effort = effortOf(*b)
	}
	if can.NoThinking {
		if effort != "" && effort != "none" {
			c.drop("reasoning_effort")
		}
		return
	}
	said := effort
	if effort != "" {
		if said = openai.Nearest(effort, can.Efforts); said != effort {
			c.drop("reasoning_effort") // served as another one
		}
	}
	show := ask.Show != nil && *ask.Show
	if said != "" || show {
		c.name("reasoning")
		c.dst = append(c.dst, '{')
		if said != "" {
			c.dst = providers.AppendString(append(c.dst, `"effort":`...), said)
		}
		if show {
			if said != "" {
				c.dst = append(c.dst, ',')
			}
			c.dst = append(c.dst, `"summary":"auto"`...)
		}
		c.dst = append(c.dst, '}')
	}
	if can.Known || said != "" || show {
		c.include = append(c.include, "reasoning.encrypted_content")
	}
}

// effortOf is the effort that Chat's dialect takes for a budget of tokens.
func effortOf(budget int64) string {
	switch {
	case budget <= 0:
		return "none"
	case budget <= 2048:
		return "low"
	case budget <= 8192:
		return "medium"
	}
	return "high"
}

func (c *composer) account() {
	if len(c.include) > 0 {
		c.name("include")
		c.dst = append(c.dst, '[')
		for _, name := range c.include {
			c.separate()
			c.dst = providers.AppendString(c.dst, name)
		}
		c.dst = append(c.dst, ']')
	}
	c.boolean("parallel_tool_calls", c.req.Parallel)
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
	c.name("store")
	if kept := c.extra("store"); string(kept) == "true" {
		c.dst = append(c.dst, kept...)
	} else {
		c.dst = append(c.dst, "false"...)
	}
	if c.call.Stream {
		c.dst = append(c.dst, `,"stream":true`...)
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
			c.drop(e.Name)
		}
	}
	for _, name := range c.req.Unread {
		c.drop(name)
	}
	return nil
}

func (c *composer) own(e *providers.Extra) {
	c.dst = append(providers.AppendString(append(c.dst, ','), e.Name), ':')
	c.dst = append(c.dst, e.Value...)
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
			c.drop(e.Name)
		}
	default:
		c.drop(e.Name)
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
	if err := doc.Scan(c.dst, nil); err != nil {
		return providers.Plan{}, openai.Refuse("", "", "the request cannot be said in the upstream's language: "+err.Error())
	}
	s := splicer{call: c.call, doc: &doc}
	s.quirks()
	body := c.dst
	if len(s.edits) > 0 {
		body = doc.Splice(nil, s.edits...)
	}
	plan := providers.Plan{
		Requests: []providers.UpstreamRequest{{Path: c.call.Path, Body: body}}, Dropped: append(c.dropped, s.dropped...), MaxOutput: c.bound,
	}
	if c.call.Clamp > 0 && (c.req.MaxTokens == nil || *c.req.MaxTokens > c.bound) {
		plan.Clamped = c.limitSaid() + "=" + strconv.FormatInt(c.bound, 10)
	}
	return plan, nil
}

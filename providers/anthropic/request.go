package anthropic

import (
	"slices"
	"strconv"

	"github.com/aistrale/aistrale/providers"
)

// WriteRequest implements providers.Dialect.
func (Dialect) WriteRequest(req *providers.Request, call *providers.Call) (providers.Plan, error) {
	w := &writer{req: req, call: call}
	if err := w.write(); err != nil {
		return providers.Plan{}, err
	}
	body := w.limitMarks()
	if call.Op == providers.OpCountTokens {
		body, err := counted(body)
		return plan(call, providers.UpstreamRequest{Path: call.Path, Body: body}, w.betas, w.dropped), err
	}
	p := plan(call, providers.UpstreamRequest{Path: call.Path, Body: body}, w.betas, w.dropped)
	if w.bounded {
		p.MaxOutput, p.Clamped = providers.MaxOutput(&w.max, nil), w.clamped
	}
	return p, nil
}

// writer is one request under way. The order of the body's members is the one the prompt cache
// is keyed by: tools, system, messages.
type writer struct {
	req     *providers.Request
	call    *providers.Call
	body    []byte
	dropped []string
	betas   []string

	layout   layout
	thinking thinking
	config   []member // of output_config
	nudge    string   // what the model is told where the API has no field for it
	max      int64
	clamped  string // as Plan.Clamped
	bounded  bool   // max is told

	marks []span // cache marks in body that may be taken out again
	fixed int    // cache marks that stand in the client's own JSON
}

// member is one name and raw value of a JSON object.
type member struct {
	name  string
	value []byte
}

func (w *writer) write() error {
	steps := []func() error{
		w.refuse, w.layOut, w.readExtras, w.askThinking, w.fitClamp, w.askFormat,
		w.begin, w.writeTools, w.writeSystem, w.writeMessages, w.writeThinking, w.writeSampling, w.writeRest,
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	w.body = append(w.body, '}')
	return nil
}

// refuse names what the API has no words for and whose loss would change the answer's meaning.
func (w *writer) refuse() error {
	if n := w.req.N; n != nil && *n > 1 {
		return providers.Invalid("n", "anthropic gives one choice only: n must be 1")
	}
	s := &w.req.Sampling
	if s.Logprobs != nil && *s.Logprobs {
		return providers.Invalid("logprobs", "anthropic gives no log probabilities")
	}
	if s.TopLogprobs != nil && *s.TopLogprobs > 0 {
		return providers.Invalid("top_logprobs", "anthropic gives no log probabilities")
	}
	if m := w.req.MaxTokens; m != nil && *m < 1 {
		return providers.Invalid(w.maxName(), "the output limit must be at least 1")
	}
	return nil
}

func (w *writer) maxName() string {
	if w.req.LegacyMaxTokens {
		return "max_tokens"
	}
	return "max_completion_tokens"
}

// begin writes what stands before the prompt.
func (w *writer) begin() error {
	w.body = append(w.call.NewBody(), '{')
	w.field("model")
	w.body = providers.AppendString(w.body, w.call.Model)
	if w.bounded = w.field("max_tokens"); w.bounded {
		w.body = strconv.AppendInt(w.body, w.max, 10)
	}
	if w.call.Stream && w.field("stream") {
		w.body = append(w.body, "true"...)
	}
	return nil
}

// field begins a top-level member, unless the provider is known to refuse it.
func (w *writer) field(name string) bool {
	if slices.Contains(w.call.Quirks.Strip, name) {
		w.drop(name)
		return false
	}
	if as := w.call.Quirks.Rename[name]; as != "" {
		name = as
	}
	if len(w.body) > 1 {
		w.body = append(w.body, ',')
	}
	w.body = append(providers.AppendString(w.body, name), ':')
	return true
}

// drop notes, once, what the upstream cannot be told.
func (w *writer) drop(name string) {
	w.dropped = providers.AddDropped(w.dropped, name)
}

func (w *writer) beta(name string) {
	if !slices.Contains(w.betas, name) {
		w.betas = append(w.betas, name)
	}
}

// maxTokens is the API's required bound where the client gave none.
// Source: https://docs.claude.com/en/docs/about-claude/models/overview
func (w *writer) maxTokens() int64 {
	switch {
	case w.req.MaxTokens != nil:
		return *w.req.MaxTokens
	case w.call.Can.MaxOutput > 0:
		return w.call.Can.MaxOutput
	case oldModel(w.call.Model):
		return 4096
	}
	return 8192
}

package gemini

import (
	"github.com/aistrale/aistrale/providers"
)

// request is a native request under construction.
type request struct {
	req     *providers.Request
	call    *providers.Call
	system  []string
	turns   []content
	gen     fields // generationConfig
	top     fields // what stands beside contents
	hosted  []fields
	fetch   []string
	wanted  map[string]bool // those in fetch
	dropped []string
	limit   *int64   // of each candidate's output, nil for none
	clamped string   // as Plan.Clamped
	room    [4]field // for what generationConfig mostly has
}

// WriteRequest implements providers.Dialect.
func (Dialect) WriteRequest(req *providers.Request, call *providers.Call) (providers.Plan, error) {
	r := &request{req: req, call: call}
	r.gen = r.room[:0]
	r.bound()
	if err := r.contents(); err != nil {
		return providers.Plan{}, err
	}
	if len(r.fetch) > 0 {
		return providers.Plan{Fetch: r.fetch}, nil
	}
	tools, config, err := r.tools()
	if err != nil {
		return providers.Plan{}, err
	}
	if err := r.generation(len(tools) > 0); err != nil {
		return providers.Plan{}, err
	}
	if err := r.extras(); err != nil {
		return providers.Plan{}, err
	}
	if err := r.fitThinking(); err != nil {
		return providers.Plan{}, err
	}
	r.rest()
	return r.plan(tools, config), nil
}

// plan writes the body.
func (r *request) plan(tools []declaration, config []byte) providers.Plan {
	w := body{r.call.NewBody()}
	w.open('{')
	r.writeSystem(&w)
	r.writeContents(&w)
	r.writeTools(&w, tools)
	if config != nil {
		w.rawField("toolConfig", config)
	}
	if len(r.gen) > 0 {
		w.key("generationConfig")
		r.gen.write(&w)
	}
	for _, f := range r.top {
		w.rawField(f.name, f.raw)
	}
	w.shut('}')
	if r.call.Op == providers.OpCountTokens {
		w.b = countRequest(r.call, w.b)
	}
	var choices int64
	if r.req.N != nil {
		choices = *r.req.N
	}
	return providers.Plan{
		Requests: r.call.One(providers.UpstreamRequest{Path: r.call.Path, Body: w.b}),
		Dropped:  r.dropped, MaxOutput: providers.MaxOutput(r.limit, r.req.N), Choices: choices, Clamped: r.clamped,
	}
}

// drop names what cannot be told, once.
func (r *request) drop(name string) {
	r.dropped = providers.AddDropped(r.dropped, name)
}

// rest says the request's few words beside the turns, the tools and the generation.
func (r *request) rest() {
	switch r.req.ServiceTier {
	case "", "auto":
	case "default", "standard", "standard_only":
		r.top.set("serviceTier", quoted("standard"))
	case "flex", "priority":
		r.top.set("serviceTier", quoted(r.req.ServiceTier))
	default:
		r.drop("service_tier")
	}
	if r.req.User != "" {
		r.drop("user")
	}
	// Labels are Vertex's only; the Developer API refuses them.
	if len(r.req.Metadata) > 0 {
		r.drop("metadata")
	}
	if r.req.Parallel != nil && !*r.req.Parallel {
		r.drop("parallel_tool_calls")
	}
}

func (r *request) writeSystem(w *body) {
	if len(r.system) == 0 {
		return
	}
	w.key("systemInstruction")
	w.open('{')
	w.key("parts")
	w.open('[')
	for _, text := range r.system {
		w.open('{')
		w.field("text", text)
		w.shut('}')
	}
	w.shut(']')
	w.shut('}')
}

func (r *request) writeContents(w *body) {
	w.key("contents")
	w.open('[')
	for i := range r.turns {
		w.open('{')
		w.field("role", r.turns[i].role)
		w.key("parts")
		w.open('[')
		w.raw(r.turns[i].parts.b)
		w.shut(']')
		w.shut('}')
	}
	w.shut(']')
}

// fields are members of a JSON object in the order in which they were first set.
type fields []field

type field struct {
	name string
	raw  []byte
}

func (f *fields) set(name string, raw []byte) {
	for i := range *f {
		if (*f)[i].name == name {
			(*f)[i].raw = raw
			return
		}
	}
	*f = append(*f, field{name, raw})
}

func (f *fields) get(name string) []byte {
	for i := range *f {
		if (*f)[i].name == name {
			return (*f)[i].raw
		}
	}
	return nil
}

func (f *fields) remove(name string) {
	kept := (*f)[:0]
	for _, m := range *f {
		if m.name != name {
			kept = append(kept, m)
		}
	}
	*f = kept
}

func (f fields) write(w *body) {
	w.open('{')
	for _, m := range f {
		w.rawField(m.name, m.raw)
	}
	w.shut('}')
}

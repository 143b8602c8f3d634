package proxy

import (
	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
)

// models answers with what the key may use, without any upstream.
func (f *flight) models() error {
	if f.endpoint.Show != nil {
		return f.showModel(f.vars.model())
	}
	var list []providers.ListedModel
	for i := range f.state.Models {
		if m := &f.state.Models[i]; policy.Lists(f.key, m.ID, f.state.Router) {
			list = append(list, *m)
		}
	}
	list = append(list, f.prompts()...)
	f.answerOwn(f.endpoint.List(f.scratch[:0], list, f.query))
	return nil
}

// showModel answers for one model. One that is not listed is shown too where the router knows
// it: the catalogue need not be complete.
func (f *flight) showModel(id string) error {
	for i := range f.state.Models {
		if m := &f.state.Models[i]; m.ID == id && policy.Lists(f.key, id, f.state.Router) {
			f.answerOwn(f.endpoint.Show(f.scratch[:0], m))
			return nil
		}
	}
	known := f.prompts()
	for i := range known {
		if known[i].ID == id {
			f.answerOwn(f.endpoint.Show(f.scratch[:0], &known[i]))
			return nil
		}
	}
	var targets []policy.Target
	alias, err := f.state.Router.Resolve(id)
	if err == nil {
		targets, err = policy.AdmitTargets(f.key, id, alias.Targets)
	}
	if err != nil {
		return &providers.Fault{Kind: providers.FaultNoModel, Param: "model", NoRetry: true,
			Message: "The model '" + clean([]byte(id)) + "' does not exist"}
	}
	f.answerOwn(f.endpoint.Show(f.scratch[:0], &providers.ListedModel{ID: id, OwnedBy: targets[0].Provider}))
	return nil
}

// query gives a parameter of the request's URL, "" where it has none of that name.
func (f *flight) query(name string) string { return string(f.fc.QueryArgs().Peek(name)) }

// answerOwn sends a reply that no upstream had a part in.
func (f *flight) answerOwn(body []byte) {
	f.scratch = body
	f.reply.whole, f.reply.contentType = true, "application/json"
	f.relay()
}

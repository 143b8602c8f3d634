package proxy

import (
	"math/rand/v2"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
)

// admit decides whether the key may make this call. It touches no counter.
func (f *flight) admit() error {
	if f.rec.Asked == "" {
		return providers.Invalid("model", "you must provide a model parameter")
	}
	targets, err := f.state.Router.Resolve(f.rec.Asked, rand.Float64()) //nolint:gosec // spreads load, guards nothing
	if err != nil {
		return err
	}
	if err := policy.AdmitModel(f.key, f.rec.Asked, targets); err != nil {
		return err
	}
	if len(f.doc.Hits) > 0 {
		if err := policy.AdmitFields(f.key, f.doc.Hits, targets); err != nil {
			return err
		}
	}
	f.targets = targets
	return nil
}

// target is a policy.Target with the account that serves it.
type target struct {
	policy.Target
	account *Account
	route   providers.Route
}

// route gives the accounts to try, in order. A target that does not serve the operation is
// passed over where another does.
func (f *flight) route() ([]target, error) {
	out := f.room[:0]
	var why error
	for _, t := range f.targets {
		account := f.account(t)
		if account == nil {
			why = noModel(f.rec.Asked)
			continue
		}
		route, ok := account.Routes[f.endpoint.op]
		if !ok {
			why = f.noOperation(": its provider has no such endpoint.")
			continue
		}
		out = append(out, target{t, account, route})
	}
	if len(out) == 0 {
		return nil, why
	}
	return out, nil
}

// account finds who serves a target: an account for that one model, or the provider's.
func (f *flight) account(t policy.Target) *Account {
	name := f.rec.Asked
	if !t.Is(name) { // an alias, which may have a provider's name
		name = t.Name()
	}
	if a := f.state.Accounts[name]; a != nil {
		return a
	}
	return f.state.Accounts[t.Provider]
}

func (f *flight) noOperation(why string) error {
	return &providers.Fault{Kind: providers.FaultNoModel, Param: "model", NoRetry: true,
		Message: "The model `" + f.rec.Asked + "` does not support " + f.endpoint.op.String() + why}
}

func noModel(asked string) error {
	return &providers.Fault{Kind: providers.FaultNoModel, Param: "model", NoRetry: true,
		Message: "The model `" + asked + "` does not exist or you do not have access to it."}
}

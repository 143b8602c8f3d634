package proxy

import (
	"math/rand/v2"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
)

// target is a policy.Target with the account that serves it.
type target struct {
	policy.Target
	account *Account
	route   providers.Route
}

// route gives the places to try, in order: each target with each account that serves it. A
// target that does not serve the operation is passed over where another does.
func (f *flight) route() ([]target, error) {
	out := f.room[:0]
	var why error
	for _, t := range f.alias.Order(rand.Uint64(), f.score) { //nolint:gosec // spreads load, guards nothing
		accounts := f.accounts(t)
		if len(accounts) == 0 {
			why = noModel(f.rec.Asked)
			continue
		}
		route, ok := accounts[0].Routes[f.endpoint.op]
		if !ok {
			why = f.noOperation(": its provider has no such endpoint.")
			continue
		}
		for _, a := range accounts {
			out = append(out, target{t, a, route})
		}
	}
	if len(out) == 0 {
		return nil, why
	}
	return out, nil
}

func (f *flight) score(*policy.Target) float64 { return 0 }

// accounts finds who serves a target: accounts for that one model, or the provider's.
func (f *flight) accounts(t policy.Target) []*Account {
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

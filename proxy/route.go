package proxy

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// target is a policy.Target with the account that serves it, and what became of it in one call.
type target struct {
	policy.Target
	account *Account
	route   providers.Route
	*lore

	tried    bool
	late     bool          // it failed elsewhere in a way that it may share
	shut     bool          // its circuit let the call not through
	dead     bool          // it can't serve this call
	asked    time.Duration // the wait that its upstream asked for
	fault    string        // code of what it failed with last
	trickles bool          // it goes past an open circuit
}

func (t *target) place() policy.Place {
	return policy.Place{Provider: t.Provider, Credential: t.account.Credential, Model: t.Model}
}

// route gives the places to try, in order: each target with each account that serves it. A
// target that does not serve the operation is passed over where another does.
func (f *flight) route() ([]target, error) {
	if f.endpoint.About() {
		return f.routeStored()
	}
	out := f.room[:0]
	var why error
	if err := f.addFallbacks(); err != nil {
		return nil, err
	}
	f.stickyBy = f.stickiness()
	f.sticky = f.stickyKey(f.stickyBy)
	targets := f.order()
	if len(f.fallbacks) > 0 {
		targets = slices.Concat(targets, f.fallbacks)
	}
	for _, t := range targets {
		accounts := f.accounts(t)
		if len(accounts) == 0 {
			why = noModel(f.rec.Asked)
			f.passOver(t, "", storage.FateNoAccount)
			continue
		}
		route, ok := accounts[0].routeOf(f.endpoint.Op, f.endpoint.Face.Language(), t.Model)
		if !ok {
			why = f.noOperation(": its provider has no such endpoint.")
			f.passOver(t, "", storage.FateNoOperation)
			continue
		}
		lead := f.lead(t, accounts)
		for i := range accounts {
			a := accounts[(lead+i)%len(accounts)]
			if !f.state.Regions.Allow(f.key.Workspace, a.Region) {
				why = outOfRegion(f.rec.Asked)
				f.passOver(t, a.Credential, storage.FateRegion)
				continue
			}
			out = append(out, target{Target: t, account: a, route: route, lore: f.lore(&t, a)})
		}
	}
	if len(out) == 0 {
		return nil, why
	}
	out, err := f.keepHeld(out)
	if err != nil {
		return nil, err
	}
	if out, err = f.keepOwn(out); err != nil {
		return nil, err
	}
	f.warmFirst(out)
	return out, nil
}

// order puts the alias' targets in order. Where its first one is a matter of chance, a sticky
// call always gets the same.
func (f *flight) order() []policy.Target {
	a := f.alias
	if f.sticky == 0 || len(a.Targets) < 2 || !a.Spreads() {
		return a.Order(rand.Uint64(), f.score) //nolint:gosec // spreads load, guards nothing
	}
	i := policy.Rendezvous(f.sticky, len(a.Targets), func(i int) (uint64, int) {
		t := &a.Targets[i]
		return policy.HashParts(t.Provider, t.Model), t.Weight
	})
	return slices.Concat(a.Targets[i:i+1], a.Targets[:i], a.Targets[i+1:])
}

// lead is the account of a target to try first.
func (f *flight) lead(t policy.Target, accounts []*Account) int {
	n := len(accounts)
	if n < 2 {
		return 0
	}
	if f.sticky != 0 {
		return policy.Rendezvous(f.sticky, n, func(i int) (uint64, int) {
			return policy.HashParts(t.Provider, accounts[i].Credential), accounts[i].Weight
		})
	}
	total := 0
	for _, a := range accounts {
		total += a.Weight
	}
	chance := rand.Uint64() //nolint:gosec // spreads load, guards nothing
	if total == 0 {
		return int(chance % uint64(n))
	}
	return policy.Weighted(n, func(i int) int { return accounts[i].Weight }, chance, total)
}

// score is how slow or how dear a target is for this call, as the alias' strategy wants it.
func (f *flight) score(t *policy.Target) float64 {
	accounts := f.accounts(*t)
	best := math.Inf(1)
	now := time.Now()
	for _, a := range accounts {
		if f.alias.Strategy == policy.StrategyCheapest {
			best = min(best, f.price(t, a))
			continue
		}
		best = min(best, f.lore(t, a).circuit.Load(f.call.Stream, now))
	}
	return best
}

// usualOutput stands for what a call makes that may make more: how much it will is unknown, and
// a bound that nobody reaches would weigh the price of output too high.
const usualOutput = 500

// price is what a call like this one costs, +Inf where that is unknown.
func (f *flight) price(t *policy.Target, a *Account) float64 {
	output := int64(usualOutput)
	if most := f.asked.MaxOutput; most > 0 {
		output = min(output, most)
	}
	charge := f.state.Prices.Charge(policy.Called{
		Provider: t.Provider, Model: t.Model, Region: a.Tariff, Time: f.start, Estimated: true,
	}, []providers.Normal{{InputUncached: int64(len(f.doc.Raw))/4 + 1, Output: output}})
	if charge.Unpriced != "" {
		return math.Inf(1)
	}
	return float64(charge.CostNano)
}

// accounts finds who serves a target: accounts for that one model, or the provider's.
func (f *flight) accounts(t policy.Target) []*Account {
	name := f.rec.Asked
	if !t.Is(name) { // an alias, which may have a provider's name
		name = t.Name()
	}
	if a := f.state.accounts(f.key.Workspace, name); a != nil {
		return a
	}
	return f.state.accounts(f.key.Workspace, t.Provider)
}

// accounts gives those of a name that serve a workspace: its own, else everybody's.
func (s *Snapshot) accounts(workspace, name string) []*Account {
	if own := s.Own[workspace][name]; own != nil {
		return own
	}
	return s.Accounts[name]
}

func (f *flight) noOperation(why string) error {
	return &providers.Fault{Kind: providers.FaultNoModel, Param: "model", NoRetry: true,
		Message: "The model `" + f.rec.Asked + "` does not support " + f.endpoint.Op.String() + why}
}

func noModel(asked string) error {
	return &providers.Fault{Kind: providers.FaultNoModel, Param: "model", NoRetry: true,
		Message: "The model `" + asked + "` does not exist or you do not have access to it."}
}

func outOfRegion(asked string) error {
	return &providers.Fault{Kind: providers.FaultForbidden, Param: "model", NoRetry: true,
		Message: "The model `" + asked + "` is not served in the regions that this key's workspace is kept to."}
}

package proxy

import (
	"maps"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
)

// lore is what is known of an account's model, from earlier calls and from the catalog.
type lore struct {
	circuit    *policy.Circuit
	credential *policy.Circuit // what is known of the account's credential, whatever the model
	budget     *policy.RetryBudget
	can        providers.Capabilities
}

type loreOf struct {
	account *Account
	model   string
}

// maxLore bounds how many models a snapshot has at hand: clients can make names up.
const maxLore = 512

// lore finds what is known of a target; the models that were asked for first are at hand.
func (f *flight) lore(t *policy.Target, a *Account) *lore {
	of := loreOf{a, t.Model}
	known := f.state.known.Load()
	if known != nil {
		if l := (*known)[of]; l != nil && !l.circuit.Gone() {
			return l
		}
	}
	h := f.g.options.Health
	l := &lore{
		circuit:    h.Circuit(policy.Place{Provider: t.Provider, Credential: a.Credential, Model: t.Model}, &a.Breaker),
		credential: h.Credential(t.Provider, a.Credential),
		budget:     h.Budget(t.Provider),
		can:        a.can(t.Model),
	}
	grown := map[loreOf]*lore{}
	if known != nil {
		if len(*known) >= maxLore && (*known)[of] == nil {
			return l
		}
		grown = maps.Clone(*known)
	}
	grown[of] = l
	f.state.known.CompareAndSwap(known, &grown) // where another was faster, the next call is at hand
	return l
}

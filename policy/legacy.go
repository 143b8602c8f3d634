package policy

import (
	"strconv"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// Legacy is what a gateway that died had been granted for an attempt, as far as its entry tells,
// and what the attempt spent.
type Legacy struct {
	Ask *Ask // slots and budgets; what was reserved is not known
	// Spent is by budget; -1 where it is not known, so that all that was reserved counts.
	Spent []int64
}

// Legacies reads entries of gateways that died. Attempts for which nothing holds are left out, as
// are limits that were not in force when they are read.
func (l *Limits) Legacies(entries []storage.Entry) []Legacy {
	var out []Legacy
	keys := map[storage.Series]*KeyLimits{}
	for i := range entries {
		e := &entries[i]
		who := storage.Series{Workspace: e.Workspace, Project: e.Project, Key: e.Key, KeyName: e.KeyName, User: e.User}
		k := keys[who]
		if k == nil {
			k = l.compile(&storage.Key{ID: e.Key, Name: e.KeyName, Workspace: e.Workspace, Project: e.Project, Owner: e.User})
			keys[who] = k
		}
		if one := k.legacy(e); len(one.Ask.Slots)+len(one.Ask.Budgets) > 0 {
			out = append(out, one)
		}
	}
	return out
}

func (k *KeyLimits) legacy(e *storage.Entry) Legacy {
	w := Wanted{Asked: e.Asked, Target: Target{Provider: e.Provider, Model: e.Model}}
	out := Legacy{Ask: &Ask{Lease: LeaseOf(e), Now: e.Time}}
	for i := range k.slots {
		if fits(k.slots[i].Of.Models, &w) {
			out.Ask.Slots = append(out.Ask.Slots, k.slots[i])
		}
	}
	for i := range k.budgets {
		if b := &k.budgets[i]; fits(b.ask.Of.Budget.Models, &w) {
			out.Ask.Budgets = append(out.Ask.Budgets, b.at(e.Time))
			out.Spent = append(out.Spent, spentOf(b.ask.Of.Counts, e.Lines, &e.Charge))
		}
	}
	return out
}

// LeaseOf names the lease of an entry's attempt.
func LeaseOf(e *storage.Entry) string { return e.RequestID.String() + "/" + strconv.Itoa(e.Attempt) }

// spentOf is what an attempt spent of a budget, -1 where nobody knows.
func spentOf(c Counted, lines []providers.Normal, charge *storage.Charge) int64 {
	if c == CountedNano {
		if !charge.Known() {
			return -1
		}
		return charge.CostNano
	}
	var input, output int64
	for i := range lines {
		input = plus(input, max(0, lines[i].Input()))
		output = plus(output, max(0, lines[i].Output))
	}
	switch c {
	case CountedInput:
		return input
	case CountedOutput:
		return output
	case CountedTokens, CountedNano, CountedRequests:
	}
	return plus(input, output)
}

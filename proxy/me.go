package proxy

import (
	"context"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// me is what the holder of a key is told of it. What everybody shares (the scope all) is nobody's
// to see.
type me struct {
	Object         string       `json:"object"` // "key"
	ID             string       `json:"id"`
	Name           string       `json:"name"`
	Workspace      string       `json:"workspace"`
	Project        string       `json:"project"`
	Owner          string       `json:"owner,omitzero"`
	Session        string       `json:"session,omitzero"` // that the request names
	Tags           []string     `json:"tags"`
	CreatedAt      time.Time    `json:"created_at,omitzero"`
	ExpiresAt      *time.Time   `json:"expires_at"`
	Models         []string     `json:"models"`
	DenyModels     []string     `json:"deny_models,omitzero"`
	AllowProviders []string     `json:"allow_providers,omitzero"`
	DenyProviders  []string     `json:"deny_providers,omitzero"`
	Counters       string       `json:"counters"`
	Limits         []limitSeen  `json:"limits"`
	Budgets        []budgetSeen `json:"budgets"`
}

// How far counters could be asked.
const (
	countersOK       = "ok"
	countersDegraded = "degraded"    // it is what this gateway knows by itself
	countersUnknown  = "unreachable" // what is left is null
)

// limitSeen is a limit as it stands.
type limitSeen struct {
	Scope  string   `json:"scope"`
	Models []string `json:"models,omitzero"`
	// Counts is requests, tokens, input_tokens, output_tokens, or concurrent.
	Counts string     `json:"counts"`
	Limit  int64      `json:"limit"`
	Per    string     `json:"per,omitzero"`   // minute, day
	Burst  int64      `json:"burst,omitzero"` // at once
	Left   *int64     `json:"left"`
	Takes  *int64     `json:"takes,omitzero"`     // of a dry run: what the call would take
	Full   *time.Time `json:"resets_at,omitzero"` // when all of Burst is left
}

// budgetSeen is a budget as it stands: USD as decimal text, or tokens.
type budgetSeen struct {
	Scope    string     `json:"scope"`
	Models   []string   `json:"models,omitzero"`
	Counts   string     `json:"counts"` // usd, tokens, input_tokens, output_tokens
	Limit    string     `json:"limit"`
	Spent    *string    `json:"spent"`
	Reserved *string    `json:"reserved"`
	Left     *string    `json:"left"`
	Takes    *string    `json:"takes,omitzero"` // of a dry run: what the call would reserve
	Per      string     `json:"per"`            // day, week, month, total, or how long a rolling window is
	TimeZone string     `json:"time_zone,omitzero"`
	Since    *time.Time `json:"starts_at,omitzero"`
	Resets   *time.Time `json:"resets_at,omitzero"`
	Hard     bool       `json:"hard"`
}

// tellWithin bounds how long a question about a key may take.
const tellWithin = 5 * time.Second

// me answers who the key is and what is left of what bounds it.
func (f *flight) me() error {
	f.nameSession()
	k := f.key
	said := me{
		Object: "key", ID: k.ID, Name: k.Name, Workspace: k.Workspace, Project: k.Project, Owner: k.Owner, Session: f.rec.Session,
		Tags: some(k.Tags), CreatedAt: k.CreatedAt, ExpiresAt: k.ExpiresAt, Models: some(k.Models),
		DenyModels: k.DenyModels, AllowProviders: k.AllowProviders, DenyProviders: k.DenyProviders,
		Counters: countersOK, Limits: []limitSeen{}, Budgets: []budgetSeen{},
	}
	if f.state.Limits != nil {
		f.seeLimits(&said)
	}
	return f.answerJSON(&said)
}

func (f *flight) answerJSON(v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	f.answerOwn(append(f.scratch[:0], body...))
	return nil
}

func some[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// seeLimits adds what bounds the key, as the counters say.
func (f *flight) seeLimits(said *me) {
	ask := f.state.Limits.For(f.key).Standing(f.start, f.rec.Session)
	stands, err := f.gauge(ask)
	said.Counters = howKnown(stands, err)
	said.Limits, said.Budgets = f.see(ask, stands, nothingTaken)
}

// gauge asks how counters stand; nil where they cannot be asked.
func (f *flight) gauge(ask *policy.Ask) (*policy.Gauge, error) {
	ctx, cancel := context.WithTimeout(lifetime{f}, tellWithin)
	defer cancel()
	stands, err := f.g.options.Counters.Gauge(ctx, ask)
	if err != nil {
		return nil, err
	}
	return &stands, nil
}

func howKnown(stands *policy.Gauge, err error) string {
	switch {
	case err != nil:
		return countersUnknown
	case stands.Degraded:
		return countersDegraded
	}
	return countersOK
}

// nothingTaken is the output of no call: what is seen is not what one takes.
const nothingTaken = -1

// see says how what is asked for stands, where that is known, and what a call takes of it that
// makes so many tokens of output.
func (f *flight) see(ask *policy.Ask, stands *policy.Gauge, output int64) ([]limitSeen, []budgetSeen) {
	limits, budgets := []limitSeen{}, []budgetSeen{}
	for i := range ask.Rates {
		r := &ask.Rates[i]
		if r.Of.Holder.Kind == storage.ScopeAll {
			continue
		}
		seen := f.seeRate(r)
		if stands != nil {
			full := f.start.Add(stands.Rates[i].Reset).UTC().Truncate(time.Millisecond)
			seen.Left, seen.Full = &stands.Rates[i].Remaining, &full
		}
		if output >= 0 {
			seen.Takes = &r.Cost
		}
		limits = append(limits, seen)
	}
	for i := range ask.Slots {
		of := ask.Slots[i].Of
		if of.Holder.Kind == storage.ScopeAll {
			continue
		}
		seen := limitSeen{Scope: f.scope(&of.Holder), Models: of.Models, Counts: "concurrent", Limit: of.Limit}
		if stands != nil {
			left := max(0, of.Limit-stands.Slots[i])
			seen.Left = &left
		}
		limits = append(limits, seen)
	}
	for i := range ask.Budgets {
		b := &ask.Budgets[i]
		if b.Of.Holder.Kind == storage.ScopeAll {
			continue
		}
		seen := f.seeBudget(b)
		if stands != nil {
			seen.stands(b, stands.Budgets[i])
		}
		if output >= 0 {
			takes := amountOf(b, b.Reserve(output))
			seen.Takes = &takes
		}
		budgets = append(budgets, seen)
	}
	return limits, budgets
}

func (f *flight) seeRate(r *policy.RateAsk) limitSeen {
	of := r.Of
	seen := limitSeen{Scope: f.scope(&of.Holder), Models: of.Models, Counts: of.Counts.String(), Limit: of.Limit, Per: "minute", Burst: r.Burst}
	if of.Per > time.Minute {
		seen.Per = "day"
	}
	return seen
}

// scope says whose a counter is; a session is the one that the request names.
func (f *flight) scope(h *policy.Holder) string {
	if h.Kind == storage.ScopeSession {
		return string(h.Kind) + "/" + f.rec.Session
	}
	return h.Scope().String()
}

func (f *flight) seeBudget(b *policy.BudgetAsk) budgetSeen {
	rule := b.Of.Budget
	seen := budgetSeen{
		Scope: f.scope(&b.Of.Holder), Models: rule.Models, Counts: b.Of.Counts.String(), Limit: amountOf(b, b.Limit),
		Per: string(rule.Per), Hard: !rule.Advisory,
	}
	switch {
	case rule.Per == storage.SpanRolling:
		seen.Per = rule.Rolling.String()
	case !b.Window.End.IsZero():
		from, to := b.Window.Start.UTC(), b.Window.End.UTC()
		seen.Since, seen.Resets, seen.TimeZone = &from, &to, b.Of.Zone.String()
	}
	return seen
}

func (s *budgetSeen) stands(b *policy.BudgetAsk, state policy.BudgetState) {
	spent, reserved := amountOf(b, state.Spent), amountOf(b, state.Reserved)
	left := amountOf(b, max(0, b.Limit-state.Spent-state.Reserved))
	s.Spent, s.Reserved, s.Left = &spent, &reserved, &left
}

func amountOf(b *policy.BudgetAsk, units int64) string {
	if b.Of.Counts == policy.CountedNano {
		return storage.FormatUSD(units)
	}
	return strconv.FormatInt(units, 10)
}

// untold is what a key is told that cannot be told now what it asks.
func untold(err error) error {
	return &providers.Fault{Kind: providers.FaultUnavailable, Retryable: true, RetryAfter: lookAgain, Cause: err,
		Message: "The gateway cannot read its ledger at the moment. Please try again shortly."}
}

// lookAgain is when a client may ask again what a store could not say.
const lookAgain = 5 * time.Second

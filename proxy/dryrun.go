package proxy

import (
	"errors"
	"net/http"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

const dryRunHeader = "x-aistrale-dry-run"

// rehearsed reports whether the client wants to know what the gateway would do, and not have it done.
func (f *flight) rehearsed() bool {
	return string(f.fc.Request.Header.Peek(dryRunHeader)) == "true"
}

// dryRun is what a call would be: who asks, where it would go and why, what it would cost at most.
// Names of credentials, and what others have used of limits for everybody, are not the client's.
type dryRun struct {
	Object     string              `json:"object"` // "dry_run"
	ID         string              `json:"id"`     // of this request
	Admitted   bool                `json:"admitted"`
	Status     int                 `json:"status"` // that the call would be refused with; 200 where it would be sent
	Error      *dryFault           `json:"error"`
	Key        dryKey              `json:"key"`
	Operation  string              `json:"operation"`
	Stream     bool                `json:"stream"`
	Model      dryModel            `json:"model"`
	Candidates []storage.Candidate `json:"candidates"` // in the order they would be considered
	Place      *dryPlace           `json:"place"`      // where it would go; null where nowhere
	Counters   string              `json:"counters"`
	Limits     []limitSeen         `json:"limits"`
	Budgets    []budgetSeen        `json:"budgets"`
}

type dryFault struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Param   string `json:"param,omitzero"`
	// RetryAfter is in seconds, rounded up.
	RetryAfter int64 `json:"retry_after,omitzero"`
}

type dryKey struct {
	ID        string   `json:"id"`
	Name      string   `json:"name"`
	Owner     string   `json:"owner,omitzero"`
	Project   string   `json:"project"`
	Workspace string   `json:"workspace"`
	Tags      []string `json:"tags"`
}

type dryModel struct {
	Asked    string          `json:"asked"`
	Alias    bool            `json:"alias"`
	Strategy policy.Strategy `json:"strategy,omitzero"` // of an alias: chance may take another place the next time
	Prompt   string          `json:"prompt,omitzero"`
}

// dryPlace is where a call would go, and what it would take there.
type dryPlace struct {
	Provider  string   `json:"provider"`
	Model     string   `json:"model"`
	Exact     bool     `json:"exact"`
	Dropped   []string `json:"dropped,omitzero"`
	MaxOutput int64    `json:"max_output"`       // tokens it might make, as budgets would let it
	Fetches   int      `json:"fetches,omitzero"` // files that would be fetched for it first: bounds are not known
	// Tokens and cost at most; the cost is in USD, null where it has no bound or no price.
	InputBound int64   `json:"input_bound"`
	UpperUSD   *string `json:"upper_usd"`
	PriceID    string  `json:"price_id,omitzero"`
	Unpriced   string  `json:"unpriced,omitzero"`
	Unbounded  string  `json:"unbounded,omitzero"` // the field that makes the cost unbounded
}

// rehearse goes the road up to where something would be sent, reserved or kept, and says what it saw.
func (f *flight) rehearse() error {
	if f.endpoint.Session != nil || f.endpoint.About() {
		return providers.Invalid(dryRunHeader, "A dry run is of a call of a model; nothing was done.")
	}
	f.dry = true
	said := dryRun{
		Object: "dry_run", ID: f.rec.ID, Counters: countersOK, Limits: []limitSeen{}, Budgets: []budgetSeen{}, Operation: f.endpoint.Op.String(),
		Key: dryKey{f.key.ID, f.key.Name, f.key.Owner, f.key.Project, f.key.Workspace, some(f.key.Tags)},
	}
	err := f.rehearseRoad(&said)
	f.abandon()
	var out *providers.Fault
	if errors.As(err, &out) && out.Kind == providers.FaultClientGone {
		return err
	}
	said.Stream, said.Model.Asked, said.Model.Prompt, said.Status = f.rec.Stream, f.rec.Asked, f.rec.Prompt, http.StatusOK
	if f.alias != nil {
		if said.Model.Alias = len(f.alias.Targets) != 1 || !f.alias.Targets[0].Is(f.rec.Asked); said.Model.Alias {
			said.Model.Strategy = f.alias.Rule()
		}
	}
	said.Candidates = some(f.considered)
	for i := range said.Candidates {
		if c := &said.Candidates[i]; c.Fate == storage.FateServed {
			c.Fate = storage.FateNext
		}
		said.Candidates[i].Credential = ""
	}
	if said.Admitted = err == nil; err != nil {
		f.sayFault(&said, err)
	}
	f.rec.Status, f.rec.Outcome = said.Status, storage.OutcomeDryRun
	f.fc.SetStatusCode(said.Status)
	return f.answerJSON(&said)
}

// rehearseRoad is serve without what it does.
func (f *flight) rehearseRoad(said *dryRun) error {
	if err := f.read(); err != nil {
		return err
	}
	if err := f.admit(); err != nil {
		return err
	}
	targets, err := f.route()
	if err != nil {
		return err
	}
	w := walk{f: f, targets: targets}
	defer w.noteAll()
	return w.rehearse(said)
}

// rehearse finds the target that would be asked first, as send would.
func (w *walk) rehearse(said *dryRun) (err error) {
	now := time.Now()
	for {
		t := w.fresh(now)
		if t == nil {
			if w.last != nil {
				return w.last
			}
			if t, err = w.trickle(now); err != nil {
				return err
			}
		}
		if w.last = w.f.rehearseAt(t, said); w.last == nil {
			w.served = t
			return nil
		}
		if !w.failed(t, fault(w.last)) {
			return w.last
		}
	}
}

// rehearseAt says what an attempt would take at a target, or why it could not be made.
func (f *flight) rehearseAt(t *target, said *dryRun) error {
	if err := t.locked(); err != nil {
		return err
	}
	plan, err := f.planAt(t)
	if err != nil {
		return err
	}
	l := &f.bill.lease
	if l.limits = (&policy.KeyLimits{}); f.state.Limits != nil {
		l.limits = f.state.Limits.For(f.key)
	}
	f.want(t, &plan)
	said.Place = &dryPlace{
		Provider: t.Provider, Model: t.Model, Exact: f.exact(t), Dropped: plan.Dropped, MaxOutput: l.wanted.Output, Fetches: len(plan.Fetch),
	}
	err = l.limits.Ask(&l.ask, &l.wanted)
	if err == nil {
		err = f.rehearseLimits(said)
	}
	if err != nil {
		said.Place = nil
		return err
	}
	f.sayBound(t, &plan, said.Place)
	return nil
}

// rehearseLimits says what the counters would make of the ask.
func (f *flight) rehearseLimits(said *dryRun) error {
	ask := &f.bill.lease.ask
	stands, err := f.gauge(ask)
	said.Counters = howKnown(stands, err)
	said.Limits, said.Budgets = f.see(ask, stands, ask.Output)
	if err != nil {
		return unasked(err)
	}
	output, v := stands.Weigh(ask)
	if v.Refused.Kind != 0 {
		return v.Fault(ask, f.rec.Asked)
	}
	said.Limits, said.Budgets = f.see(ask, stands, output)
	said.Place.MaxOutput = output
	return nil
}

// sayBound says what the call would take at most, and at which price.
func (f *flight) sayBound(t *target, plan *providers.Plan, p *dryPlace) {
	w := &f.bill.lease.wanted
	p.InputBound, p.Unbounded, p.Unpriced = w.Input, w.Unbounded, w.Upper.Unpriced
	charge := f.charge(t, []providers.Normal{{InputUncached: w.Input, Output: p.MaxOutput}}, true)
	if !f.endpoint.Op.Media() {
		p.PriceID = charge.PriceID
	}
	if w.Free {
		free := "0"
		p.UpperUSD = &free
		return
	}
	if w.Unbounded == "" && w.Upper.Unpriced == "" && len(plan.Fetch) == 0 {
		most := policy.BudgetAsk{Fixed: w.Upper.Fixed, PerMillion: w.Upper.PerMillion}
		usd := storage.FormatUSD(most.Reserve(p.MaxOutput))
		p.UpperUSD = &usd
	}
}

// sayFault says what the call would have been refused with.
func (f *flight) sayFault(said *dryRun, err error) {
	out := f.fault(err)
	said.Status, _ = f.endpoint.Face.Refuse(out)
	said.Error = &dryFault{
		Code: code(out), Message: out.Message, Param: out.Param, RetryAfter: int64((out.RetryAfter + time.Second - 1) / time.Second),
	}
	f.rec.Fault, f.rec.Err = said.Error.Code, storage.MaskBearers(err.Error())
}

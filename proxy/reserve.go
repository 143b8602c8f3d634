package proxy

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// Reservations of calls.
const (
	// leaseAlive is how long a reservation outlives a gateway that died.
	leaseAlive = 2 * time.Minute
	// leastOutput is how few tokens of output a call is worth sending for.
	leastOutput = 16
	// unknownOutput is the output that a call is clamped to under a budget where nobody knows
	// what its model makes at most.
	unknownOutput = 32 << 10
)

// lease is what one attempt holds of its key's limits and budgets.
type lease struct {
	limits  *policy.KeyLimits // nil: nothing holds for the key
	ask     policy.Ask
	wanted  policy.Wanted
	grant   *policy.Grant // nil where nothing is held
	charged policy.Charged
	// How the key's rates stand, as last heard; a Limit of 0 is none.
	requests, tokens policy.RateShown
	spent            policy.Spent
	clamped          string
	// metered is set for a stream whose upstream could not be told how much the grant allows:
	// what it makes is counted as it comes.
	metered bool
	waited  time.Duration // for what was refused in the end
}

func (l *lease) reset() {
	l.charged.Reset()
	*l = lease{charged: l.charged, spent: l.spent, ask: policy.Ask{Rates: l.ask.Rates[:0], Slots: l.ask.Slots[:0], Budgets: l.ask.Budgets[:0]}}
}

// reserve asks the counters for all that an attempt may take. Where the budgets pay for less
// output than it may make, the plan is made anew with what they pay for.
func (f *flight) reserve(t *target, plan *providers.Plan) error {
	l := &f.bill.lease
	l.grant, l.clamped, l.metered, l.limits = nil, "", false, nil
	if f.state.Limits == nil {
		return nil
	}
	if l.limits = f.state.Limits.For(f.key); !l.limits.Bounded() {
		return nil
	}
	f.want(t, plan)
	if err := l.limits.Ask(&l.ask, &l.wanted); err != nil {
		return err
	}
	if err := f.obtain(); err != nil {
		return err
	}
	f.noteCharged()
	if len(l.ask.Budgets) == 0 {
		return nil
	}
	err := f.clamp(t, plan)
	if err != nil {
		f.forgo()
	}
	l.metered = l.metered || l.wanted.Unbounded != ""
	return err
}

// want says what an attempt may take at most, and what it may be.
func (f *flight) want(t *target, plan *providers.Plan) {
	if f.endpoint.About() {
		f.wantStored(t)
		return
	}
	l := &f.bill.lease
	can := &t.can
	now := time.Now()
	bound := f.bound(t, plan)
	w := &l.wanted
	*w = policy.Wanted{
		Lease: f.leaseID(), Now: now, Alive: leaseAlive, Asked: f.rec.Asked, Target: t.Target,
		Estimate: bound.Input, Output: plan.MaxOutput, Said: f.asked.MaxOutput > 0,
		Stream: f.call.Stream, Free: !f.endpoint.Op.Bills(), Session: f.rec.Session, Charged: &l.charged,
	}
	if w.Output == 0 && f.endpoint.Op.Makes() {
		most := cmp.Or(can.MaxOutput, unknownOutput)
		w.Output = providers.MaxOutput(&most, &plan.Choices)
	}
	if w.Least = min(w.Output, leastOutput); f.carried.whole {
		w.Least = w.Output
	}
	if (l.limits.Budgeted() || f.dry) && !w.Free {
		f.wantCost(t, plan)
	}
}

// wantCost says what an attempt may cost at most.
func (f *flight) wantCost(t *target, plan *providers.Plan) {
	can, w := &t.can, &f.bill.lease.wanted
	w.Input = f.weigh(t, plan, can.Context)
	reach := policy.Reach{Input: w.Input, Tiers: f.tiers(), Region: t.account.Tariff, NoOutput: !f.endpoint.Op.Makes()}
	if f.endpoint.Op.Media() {
		f.reachMedia(t, &reach)
	}
	w.Upper = policy.UpperOf(f.state.Prices.Find(t.Provider, t.Model).At(w.Now), reach)
}

// weigh gives the most input tokens that a plan can be billed, and notes where there is no such
// bound.
func (f *flight) weigh(t *target, plan *providers.Plan, context int64) (tokens int64) {
	w := &f.bill.lease.wanted
	w.Unbounded, _ = policy.Unbounded(f.doc.Hits)
	w.Unbounded = cmp.Or(w.Unbounded, f.carried.unbounded)
	tokens = f.carried.most
	for i := range plan.Requests {
		r := &plan.Requests[i]
		n, known := policy.InputBound(t.account.Kind.Of(t.Target), context, r.Body, r.Rest...)
		tokens += n
		if !known && w.Unbounded == "" {
			w.Unbounded = "model"
		}
	}
	return tokens
}

// carried is what the upstream holds of a call beside the body that is sent: a conversation.
type carried struct {
	about     int64  // tokens, as estimated
	most      int64  // tokens, at most
	unbounded string // the field for which there is no such bound
	whole     bool   // its output cannot be clamped
}

// leaseID names the attempt's lease: the request and the attempt's number.
func (f *flight) leaseID() string {
	return f.rec.ID + "/" + strconv.Itoa(f.bill.number+1)
}

// leases give the attempt another number, and so its lease another name.
type leases struct{ f *flight }

// Next implements policy.Leases.
func (l leases) Next() string {
	l.f.bill.number++
	return l.f.leaseID()
}

// tiers are those that may serve the call, by the client's word; nil is any, as an account's
// own settings, or another field that changes the price, may choose.
func (f *flight) tiers() []string {
	switch said := f.asked.Tier; {
	case said == "" || slices.ContainsFunc(f.doc.Hits, choosesTier):
		return nil
	case said == "default" || said == "standard":
		return standardTier
	case said == "flex":
		return flexTier
	}
	return nil
}

func choosesTier(h providers.Hit) bool {
	return h.Rule.Effect == providers.ChangesPrice && h.Rule.Path != "service_tier"
}

var standardTier, flexTier = []string{""}, []string{"", "flex"}

// obtain asks until it is granted, refused, or not worth waiting for.
func (f *flight) obtain() error {
	l := &f.bill.lease
	v, err := f.g.queue.Wait(lifetime{f}, &l.ask, f.patience())
	if err != nil {
		f.bill.number++ // it may have been granted all the same, and be given back any time
	}
	if err != nil && f.left() != nil {
		return f.broken(err)
	}
	if err != nil {
		return unasked(err)
	}
	f.rec.Waited += l.ask.Now.Sub(l.wanted.Now)
	l.show(&v)
	v.Note(&l.ask, &f.rec.Limits)
	if v.Grant == nil {
		l.waited += time.Since(l.wanted.Now)
		return v.Fault(&l.ask, f.rec.Asked)
	}
	l.grant = v.Grant
	f.rec.Lease = l.ask.Lease
	return nil
}

// unasked is what a client hears where the counters cannot be asked.
func unasked(err error) error {
	return &providers.Fault{Kind: providers.FaultUnavailable, Retryable: true, RetryAfter: time.Second, Cause: err,
		Message: "The gateway cannot check this key's limits at the moment. Please retry shortly."}
}

// patience is how long the call may still wait, over all its targets.
func (f *flight) patience() policy.Patience {
	p, waited := f.state.Patience, f.bill.lease.waited
	p.Key, p.Priority, p.Leases = f.key.ID, f.key.Priority, leases{f}
	p.MaxWait, p.Held = max(0, p.MaxWait-waited), max(0, p.Held-waited)
	return p
}

// show keeps what a verdict says of rates. Later attempts of a request do not ask for all of them.
func (l *lease) show(v *policy.Verdict) {
	requests, tokens, hasRequests, hasTokens := v.Shown(&l.ask)
	if hasRequests {
		l.requests = requests
	}
	if hasTokens {
		l.tokens = tokens
	}
}

// noteCharged remembers which rates the request was charged by. A hedge asks under the lock.
func (f *flight) noteCharged() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.bill.lease.charged.Note(&f.bill.lease.ask)
}

// clamp holds the plan to the output that was granted.
func (f *flight) clamp(t *target, plan *providers.Plan) error {
	l := &f.bill.lease
	if !f.endpoint.Op.Makes() || plan.MaxOutput > 0 && plan.MaxOutput <= l.grant.Output {
		return nil
	}
	if plan.MaxOutput == 0 && l.grant.Output == l.wanted.Output && t.can.MaxOutput > 0 {
		return nil // the model itself makes no more
	}
	f.call.Clamp = l.grant.Output
	var err error
	*plan, err = f.plan(t)
	f.call.Clamp = 0
	l.clamped = plan.Clamped
	l.metered = plan.MaxOutput == 0 || plan.MaxOutput > l.grant.Output
	return err
}

// release settles what the attempt holds with what it spent.
func (f *flight) release(lines []providers.Normal, charge storage.Charge) {
	l := &f.bill.lease
	if l.grant == nil {
		return
	}
	l.grant.Spent(&l.spent, policy.Made{Lines: lines, Charge: charge})
	f.bill.holds = l.grant.Holds(f.bill.holds, &l.spent)
	f.g.queue.Settle(l.grant, l.spent)
	l.limits.Learn(lines)
	l.grant = nil
}

// forgo gives back what was reserved for an attempt that is not sent. Its number is not used
// again: counters may hear of the reservation's end after the next one has begun.
func (f *flight) forgo() {
	if f.bill.lease.grant != nil {
		f.release(nil, storage.Charge{})
		f.bill.number++
	}
}

// slice is how many tokens a stream asks for at once that has outgrown its reservation.
const slice = 1024

// pays reports whether what a stream has made so far is reserved. A token has a byte at least,
// so the bytes that were seen are more tokens than there can be.
func (f *flight) pays(content int64) bool {
	l := &f.bill.lease
	for l.grant != nil && content > l.grant.Output {
		more, err := f.g.queue.Extend(lifetime{f}, l.grant, max(slice, content-l.grant.Output))
		if err != nil || !more {
			return false
		}
	}
	return true
}

// writeLimits tells the client how its limits stand, in OpenAI's words.
func (f *flight) writeLimits(h *lines) {
	l := &f.bill.lease
	if l.limits == nil {
		return
	}
	if l.requests.Limit > 0 {
		h.rate(&requestHeaders, l.requests)
	}
	if l.tokens.Limit > 0 {
		h.rate(&tokenHeaders, l.tokens)
	}
	if l.clamped != "" {
		h.put("X-Aistrale-Clamped", l.clamped)
	}
	if f.rec.Limits.Degraded {
		h.put("X-Aistrale-Limits", "degraded")
	}
}

// rateHeaders are the names of one group of headers.
type rateHeaders struct{ limit, remaining, reset string }

var (
	requestHeaders = rateHeaders{"X-Ratelimit-Limit-Requests", "X-Ratelimit-Remaining-Requests", "X-Ratelimit-Reset-Requests"}
	tokenHeaders   = rateHeaders{"X-Ratelimit-Limit-Tokens", "X-Ratelimit-Remaining-Tokens", "X-Ratelimit-Reset-Tokens"}
)

func (l *lines) rate(names *rateHeaders, s policy.RateShown) {
	l.putInt(names.limit, s.Limit)
	l.putInt(names.remaining, s.Remaining)
	l.text = s.AppendReset(append(l.text[:0], names.reset...))
	l.h.SetCanonical(l.text[:len(names.reset)], l.text[len(names.reset):])
}

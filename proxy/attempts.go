package proxy

import (
	"cmp"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
)

// walk is one call's way over its targets. It ends with the first that has begun to answer.
type walk struct {
	f       *flight
	targets []target
	retries int
	last    error
	served  *target // nil until one has begun to answer
}

// send tries the targets until one has begun to answer. Nothing has reached the client yet, so a
// failure can still move on; a client that has left, and a request that the upstream rejects as
// wrong, end it.
func (f *flight) send(targets []target) error {
	w := walk{f: f, targets: targets}
	defer w.note()
	for {
		t, err := w.next()
		if err != nil {
			return err
		}
		f.firstByte = 0
		if w.others(t) {
			f.firstByte = f.alias.FirstByte
		}
		t, tried, err := w.try(t)
		switch {
		case !tried:
			t.shut = true
			continue
		case err == nil:
			f.keepWarm(t)
			w.served = t
			return nil
		}
		f.abandon()
		w.last = err
		if cause := f.left(); cause != nil {
			return f.broken(cause)
		}
		if !w.failed(t, fault(err)) || f.spent() {
			return err
		}
	}
}

// try makes one attempt, or two where the first is slow and the alias hedges. It gives the target
// that the result is of.
func (w *walk) try(t *target) (of *target, tried bool, err error) {
	if o := w.hedged(t); o != nil {
		return w.tryTwo(t, o)
	}
	tried, err = w.f.try(t)
	return t, tried, err
}

// next is where to try next: a target that is sound and was not tried, else the best of the
// rest, else a tried one again, after a while. Where every circuit is open, one call at a time
// is let through to each, so that an end of the trouble shows.
func (w *walk) next() (*target, error) {
	if t := &w.targets[0]; !t.tried && !t.dead && !t.shut && t.circuit.Sound() && t.credential.Sound() {
		return t, nil
	}
	now := time.Now()
	if t := w.fresh(now); t != nil {
		return t, nil
	}
	if t, err := w.again(now); t != nil || err != nil {
		return t, err
	}
	if w.last != nil {
		return nil, w.last
	}
	return w.trickle(now)
}

// others reports whether there is a sound target that a slow t can be left for.
func (w *walk) others(t *target) bool {
	if len(w.targets) == 1 {
		return false
	}
	now := time.Now()
	for i := range w.targets {
		o := &w.targets[i]
		if o == t || o.tried || o.dead || o.shut {
			continue
		}
		if s, _ := o.standing(now); s == policy.StateClosed {
			return true
		}
	}
	return false
}

// fresh is the best target that was not tried.
func (w *walk) fresh(now time.Time) *target {
	const useless = 4
	best, rank := -1, useless
	for i := range w.targets {
		t := &w.targets[i]
		if t.tried || t.dead || t.shut {
			continue
		}
		r := 0
		switch s, _ := t.standing(now); s {
		case policy.StateOpen:
			continue
		case policy.StateCooling, policy.StateAside:
			r = 2
		case policy.StateClosed, policy.StateHalfOpen:
		}
		if t.late {
			r++
		}
		if r < rank {
			best, rank = i, r
		}
	}
	if best < 0 {
		return nil
	}
	return &w.targets[best]
}

// standing is the state of the target's circuit, or of its credential where that is worse.
func (t *target) standing(now time.Time) (policy.State, time.Time) {
	s, until := t.circuit.State(now)
	if s < policy.StateAside {
		if aside, at := t.credential.State(now); aside == policy.StateAside {
			return aside, at
		}
	}
	return s, until
}

// again waits for a target that failed, where its provider's rules and budget have room for
// another try. It gives none where they have not.
func (w *walk) again(now time.Time) (*target, error) {
	var t *target
	for i := range w.targets {
		o := &w.targets[i]
		if !o.tried || o.dead || o.shut || t != nil && o.asked >= t.asked {
			continue
		}
		if s, _ := o.standing(now); s < policy.StateHalfOpen {
			t = o
		}
	}
	if t == nil {
		return nil, nil
	}
	rules := &t.account.Retry
	if w.retries >= rules.Max || t.asked > rules.AfterMax || !t.budget.Take(rules, now) {
		return nil, nil
	}
	wait := max(rules.Wait(w.retries, rand.Uint64()), t.asked) //nolint:gosec // spreads load, guards nothing
	w.retries++
	if err := w.f.await(wait, nil); err != nil {
		return nil, w.f.broken(err)
	}
	return t, nil
}

// trickle lets the call through to a target though every circuit is open.
func (w *walk) trickle(now time.Time) (*target, error) {
	var back time.Time
	for i := range w.targets {
		t := &w.targets[i]
		if !t.trickles && !t.dead {
			t.trickles = true
			return t, nil
		}
		if _, until := t.standing(now); back.IsZero() || until.Before(back) {
			back = until
		}
	}
	return nil, &providers.Fault{Kind: providers.FaultCircuitOpen, Retryable: true, RetryAfter: max(time.Second, back.Sub(now)),
		Message: "The providers of the model `" + w.f.rec.Asked + "` are failing, and calls are held back for a while. Please retry later."}
}

// failed notes why a target did not serve the call, and reports whether another try, there or
// elsewhere, may.
func (w *walk) failed(t *target, out *providers.Fault) bool {
	reason := policy.ReasonOf(out)
	t.tried, t.asked, t.fault = true, out.RetryAfter, code(out)
	t.dead = !reason.Passes() || out.NoRetry || w.f.doneAlready(reason)
	if reason == policy.ReasonNone {
		return out.Retryable // a refusal of ours, which may stand at this target only
	}
	moves := w.f.alias.FallbackOn.Has(reason)
	for i := range w.targets {
		o := &w.targets[i]
		switch {
		case o.Provider != t.Provider || o.Model != t.Model:
			o.dead = o.dead || !moves
		case reason.OfCredential():
		case reason.Passes(), reason == policy.ReasonTimeout:
			o.late = true
		default: // of the model, whatever the credential
			o.dead = true
		}
	}
	return true
}

// try makes one attempt, if the target's circuit lets it through.
func (f *flight) try(t *target) (tried bool, err error) {
	if !t.tried && t.account.Retry.Max > 0 {
		t.budget.Pay(&t.account.Retry)
	}
	began := time.Now()
	t.circuit.Begin(began)
	var result policy.Result
	call := func() policy.Result {
		before := len(f.rec.Attempts)
		err = f.attempt(t)
		result = f.learn(t, err, before)
		return result
	}
	defer func() {
		now := time.Now()
		t.circuit.End(policy.Sample{Result: result, Stream: f.call.Stream, Took: now.Sub(began), Output: f.rec.Usage.Total().Output}, now)
	}()
	if t.trickles {
		return t.circuit.Trickle(call), err
	}
	tried = t.circuit.Try(f.rec.KeyID, call)
	if result == policy.ResultFailed && t.circuit.Doubtful(time.Now()) {
		f.g.probes.place(t)
	}
	return tried, err
}

// cooling is how long a place rests that says it was asked too much and not for how long, and
// restMost how long at most: then one call may look.
const (
	cooling  = time.Second
	restMost = 10 * time.Minute
)

// learn reads an attempt's end for what it says of the place. Only the upstream's own failures
// count against it: no client's leaving, no refusal of ours, no request that it rejects.
func (f *flight) learn(t *target, err error, before int) policy.Result {
	if f.recollection.hit {
		return policy.ResultNothing // nobody was asked
	}
	if err == nil {
		return policy.ResultServed
	}
	if f.left() != nil || len(f.rec.Attempts) == before {
		return policy.ResultNothing
	}
	out, a := fault(err), f.lastAttempt()
	reason := policy.ReasonOf(out)
	if reason == policy.ReasonRateLimited || out.RetryAfter > 0 {
		t.circuit.Cool(time.Now().Add(min(restMost, cmp.Or(out.RetryAfter, cooling))))
	}
	switch {
	case reason == policy.ReasonAuth && out.Kind == providers.FaultProviderAuth:
		if aside, _ := t.credential.State(time.Now()); a.Sent && aside == policy.StateClosed {
			f.g.probes.credential(t)
		}
	case reason == policy.ReasonOverloaded, reason == policy.ReasonError && out.Kind == providers.FaultUpstream && !ours(out):
		return policy.ResultFailed
	case reason == policy.ReasonTimeout && (a.Status == http.StatusGatewayTimeout || a.Status != http.StatusRequestTimeout && !f.hurried):
		return policy.ResultFailed
	}
	return policy.ResultNothing
}

// ours reports a failure that a limit of the gateway's own made.
func ours(out *providers.Fault) bool {
	return errors.Is(out, fasthttp.ErrNoFreeConns) || errors.Is(out, errTooLong) || errors.Is(out, errHedged)
}

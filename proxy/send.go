package proxy

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// attempt sends the call to one target and reads its answer up to the first content.
func (f *flight) attempt(t *target) error {
	if err := t.locked(); err != nil {
		return err
	}
	f.target = *t
	f.kept.reset()
	plan, err := f.planAt(t)
	if err != nil {
		return err
	}
	f.rec.Provider, f.rec.Model, f.rec.Credential = t.Provider, t.Model, t.account.Credential
	f.rec.Usage, f.rec.Served = reset(f.rec.Usage), "" // an earlier target's, which failed
	if f.recall(t, &plan) {
		return nil
	}
	if err := f.reserve(t, &plan); err != nil {
		return err
	}
	f.rec.Dropped, f.rec.Exact = plan.Dropped, f.exact(t)
	if err := f.openBill(t, &plan); err != nil {
		return err
	}
	if f.rec.Debug {
		f.explainAttempt(t, &plan)
	}
	f.addAttempt(t, time.Now())
	err = f.exchangeAll(t, &plan)
	maskError(err, f.reply.secret)
	a := f.lastAttempt()
	a.Duration = time.Since(a.Began)
	a.Outcome = outcome(err)
	if err != nil {
		a.Err = err.Error()
		f.closeBill(err)
	}
	if f.rec.Debug {
		f.explainEnd(a)
	}
	return err
}

// addAttempt notes an attempt that begins.
func (f *flight) addAttempt(t *target, began time.Time) *storage.Attempt {
	f.rec.Attempts = append(f.rec.Attempts, storage.Attempt{})
	a := f.lastAttempt()
	a.Provider, a.Model, a.Credential = t.Provider, t.Model, t.account.Credential
	a.Kind, a.BaseURL, a.Hedge, a.Began = t.account.Kind.Name, t.account.BaseURL, f.hedges, began
	if f.rec.Trace.On() {
		a.Span = storage.NewSpanID()
	}
	return a
}

func (f *flight) lastAttempt() *storage.Attempt { return &f.rec.Attempts[len(f.rec.Attempts)-1] }

// locked refuses a target whose credential is missing or cannot be opened: nothing is sent.
func (t *target) locked() error {
	if !t.account.NeedsKey {
		return nil
	}
	return &providers.Fault{Kind: providers.FaultProviderAuth, NoRetry: true, Retryable: true,
		Message: fmt.Sprintf("The gateway has no credential for the provider %q.", t.Provider),
		Cause:   cmp.Or(t.account.KeyError, errNoCredential)}
}

// exchangeAll makes the plan's requests, mostly one, and takes in the answer.
func (f *flight) exchangeAll(t *target, plan *providers.Plan) error {
	if len(plan.Requests) == 0 {
		return errors.New("a plan without requests")
	}
	f.sent = plan.Requests[0].Body // to be used again
	f.reply.hideUsage = plan.HideUsage
	if pair := f.pair(t); pair != nil && (pair.Stream == nil || !f.call.Stream) {
		return f.exchangePair(t, plan)
	}
	head, err := f.open(t, &plan.Requests[0])
	if err != nil {
		return err
	}
	switch {
	case f.endpoint.Op.Media():
		return f.receive(t, head)
	case f.endpoint.Binary():
		return f.holdRaw(t, head)
	}
	if f.call.Stream && streams(head) {
		return f.hold(t)
	}
	return f.take(t, head)
}

// receive takes in an answer of media as what it says it is: whether it would be a stream, a form
// may have said behind its file.
func (f *flight) receive(t *target, head Head) error {
	switch said := head.Header("content-type"); {
	case head.Stream:
		f.call.Stream, f.rec.Stream = true, true
		return f.hold(t)
	case said == "" || isJSON(said):
		return f.take(t, head)
	}
	return f.holdRaw(t, head)
}

// streams reports whether an answer is an event stream, or is called something that it cannot
// be: some compatible servers give every answer one content type.
func streams(head Head) bool {
	if head.Stream {
		return true
	}
	said := head.Header("content-type")
	return said != "" && !isJSON(said)
}

// open sends one request and gives the head of a good answer.
func (f *flight) open(t *target, req *providers.UpstreamRequest) (Head, error) {
	body, contentType, err := f.source(req)
	if err != nil {
		return Head{}, err
	}
	req.Headers = append(f.headers[:0], req.Headers...)
	f.address(t, req, contentType)
	if err := f.sign(t, req); err != nil {
		return Head{}, err
	}
	a := f.lastAttempt()
	f.propagate(req, a.Span)
	x := t.account.Upstream.Exchange()
	if err := f.own(x); err != nil {
		x.Finish()
		return Head{}, f.broken(err)
	}
	f.reply.x = x
	head, err := x.Send(req, body, f.timeouts())
	a.Status, a.Reused, a.Sent = head.Status, head.Reused, a.Sent || !head.Sent.IsZero()
	if !head.Sent.IsZero() && f.rec.Overhead == 0 {
		f.rec.Overhead = head.Sent.Sub(f.received)
	}
	if err != nil {
		return Head{}, f.broken(err)
	}
	f.reply.since = head.Came
	a.Answered = f.reply.since.Sub(a.Began)
	if f.rec.Debug {
		f.explainAnswer(head)
	}
	f.keepHeaders(head)
	a.UpstreamID = f.kept.id
	if head.Status < 200 || head.Status > 299 {
		return Head{}, f.refused(t, head)
	}
	return head, nil
}

var errNoCredential = errors.New("no credential: add one with `aistrale credential add`, or set api_key in the config")

// exchangePair makes all requests of a pair, one after another, and says their replies as one.
func (f *flight) exchangePair(t *target, plan *providers.Plan) error {
	replies := make([][]byte, 0, len(plan.Requests))
	for i := range plan.Requests {
		head, err := f.open(t, &plan.Requests[i])
		if err != nil {
			return err
		}
		whole, err := f.readWhole(f.reply.x, nil, head.Length)
		if err != nil {
			return f.broken(err)
		}
		f.letGo()
		replies, f.reply.partly = append(replies, whole), true
	}
	f.reply.received = true
	said, err := f.pair(t).Read(&f.call, replies)
	f.rec.Usage.Merge(said.Usage)
	if err != nil {
		return err
	}
	f.scratch = said.Body
	f.reply.whole, f.reply.contentType = true, cmp.Or(said.Type, "application/json")
	return nil
}

// refused reads the body of an upstream's error and says what it means.
func (f *flight) refused(t *target, head Head) error {
	const enough = 1 << 20
	body, err := readAll(f.reply.x, f.scratch[:0], head.Length, enough)
	f.scratch = body
	if err != nil && !errors.Is(err, errTooLong) && f.left() != nil {
		return f.broken(err)
	}
	out := t.route.Dialect.Fault(head.Status, head.Header, body)
	out.Body = slices.Clone(out.Body) // it may point into the buffer, which is used again
	return out
}

// broken says what a failed exchange means for the client.
func (f *flight) broken(err error) error {
	if cause := f.left(); cause != nil {
		err = cause
	}
	switch {
	case errors.Is(err, errClientGone):
		return &providers.Fault{Kind: providers.FaultClientGone, Message: "The client has gone.", Cause: err}
	case errors.Is(err, errDraining):
		return &providers.Fault{Kind: providers.FaultUnavailable, Message: "The gateway is shutting down.", Cause: err, RetryAfter: time.Second}
	case errors.Is(err, errOvertime):
		return &providers.Fault{Kind: providers.FaultUpstreamTimeout, NoRetry: true, Message: "The call took longer than it may.", Cause: err}
	case errors.Is(err, errFirstByte), errors.Is(err, errIdle):
		return &providers.Fault{Kind: providers.FaultUpstreamTimeout, Retryable: true, Message: "The provider did not answer in time.", Cause: err}
	}
	var already *providers.Fault
	if errors.As(err, &already) {
		return already
	}
	return &providers.Fault{Kind: providers.FaultUpstream, Retryable: true, Message: "The provider could not be reached or broke off its answer.", Cause: err}
}

// letGo gives an exchange's connection back.
func (f *flight) letGo() {
	f.disown()
	if f.reply.x != nil {
		f.reply.x.Finish()
		f.reply.x = nil
	}
}

// abandon drops an attempt and whatever of its reply was held back.
func (f *flight) abandon() {
	f.letGo()
	f.reply.reset()
	f.out = f.out[:0]
}

func outcome(err error) storage.Outcome {
	if err == nil {
		return storage.OutcomeOK
	}
	if errors.Is(err, errHedged) {
		return storage.OutcomeHedged
	}
	switch fault(err).Kind {
	case providers.FaultClientGone:
		return storage.OutcomeClientGone
	case providers.FaultUpstreamTimeout:
		return storage.OutcomeTimeout
	case providers.FaultUpstream, providers.FaultUpstreamRejected, providers.FaultOverloaded, providers.FaultProviderAuth, providers.FaultCircuitOpen:
		return storage.OutcomeUpstreamError
	default: // the gateway's own word, before anything was sent
		return storage.OutcomeRefused
	}
}

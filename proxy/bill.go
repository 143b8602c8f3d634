package proxy

import (
	"net/http"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// Journal keeps what the ledger is owed. What Append was given is safe once it has returned,
// and is not touched afterwards.
type Journal interface {
	Append(entries ...*storage.Entry) error
}

// unbounded is the output that a call may make whose model and request name no bound.
const unbounded = 4096

// bill is what one request owes the ledger: for each attempt an entry opened before it is sent
// and one settled when it has ended. Whether an attempt was the last shows only when the next
// one is opened or the request ends, so its settled entry waits for that; both then go into the
// journal as one.
type bill struct {
	entry   storage.Entry     // of the last attempt: opened, then settled
	told    [2]*storage.Entry // room for what the journal is told at once
	lease   lease
	number  int  // of the last attempt, here or of a hedge: the ledger tells attempts apart by it
	open    bool // the last attempt is not settled
	owed    bool // entry is settled, and complete but for what the request's end says
	lines   []providers.Normal
	holds   []storage.Hold
	guessed bool // the entry's bound of the output is nobody's
	known   bool // cost of every attempt so far
	cost    int64
}

func (b *bill) reset() {
	b.lease.reset()
	*b = bill{lines: b.lines[:0], holds: b.holds[:0], known: true, lease: b.lease}
}

// openBill notes the attempt that is about to be sent. Where that cannot be kept, nothing may
// be sent.
func (f *flight) openBill(t *target, plan *providers.Plan) error {
	if f.endpoint.About() {
		return nil // no model is called
	}
	b := &f.bill
	var before *storage.Entry // of the attempt before it, which was not the last
	if b.owed {
		was := b.entry
		before = &was
	}
	e := &b.entry
	f.introduce(e)
	e.State = storage.EntryOpened
	e.Bound = f.bound(t, plan)
	if f.endpoint.Op.Bills() {
		f.foresee(t, e)
	}
	err := f.journal(before, e)
	if err != nil {
		f.forgo()
		return &providers.Fault{Kind: providers.FaultUnavailable, Retryable: true, RetryAfter: time.Second, Cause: err,
			Message: "The gateway cannot record this request at the moment, so it was not sent. Please retry shortly."}
	}
	b.open, b.number = true, e.Attempt
	return nil
}

// foresee notes what an attempt costs whose end nobody sees.
func (f *flight) foresee(t *target, e *storage.Entry) {
	if f.endpoint.Op.Media() {
		e.Lines, e.Charge = f.chargeMedia(nil, t, policy.Ending{Sent: true, Whole: true, Body: f.doc.Raw})
		e.Estimated = true
		return
	}
	most := [...]providers.Normal{{InputUncached: e.Bound.Input, Output: e.Bound.Output}} // the settled one before may still hold lines
	e.Charge = f.charge(t, most[:], true)
}

// journal appends an opened entry, with the settled one before it, if any. Where it can't, that
// one is still owed.
func (f *flight) journal(before, opened *storage.Entry) error {
	if before == nil {
		return f.enter(opened)
	}
	b := &f.bill
	err := f.enter(before, opened)
	if b.owed = err != nil; b.owed {
		b.entry = *before
		b.entry.Revision++ // it may be kept already, as what it is not: not the last
	}
	return err
}

// enter tells the journal, which does not keep the list.
func (f *flight) enter(entries ...*storage.Entry) error {
	n := copy(f.bill.told[:], entries)
	err := f.g.options.Journal.Append(f.bill.told[:n]...)
	clear(f.bill.told[:])
	return err
}

// bound is the most that an attempt may take: every byte of text is at least a quarter of a
// token, no model takes in more than its context, and each choice is as long as it may be.
func (f *flight) bound(t *target, plan *providers.Plan) storage.Bound {
	can := &t.can
	f.bill.guessed = false
	if !f.endpoint.Op.Bills() {
		return storage.Bound{}
	}
	var sent int64
	for i := range plan.Requests {
		sent += int64(plan.Requests[i].Size())
	}
	out := storage.Bound{Input: policy.EstimateOutput(sent) + f.carried.about, Output: plan.MaxOutput}
	if can.Context > 0 {
		out.Input = min(out.Input, can.Context)
	}
	switch {
	case !f.endpoint.Op.Makes():
		out.Output = 0
	case out.Output == 0 && can.MaxOutput > 0:
		out.Output = providers.MaxOutput(&can.MaxOutput, &plan.Choices)
	case out.Output == 0:
		out.Output, f.bill.guessed = unbounded, true
	}
	return out
}

// closeBill prices the attempt that has ended with err.
func (f *flight) closeBill(err error) {
	b := &f.bill
	if !b.open {
		f.forgo() // what a defect left
		return
	}
	b.open, b.owed = false, true
	e, rec := &b.entry, &f.rec
	a := f.lastAttempt()
	e.State = storage.EntrySettled
	b.lines = b.lines[:0]
	switch op := f.endpoint.Op; {
	case op.Media():
		b.lines, e.Charge = f.chargeMedia(b.lines, &f.target, f.ended(a, err))
	case op.Bills():
		var estimated bool
		b.lines, estimated = policy.Settle(b.lines, f.ended(a, err))
		e.Charge = f.charge(&f.target, b.lines, estimated)
	default:
		e.Charge = storage.Charge{}
	}
	e.Lines, e.UsageRaw = b.lines, rec.Usage.Raw
	e.Served, e.Finish, e.ContentBytes = rec.Served, f.reply.finish, f.reply.content
	if len(b.lines) > 0 {
		e.Tier = b.lines[0].Tier
	}
	e.Status, e.UpstreamStatus, e.UpstreamID = a.Status, a.Status, a.UpstreamID
	e.Outcome, e.Duration = a.Outcome, a.Duration
	rec.Usage.Estimated, rec.PriceID = e.Charge.Estimated, e.PriceID
	b.holds = b.holds[:0]
	f.release(b.lines, e.Charge)
	e.Holds = b.holds
	if e.Known() {
		b.cost += e.CostNano
	} else {
		b.known = false
	}
}

// ended is what policy is told of an attempt. An upstream that began with a 200 and then had
// nothing but an error to say has refused, unless it has served a part of the attempt.
func (f *flight) ended(a *storage.Attempt, err error) policy.Ending {
	r, usage := &f.reply, &f.rec.Usage
	status := a.Status
	if err != nil && (r.received || r.fault != nil && f.left() == nil) && r.content == 0 && len(usage.Lines) == 0 {
		status = http.StatusBadGateway
	}
	if r.partly {
		status = http.StatusOK // whatever became of the rest
	}
	bound := f.bill.entry.Bound
	if f.bill.guessed && f.call.Stream {
		bound.Output = 0 // more may have been seen
	}
	return policy.Ending{
		Usage: usage, Sent: a.Sent, Status: status, Stream: f.call.Stream, Whole: err == nil && !r.cut || r.received,
		Finish: r.finish != "", Content: r.content, Bound: bound, Body: f.doc.Raw,
	}
}

// payBill hands the journal the settled entry of the request's last attempt.
func (f *flight) payBill() {
	b, rec := &f.bill, &f.rec
	if b.known {
		rec.CostNano = &b.cost
	}
	if f.recollection.hit {
		f.billHit()
	}
	if !b.owed {
		return
	}
	b.owed = false
	e := &b.entry
	e.Final, e.Plan = true, f.considered
	e.Status, e.Outcome, e.Fault = rec.Status, rec.Outcome, rec.Fault
	e.BytesIn, e.BytesOut = rec.BytesIn, rec.BytesOut
	e.FirstByte, e.Overhead, e.Duration = rec.FirstByte, rec.Overhead, rec.Duration
	_ = f.enter(e) // the journal says and counts what it cannot keep; the answer has been paid for
}

// billHit notes an answer that was kept: an entry that costs nothing.
func (f *flight) billHit() {
	f.flush()
	b := &f.bill
	f.introduce(&b.entry)
	b.owed, b.entry.State, b.entry.Served, b.entry.Finish = true, storage.EntrySettled, f.rec.Served, f.reply.finish
}

// charge prices lines of the target's model.
func (f *flight) charge(t *target, lines []providers.Normal, estimated bool) storage.Charge {
	return f.state.Prices.Charge(f.called(t, estimated), lines)
}

// called is the target as prices know it.
func (f *flight) called(t *target, estimated bool) policy.Called {
	return policy.Called{Provider: t.Provider, Model: t.Model, Region: t.account.Tariff, Time: f.start, Estimated: estimated}
}

// introduce fills in who asked, and whom.
func (f *flight) introduce(e *storage.Entry) {
	rec := &f.rec
	*e = storage.Entry{
		RequestID: f.id, Attempt: f.bill.number + 1, Revision: 1, Time: f.start, Node: rec.Node,
		Series: storage.Series{
			Workspace: rec.Workspace, Project: rec.Project, Key: rec.KeyID, KeyName: rec.KeyName, User: rec.User,
			Provider: rec.Provider, Model: rec.Model, Prompt: rec.Prompt,
		},
		Tags: rec.Tags, EndUser: rec.EndUser, Metadata: rec.Metadata, ClientID: rec.ClientRequestID, Retry: rec.Retry,
		Credential: rec.Credential, Asked: rec.Asked, Op: rec.Op.String(), Stream: rec.Stream, Exact: rec.Exact,
	}
}

// noJournal keeps nothing: accounting is switched off.
type noJournal struct{}

// Append implements Journal.
func (noJournal) Append(...*storage.Entry) error { return nil }

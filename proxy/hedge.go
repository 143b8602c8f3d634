package proxy

import (
	"time"

	"github.com/valyala/fasthttp"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// hedge is a second attempt at a call, which begins where the first is slow. It works on a
// flight of its own, so that the two share nothing that either writes to; the first that is
// served cancels the other, and both are billed.
type hedge struct {
	f     *flight // the client's
	own   *flight
	t     *target
	taken int64 // of the body budget, by the client's flight

	timer *time.Timer
	done  chan struct{}
	tried bool
	err   error
}

// hedged gives the target that a slow t is hedged by, nil for none.
func (w *walk) hedged(t *target) *target {
	f := w.f
	rules := &f.alias.Hedge
	if rules.After <= 0 || f.call.Stream || f.form != nil || len(w.targets) < 2 {
		return nil
	}
	now := time.Now()
	for i := range w.targets {
		o := &w.targets[i]
		if o == t || o.tried || o.dead || o.shut || o.account.NeedsKey {
			continue
		}
		if s, _ := o.standing(now); s != policy.StateClosed {
			continue
		}
		if rules.MaxNano <= 0 || f.price(&o.Target, o.account) <= float64(rules.MaxNano) {
			return o
		}
	}
	return nil
}

// tryTwo tries t, and o too where t is not done in time. It gives the target that the result is
// of; the client's flight has its answer.
func (w *walk) tryTwo(t, o *target) (of *target, tried bool, err error) {
	f := w.f
	h := newHedge(f, o)
	h.timer = time.AfterFunc(f.alias.Hedge.After, h.run)
	ended := false
	defer func() {
		if !ended { // the first attempt has panicked
			h.end(true)
			h.bill()
		}
	}()
	tried, err = f.try(t)
	served := tried && err == nil
	h.end(served)
	ended = true
	if h.err == nil && h.tried && !served {
		h.adopt()
		return o, true, nil
	}
	h.bill()
	if h.tried && !served && f.left() == nil {
		w.failed(o, fault(h.err))
	}
	return t, tried, err
}

// end waits for the second attempt, if there is one, or cancels it.
func (h *hedge) end(cancel bool) {
	if !h.timer.Stop() {
		if cancel {
			h.own.cancel(errHedged)
		}
		<-h.done
	}
	h.f.join(nil)
}

// newHedge makes ready for the second attempt before the first begins, which from then on
// writes to the client's flight.
func newHedge(f *flight, t *target) *hedge {
	own := &flight{
		g: f.g, state: f.state, fc: &fasthttp.RequestCtx{}, endpoint: f.endpoint, id: f.id, start: f.start, received: f.received,
		key: f.key, turn: f.turn, doc: f.doc, call: f.call, alias: f.alias, body: f.body, unsaid: f.unsaid, memory: f.memory, copied: f.copied, rec: f.rec, hedges: true,
	}
	f.fc.Request.Header.CopyTo(&own.fc.Request.Header)
	own.call.Doc, own.call.Room, own.call.Fetched = &own.doc, providers.Room{}, nil
	own.rec.Usage, own.rec.Dropped = providers.Usage{}, nil
	own.rec.Attempts = append(append([]storage.Attempt(nil), f.rec.Attempts...), storage.Attempt{}) // the first's
	own.bill.reset()
	own.bill.number = f.bill.number + 1 // the first is one more
	h := &hedge{f: f, own: own, t: t, taken: f.memory, done: make(chan struct{})}
	f.join(own)
	return h
}

// join has whoever cancels the flight cancel its hedge too; nil ends that.
func (f *flight) join(own *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.twin, f.yield = own, false
	if own != nil && f.gone != nil {
		own.cancel(f.gone)
	}
}

// run is the second attempt. A provider's hedges are retries by its budget: where all calls are
// slow they must not double its load.
func (h *hedge) run() {
	defer close(h.done)
	before := len(h.own.rec.Attempts)
	defer func() {
		if cause := recover(); cause != nil {
			h.err = h.f.g.defect(h.own, cause)
		}
		h.tried = len(h.own.rec.Attempts) > before
	}()
	if h.own.left() != nil || !h.t.budget.Take(&h.t.account.Retry, time.Now()) {
		return
	}
	h.charged()
	if tried, err := h.own.try(h.t); err != nil || !tried {
		h.err = err
		return
	}
	h.f.giveWay()
}

// charged has the second attempt leave out the rates that the first was charged by: a request
// is one, however many attempts it takes.
func (h *hedge) charged() {
	h.f.mu.Lock()
	defer h.f.mu.Unlock()
	h.own.bill.lease.charged.Join(&h.f.bill.lease.charged)
}

// giveWay cancels the first attempt, and only that: the client is still there.
func (f *flight) giveWay() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.yield = true
	if f.exchange != nil {
		f.exchange.Cancel(errHedged)
	}
}

// bill charges the call for a second attempt that did not serve it.
func (h *hedge) bill() {
	f, own := h.f, h.own
	f.g.memory.give(own.memory - h.taken)
	own.closeBill(h.err) // also of one that was served too, and came too late
	f.bill.add(&own.bill)
	f.rec.Limits.Join(own.rec.Limits)
	if !h.tried {
		return
	}
	own.abandon()
	own.flush()
	n := len(f.rec.Attempts)
	f.rec.Attempts = append(f.rec.Attempts, *own.lastAttempt())
	if n > 0 { // the one that counts stays last
		f.rec.Attempts[n-1], f.rec.Attempts[n] = f.rec.Attempts[n], f.rec.Attempts[n-1]
	}
}

// adopt makes the second attempt's answer the call's. The first has failed, or was cancelled.
func (h *hedge) adopt() {
	f, own := h.f, h.own
	f.abandon()
	f.flush()
	own.bill.add(&f.bill)
	own.rec.Limits.Join(f.rec.Limits)
	own.rec.Attempts = append(f.rec.Attempts, *own.lastAttempt())
	if f.rec.Overhead > 0 {
		own.rec.Overhead = f.rec.Overhead // to the first byte that left
	}
	f.bill, f.target, f.kept, f.reply, f.rec = own.bill, own.target, own.kept, own.reply, own.rec
	f.sent, f.scratch, f.out, f.call, f.recollection = own.sent, own.scratch, own.out, own.call, own.recollection
	f.memory += own.memory - h.taken
	f.call.Doc, f.turn = &f.doc, own.turn
}

// flush hands the journal the settled entry of an attempt that was not the request's last.
func (f *flight) flush() {
	b := &f.bill
	if b.owed {
		b.owed = false
		_ = f.g.options.Journal.Append(&b.entry) // the journal says and counts what it cannot keep
	}
}

// add counts another attempt of the same request.
func (b *bill) add(other *bill) {
	b.cost += other.cost
	b.known = b.known && other.known
	b.number = max(b.number, other.number)
	l, o := &b.lease, &other.lease
	l.charged.Join(&o.charged)
	if l.requests.Limit == 0 {
		l.requests = o.requests
	}
	if l.tokens.Limit == 0 {
		l.tokens = o.tokens
	}
}

package proxy

import (
	"cmp"
	"slices"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// sessionReply is one reply of a session: a request of its own, with its reservation, its entry
// in the ledger and its record.
type sessionReply struct {
	f     *flight
	about string // the client's id of the event that asked for it
	began time.Time
}

// sessionOutput is what a reply makes at most where neither client nor catalogue say less.
// Source: https://platform.openai.com/docs/api-reference/realtime-client-events/response/create
const sessionOutput = 4096

// begin reserves what a reply may take, and notes it in the journal. Settings, keys and budgets
// are those of now, not of when the session began.
func (s *session) begin(ask *providers.SessionAsk) (*sessionReply, error) {
	r, err := s.reply(&s.f.target)
	if err != nil {
		return nil, err
	}
	r.about = ask.ID
	own, t := r.f, &r.f.target
	can := t.account.can(t.Model)
	s.mu.Lock()
	most := cmp.Or(ask.MaxOutput, s.maxOutput, can.MaxOutput, sessionOutput)
	own.carried = carried{about: s.tokens, most: can.Context, unbounded: s.unbounded, whole: true}
	s.mu.Unlock()
	if own.carried.most == 0 && own.carried.unbounded == "" {
		own.carried.unbounded = "model"
	}
	plan := providers.Plan{MaxOutput: most}
	err = own.reserve(t, &plan)
	if err == nil {
		err = own.openBill(t, &plan)
	}
	if err != nil {
		return nil, err
	}
	r.sent(t)
	return r, nil
}

// reply makes a flight for a reply, of the same caller at the same place.
func (s *session) reply(t *target) (*sessionReply, error) {
	f, now := s.f, time.Now()
	state := f.g.state.Load()
	key, err := state.Keys.Renew(f.key, now)
	if err == nil {
		err = policy.AdmitAddress(key, f.rec.Client)
	}
	if err != nil {
		return nil, err
	}
	own := &flight{g: f.g, state: state, endpoint: f.endpoint, id: newID(now), start: now, received: now, key: key, alias: f.alias, call: f.call, target: *t}
	own.bill.reset()
	own.call.Doc, own.call.Room, own.call.ID, own.call.Created = &own.doc, providers.Room{}, own.id.String(), now
	rec := &f.rec
	own.rec = storage.Record{
		ID: own.id.String(), Trace: rec.Trace.Inner(), Time: now, Node: rec.Node, Client: rec.Client, Op: rec.Op, ClientRequestID: rec.ID,
		KeyID: key.ID, KeyName: key.Name, User: key.Owner, Project: key.Project, Workspace: key.Workspace, Tags: rec.Tags,
		EndUser: rec.EndUser, Asked: rec.Asked, Provider: t.Provider, Model: t.Model, Credential: t.account.Credential, Stream: true, Exact: true,
	}
	return &sessionReply{f: own, began: now}, nil
}

// sent notes that the upstream is at work on the reply.
func (r *sessionReply) sent(t *target) {
	a := r.f.addAttempt(t, r.began)
	a.Status, a.Outcome, a.Sent = 200, storage.OutcomeOK, true
}

// begun is told of a reply that begins: one that the client asked for, or the upstream's own,
// where it hears when the client has done speaking.
func (s *session) begun(id string) error {
	s.mu.Lock()
	var r *sessionReply
	if len(s.asked) > 0 {
		r, s.asked = s.asked[0], s.asked[1:]
		s.open[id] = r
	}
	s.mu.Unlock()
	if r != nil {
		return nil
	}
	r, err := s.begin(&providers.SessionAsk{})
	if err != nil {
		if werr := s.upstream.write(wsText, s.events.Cancel(id)); werr != nil {
			return werr
		}
		return s.refuse(err, "")
	}
	s.mu.Lock()
	s.open[id] = r
	s.mu.Unlock()
	return nil
}

// made counts content.
func (s *session) made(seen *providers.SessionSeen) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.open[seen.Reply]; r != nil {
		if r.f.reply.content == 0 {
			r.f.rec.FirstByte = time.Since(r.began)
		}
		r.f.reply.content += int64(seen.Content)
	}
}

// done settles a reply by what the upstream says it took.
func (s *session) done(seen *providers.SessionSeen) {
	s.mu.Lock()
	r := s.open[seen.Done]
	delete(s.open, seen.Done)
	if seen.HasUsage {
		n := seen.Usage.Total()
		s.tokens = n.Input() + n.Output
	}
	s.mu.Unlock()
	if r == nil { // refused when it began; what it made until then is owed all the same
		var err error
		if r, err = s.unasked(&s.f.target); err != nil || !seen.HasUsage {
			return
		}
	}
	r.f.rec.Usage.Merge(seen.Usage)
	r.f.reply.finish = seen.Finish
	r.end(nil)
}

// unasked is a reply that nothing was reserved for.
func (s *session) unasked(t *target) (*sessionReply, error) {
	r, err := s.reply(t)
	if err != nil {
		return nil, err
	}
	if err := r.f.openBill(&r.f.target, &providers.Plan{}); err != nil {
		return nil, err
	}
	r.sent(t)
	return r, nil
}

// transcribed bills what another model took to write down what the client said.
func (s *session) transcribed(seen *providers.SessionSeen) {
	t := s.f.target
	s.mu.Lock()
	t.Model = cmp.Or(s.aside, t.Model)
	s.mu.Unlock()
	r, err := s.unasked(&t)
	if err != nil {
		return // the journal says what it cannot keep
	}
	r.f.rec.Usage.Merge(seen.Usage)
	r.end(nil)
}

// refused is told of an error. Where it is about a reply that was asked for, that one will not
// begin.
func (s *session) refused(seen *providers.SessionSeen) {
	s.mu.Lock()
	at := slices.IndexFunc(s.asked, func(r *sessionReply) bool { return r.about != "" && r.about == seen.About })
	if at < 0 && seen.About == "" {
		at = slices.IndexFunc(s.asked, func(r *sessionReply) bool { return r.about == "" })
	}
	var r *sessionReply
	if at >= 0 {
		r = s.asked[at]
		s.asked = slices.Delete(s.asked, at, at+1)
	}
	s.mu.Unlock()
	if r == nil {
		return
	}
	a := &r.f.rec.Attempts[0]
	a.Status, a.Outcome = 400, storage.OutcomeUpstreamError
	r.end(&providers.Fault{Kind: providers.FaultUpstreamRejected, Status: 400, Message: "The provider refused the event."})
}

// end settles the reply, once.
func (r *sessionReply) end(err error) {
	r.f.rec.Attempts[0].Duration = time.Since(r.began)
	if err != nil && r.f.rec.Attempts[0].Outcome == storage.OutcomeOK {
		r.f.rec.Attempts[0].Outcome = outcome(err)
	}
	r.f.settle(err, 0)
}

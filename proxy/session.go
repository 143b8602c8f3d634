package proxy

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/gobwas/ws"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
)

// session is a conversation of events between a client and an upstream. Its flight keeps the
// client's key and the target; each reply in it is a request of its own to limits and ledger.
type session struct {
	f        *flight
	events   *providers.Session
	client   *socket
	upstream *socket

	mu        sync.Mutex
	cause     error                    // why it ends, the first that was known
	asked     []*sessionReply          // by the client, and not begun
	open      map[string]*sessionReply // under way, by the upstream's id
	maxOutput int64                    // that the client set for each reply
	unbounded string                   // a field that makes replies' costs unbounded
	aside     string                   // the model that transcribes what is said
	tokens    int64                    // that the conversation has, as last told
}

// wsText is the one kind of message that events have.
const wsText = ws.OpText

// errSpent ends a session whose budget is spent.
var errSpent = errors.New("the budget is spent")

// run relays until one side ends it. It owns the flight.
func (s *session) run(client *socket) {
	s.mu.Lock()
	s.client = client
	s.mu.Unlock()
	if cause := s.f.left(); cause != nil {
		s.stop(cause)
	}
	if c := s.f.g.options.Streams; c != nil {
		c.StreamOpened()
		defer c.StreamClosed()
	}
	var both sync.WaitGroup
	both.Go(func() { s.pump(s.upstream, s.toClient, true) })
	s.pump(client, s.toUpstream, false)
	both.Wait()
	s.settle()
}

// pump reads one end until it, or the session, has ended.
func (s *session) pump(from *socket, take func(message []byte) error, upstream bool) {
	defer func() {
		if cause := recover(); cause != nil {
			s.stop(s.f.g.defect(s.f, cause))
		}
	}()
	var buf []byte
	for {
		op, message, err := from.next(buf)
		if err == nil && op != ws.OpText {
			err = ws.ProtocolError("events are text")
		}
		if err == nil {
			buf = keep(message)
			err = take(message)
		}
		if err != nil {
			s.stop(s.why(err, upstream))
			return
		}
	}
}

// why says what a failure on one end means.
func (s *session) why(err error, upstream bool) error {
	var closed *closedError
	if errors.As(err, &closed) || errors.Is(err, errSpent) || errors.Is(err, errMessageTooLong) {
		return err
	}
	var wrong ws.ProtocolError
	switch {
	case upstream:
		return &providers.Fault{Kind: providers.FaultUpstream, Retryable: true, Message: "The provider broke the session off.", Cause: err}
	case errors.As(err, &wrong):
		return err
	}
	return fmt.Errorf("%w: %w", errClientGone, err)
}

// stop ends the session; the first cause counts. Both pumps wake up, and say it.
func (s *session) stop(cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cause == nil {
		s.cause = cause
	}
	for _, end := range []*socket{s.client, s.upstream} {
		if end != nil {
			_ = end.conn.SetReadDeadline(time.Unix(1, 0)) // a closed one wakes its reader by itself
		}
	}
}

// toUpstream takes an event of the client's.
func (s *session) toUpstream(event []byte) error {
	f := s.f
	f.rec.BytesIn += int64(len(event))
	if err := f.doc.Scan(event, s.events.Watch); err != nil {
		return s.refuse(err, "")
	}
	ask, err := s.events.Read(&f.doc)
	if err == nil && len(f.doc.Hits) > 0 {
		err = policy.AdmitFields(f.key, f.doc.Hits, f.alias.Targets)
	}
	if err != nil {
		return s.refuse(err, ask.ID)
	}
	s.note(&ask)
	if !ask.Reply {
		return s.upstream.write(wsText, event)
	}
	r, err := s.begin(&ask)
	if err != nil {
		return s.refuse(err, ask.ID)
	}
	s.mu.Lock()
	s.asked = append(s.asked, r)
	s.mu.Unlock()
	return s.upstream.write(wsText, event)
}

// note keeps what the client's settings say of later replies.
func (s *session) note(ask *providers.SessionAsk) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ask.Settings && ask.MaxOutput > 0 {
		s.maxOutput = ask.MaxOutput
	}
	hits := s.f.doc.Hits
	if field, is := policy.Unbounded(hits); is {
		s.unbounded = field
	}
	for i := range hits {
		if hits[i].Rule.Effect != providers.NamesModel {
			continue
		}
		for _, name := range hits[i].Names() {
			s.aside = name
		}
	}
}

// refuse tells the client why its event was not passed on. A spent budget ends the session.
func (s *session) refuse(err error, about string) error {
	out := fault(err)
	if werr := s.client.write(wsText, s.events.Refuse(out, about)); werr != nil {
		return werr
	}
	if out.Kind == providers.FaultQuota || out.Kind == providers.FaultUnauthorized {
		return fmt.Errorf("%w: %w", errSpent, out)
	}
	return nil
}

// toClient takes an event of the upstream's.
func (s *session) toClient(event []byte) error {
	seen := s.events.Observe(event)
	switch {
	case seen.Begun != "":
		if err := s.begun(seen.Begun); err != nil {
			return err
		}
	case seen.Done != "":
		s.done(&seen)
	case seen.Aside && seen.HasUsage:
		s.transcribed(&seen)
	case seen.Refused:
		s.refused(&seen)
	case seen.Content > 0:
		s.made(&seen)
	}
	s.f.rec.BytesOut += int64(len(event))
	return s.client.write(wsText, event)
}

// settle closes what is open, the connections and the record.
func (s *session) settle() {
	f := s.f
	s.mu.Lock()
	cause := s.cause
	for _, r := range s.asked {
		r.end(cutShort(cause))
	}
	for _, r := range s.open {
		r.end(cutShort(cause))
	}
	s.mu.Unlock()
	s.hangUp(cause)
	f.disown()
	var closed *closedError
	if errors.As(cause, &closed) || errors.Is(cause, errSpent) {
		f.settle(nil, 0)
	} else {
		f.settle(cutShort(cause), 0)
	}
	f.g.end(f)
}

// cutShort is why a reply ended that did not end by itself.
func cutShort(cause error) error {
	if errors.Is(cause, errClientGone) || errors.Is(cause, errSpent) {
		return &providers.Fault{Kind: providers.FaultClientGone, Message: "The client has gone.", Cause: cause}
	}
	var closed *closedError
	if errors.As(cause, &closed) {
		return &providers.Fault{Kind: providers.FaultClientGone, Message: "The session was closed.", Cause: cause}
	}
	var wrong ws.ProtocolError
	if errors.As(cause, &wrong) || errors.Is(cause, errMessageTooLong) {
		return &providers.Fault{Kind: providers.FaultInvalid, Message: "The client broke the protocol.", Cause: cause}
	}
	if errors.Is(cause, errDraining) || errors.Is(cause, errOvertime) {
		return &providers.Fault{Kind: providers.FaultUnavailable, Message: "The gateway ended the session.", Cause: cause}
	}
	return fault(cause)
}

// hangUp says the end to both ends, each in its words.
func (s *session) hangUp(cause error) {
	var closed *closedError
	var wrong ws.ProtocolError
	code, reason := ws.StatusGoingAway, ""
	switch {
	case errors.As(cause, &closed):
		code, reason = closed.code, closed.reason
	case errors.Is(cause, errSpent):
		code, reason = ws.StatusPolicyViolation, "insufficient_quota"
	case errors.Is(cause, errMessageTooLong):
		code, reason = ws.StatusMessageTooBig, "an event is longer than the gateway takes"
	case errors.As(cause, &wrong):
		code = ws.StatusProtocolError
	case errors.Is(cause, errDraining):
		reason = "the gateway is shutting down"
	case errors.Is(cause, errOvertime):
		reason = "the session took longer than it may"
	default:
		code, reason = ws.StatusInternalServerError, "the session broke off"
	}
	s.client.close(code, reason)
	if !errors.As(cause, &closed) {
		code, reason = ws.StatusNormalClosure, ""
	}
	s.upstream.close(code, reason)
}

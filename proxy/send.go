package proxy

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
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
	f.prepare(t)
	plan, err := f.plan(t)
	if err != nil {
		return err
	}
	if err := f.refuseLosses(plan); err != nil {
		return err
	}
	f.rec.Provider, f.rec.Model, f.rec.Credential = t.Provider, t.Model, t.account.Credential
	f.rec.Usage, f.rec.Served = reset(f.rec.Usage), "" // an earlier target's, which failed
	if f.recall(t, &plan) {
		return nil
	}
	if plan, err = f.reserve(t, plan); err != nil {
		return err
	}
	f.rec.Dropped, f.rec.Exact = plan.Dropped, f.exact(t)
	if err := f.openBill(t, &plan); err != nil {
		return err
	}
	f.rec.Attempts = append(f.rec.Attempts, storage.Attempt{Provider: t.Provider, Model: t.Model, Credential: t.account.Credential})
	began := time.Now()
	err = f.exchangeAll(t, plan)
	maskError(err, f.reply.secret)
	a := &f.rec.Attempts[len(f.rec.Attempts)-1]
	a.Duration = time.Since(began)
	a.Outcome = outcome(err)
	if err != nil {
		a.Err = err.Error()
		f.closeBill(err)
	}
	return err
}

// locked refuses a target whose credential is missing or cannot be opened: nothing is sent.
func (t *target) locked() error {
	if !t.account.NeedsKey {
		return nil
	}
	return &providers.Fault{Kind: providers.FaultProviderAuth, NoRetry: true, Retryable: true,
		Message: fmt.Sprintf("The gateway has no credential for the provider %q.", t.Provider),
		Cause:   cmp.Or(t.account.KeyError, errNoCredential)}
}

func (f *flight) exact(t *target) bool {
	return t.route.Pair == nil && t.route.Language == f.endpoint.Face.Language()
}

// prepare fills in what a call is told of its target.
func (f *flight) prepare(t *target) {
	c := &f.call
	c.Model, c.Provider, c.Quirks, c.Fetched, c.Scratch = t.Model, t.Provider, t.account.Quirks, nil, f.sent[:0]
	path := t.route.Path
	if c.Stream && t.route.StreamPath != "" {
		path = t.route.StreamPath
	}
	c.Path = path
	switch {
	case strings.Contains(path, "{model}"):
		c.Path = strings.ReplaceAll(path, "{model}", escapeModel(t.Model))
	case strings.Contains(path, "{id}"):
		c.Path = strings.ReplaceAll(path, "{id}", url.QueryEscape(t.Model))
	}
	c.Forwarded = c.Forwarded[:0]
	for _, name := range t.account.Forward {
		for _, v := range f.fc.Request.Header.PeekAll(name) { // some SDKs send a line for each
			if len(v) > 0 {
				c.Forwarded = joinHeader(c.Forwarded, name, string(v))
			}
		}
	}
	if !f.exact(t) {
		c.Can = t.can
	}
}

// escapeModel makes a model's name fit for a path. Its slashes stay.
func escapeModel(model string) string {
	parts := strings.Split(model, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return strings.Join(parts, "/")
}

// pair gives the two functions that serve the call in place of the hub, nil where there are none.
func (f *flight) pair(t *target) *providers.Pair {
	language := f.endpoint.Face.Language()
	switch pair := t.route.Pair; {
	case pair == nil && !f.exact(t):
		return f.endpoint.Pairs[t.route.Language]
	case pair != nil && pair.Client == language:
		return pair
	}
	return nil
}

// plan says the call in the target's words: the client's own bytes where the language is the
// same, else by way of the hub.
func (f *flight) plan(t *target) (providers.Plan, error) {
	pair := f.pair(t)
	switch {
	case f.endpoint.About():
		return f.storedPlan(t), nil
	case pair != nil:
		return pair.Write(f.call)
	case f.exact(t):
		return t.route.Dialect.Splice(f.call)
	case f.endpoint.Op != providers.OpChat && f.endpoint.Op != providers.OpCountTokens, t.route.Pair != nil:
		return providers.Plan{}, f.noOperation(" for clients of this language.")
	}
	if err := f.readHub(); err != nil {
		return providers.Plan{}, err
	}
	plan, err := t.route.Dialect.WriteRequest(f.hub, f.call)
	if err == nil && len(plan.Fetch) > 0 {
		if f.call.Fetched, err = f.fetch(plan.Fetch); err == nil {
			plan, err = t.route.Dialect.WriteRequest(f.hub, f.call)
		}
	}
	f.inOwnWords(&plan)
	return plan, err
}

// inOwnWords gives what a dialect names by OpenAI's words the names that the client knows it by.
func (f *flight) inOwnWords(plan *providers.Plan) {
	for i, name := range plan.Dropped {
		if word := f.endpoint.Words[name]; word.Path != "" {
			plan.Dropped[i] = word.Path
		}
	}
	name, value, _ := strings.Cut(plan.Clamped, "=")
	if word := f.endpoint.Words[name]; word.Path != "" {
		plan.Clamped = word.Path + "=" + value
	}
}

func (f *flight) readHub() error {
	if f.hub != nil {
		return nil
	}
	hub, err := f.endpoint.Face.ReadRequest(&f.doc)
	if err != nil {
		return err
	}
	if hub.User != "" {
		sum := sha256.Sum256([]byte(f.rec.Workspace + "\x00" + hub.User))
		f.call.EndUser = hex.EncodeToString(sum[:16])
	}
	f.hub = hub
	return nil
}

// refuseLosses turns a loss in translation into a 400, where the client asked for that.
func (f *flight) refuseLosses(plan providers.Plan) error {
	if len(plan.Dropped) == 0 || string(f.fc.Request.Header.Peek("x-aistrale-strict")) != "true" {
		return nil
	}
	return &providers.Fault{Kind: providers.FaultInvalid, Param: plan.Dropped[0], NoRetry: true,
		Message: fmt.Sprintf("The model `%s` cannot be told: %s (x-aistrale-strict).", f.rec.Asked, strings.Join(plan.Dropped, ", "))}
}

// exchangeAll makes the plan's requests, mostly one, and takes in the answer.
func (f *flight) exchangeAll(t *target, plan providers.Plan) error {
	if len(plan.Requests) == 0 {
		return errors.New("a plan without requests")
	}
	f.sent = plan.Requests[0].Body // to be used again
	f.reply.hideUsage = plan.HideUsage
	if f.pair(t) != nil {
		return f.exchangePair(t, plan)
	}
	head, err := f.open(t, &plan.Requests[0])
	if err != nil {
		return err
	}
	if f.endpoint.Op.Media() {
		return f.receive(t, head)
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
	f.address(t, req, contentType)
	if err := f.sign(t, req); err != nil {
		return Head{}, err
	}
	x := t.account.Upstream.Exchange()
	if err := f.own(x); err != nil {
		x.Finish()
		return Head{}, f.broken(err)
	}
	f.reply.x = x
	head, err := x.Send(req, body, f.timeouts())
	a := &f.rec.Attempts[len(f.rec.Attempts)-1]
	a.Status, a.Reused, a.Sent = head.Status, head.Reused, a.Sent || !head.Sent.IsZero()
	if !head.Sent.IsZero() && f.rec.Overhead == 0 {
		f.rec.Overhead = head.Sent.Sub(f.received)
	}
	if err != nil {
		return Head{}, f.broken(err)
	}
	f.reply.since = time.Now()
	f.kept.read(head)
	a.UpstreamID = f.kept.id
	if head.Status < 200 || head.Status > 299 {
		return Head{}, f.refused(t, head)
	}
	return head, nil
}

// address puts the headers on a request.
func (f *flight) address(t *target, req *providers.UpstreamRequest, contentType string) {
	accept := "application/json"
	switch {
	case f.endpoint.Op.Media():
		accept = "*/*"
	case f.call.Stream && t.route.Framed:
		accept = "application/vnd.amazon.eventstream"
	case f.call.Stream:
		accept = "text/event-stream"
	}
	req.Headers = append(req.Headers,
		providers.Header{Name: "content-type", Value: contentType},
		providers.Header{Name: "accept", Value: accept},
		providers.Header{Name: "accept-encoding", Value: "identity"})
	for _, h := range f.call.Forwarded {
		req.Headers = joinHeader(req.Headers, h.Name, h.Value)
	}
	for _, name := range t.account.ForwardExact {
		if v := f.fc.Request.Header.Peek(name); len(v) > 0 && f.exact(t) {
			req.Headers = setHeader(req.Headers, name, string(v))
		}
	}
}

var errNoCredential = errors.New("no credential: add one with `aistrale credential add`, or set api_key in the config")

// joinHeader adds a header, or adds to the list that the dialect has begun (anthropic-beta).
func joinHeader(headers []providers.Header, name, value string) []providers.Header {
	for i := range headers {
		if headers[i].Name == name {
			headers[i].Value += "," + value
			return headers
		}
	}
	return append(headers, providers.Header{Name: name, Value: value})
}

// setHeader adds a header, or puts it in the place of the dialect's own.
func setHeader(headers []providers.Header, name, value string) []providers.Header {
	for i := range headers {
		if headers[i].Name == name {
			headers[i].Value = value
			return headers
		}
	}
	return append(headers, providers.Header{Name: name, Value: value})
}

// timeouts are the limits of this call. SDKs say how long they will wait; waiting longer would
// only pay for an answer that nobody reads.
func (f *flight) timeouts() Timeouts {
	l := &f.g.options.Limits
	own, a := &f.key.Timeouts, f.target.account
	t := Timeouts{FirstByte: shorter(a.FirstByte, own.FirstByte), Idle: shorter(a.StreamIdle, own.StreamIdle), Pause: min(l.Comment, l.Hold)}
	f.hurried = t.FirstByte < a.FirstByte || t.Idle < a.StreamIdle
	if first := f.firstByte; first > 0 {
		t.FirstByte, t.Pause = min(t.FirstByte, first), min(t.Pause, first)
	}
	if v := f.fc.Request.Header.Peek("x-stainless-timeout"); len(v) > 0 {
		if s, err := strconv.ParseFloat(string(v), 64); err == nil && s > 0 && s < t.FirstByte.Seconds() {
			t.FirstByte, f.hurried = time.Duration(s*float64(time.Second)), true
		}
	}
	return t
}

// shorter is the shorter of two waits, of which 0 is none.
func shorter(a, b time.Duration) time.Duration {
	if a <= 0 || b > 0 && b < a {
		return b
	}
	return a
}

// exchangePair makes all requests of a pair, one after another, and says their replies as one.
func (f *flight) exchangePair(t *target, plan providers.Plan) error {
	replies := make([][]byte, 0, len(plan.Requests))
	for i := range plan.Requests {
		head, err := f.open(t, &plan.Requests[i])
		if err != nil {
			return err
		}
		whole, err := readAll(f.reply.x, nil, head.Length, f.g.options.Limits.MaxReply)
		if err != nil {
			return f.broken(err)
		}
		f.letGo()
		replies, f.reply.partly = append(replies, whole), true
	}
	f.reply.received = true
	body, usage, err := f.pair(t).Read(f.call, replies)
	if err != nil {
		return err
	}
	f.rec.Usage.Merge(usage)
	f.scratch = body
	f.reply.whole, f.reply.contentType = true, "application/json"
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

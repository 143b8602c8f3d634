package proxy

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"

	"github.com/aistrale/aistrale/providers"
)

func (f *flight) exact(t *target) bool {
	return t.route.Pair == nil && t.route.Language == f.endpoint.Face.Language()
}

// prepare fills in what a call is told of its target.
func (f *flight) prepare(t *target) {
	c := &f.call
	c.Model, c.Provider, c.Quirks, c.Fetched = t.Model, t.Provider, t.account.Quirks, nil
	c.Room = providers.Room{Body: f.sent[:0], Requests: f.requests[:0]}
	if t.route.Quirks != nil {
		c.Quirks = *t.route.Quirks
	}
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
	if c.Keeps = (providers.Keeps{}); !f.exact(t) {
		c.Can = t.can
		c.Keeps = providers.Keeps{Reply: f.turn.store, Previous: f.turn.previous, Conversation: f.turn.conversation}
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

// writer says the hub's events to the client.
func (f *flight) writer(t *target) providers.Writer {
	if pair := f.pair(t); pair != nil && pair.Stream != nil {
		return pair.Stream(&f.call)
	}
	return f.endpoint.Face.Writer(&f.call)
}

// pair gives the functions that serve the call in place of the hub, nil where there are none.
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

// planAt makes the call ready for a target and says it in the target's words, or why a strict
// client's cannot be said in them.
func (f *flight) planAt(t *target) (providers.Plan, error) {
	if !f.exact(t) {
		if err := f.takeSaid(len(f.doc.Raw)); err != nil {
			return providers.Plan{}, err
		}
	}
	f.prepare(t)
	plan, err := f.plan(t)
	if err == nil {
		err = f.refuseLosses(&plan)
	}
	if err == nil && len(plan.Requests) > 0 {
		err = f.takeSaid(len(plan.Requests[0].Body)) // what was fetched has been put in
	}
	return plan, err
}

// plan says the call in the target's words: the client's own bytes where the language is the
// same, else by way of the hub.
func (f *flight) plan(t *target) (providers.Plan, error) {
	plan, err := f.say(t)
	for _, name := range f.unsaid {
		plan.Dropped = providers.AddDropped(plan.Dropped, name)
	}
	return plan, err
}

func (f *flight) say(t *target) (providers.Plan, error) {
	pair := f.pair(t)
	switch {
	case f.endpoint.About():
		return f.storedPlan(t), nil
	case pair != nil:
		if f.form != nil {
			f.call.Files = f.form.names(f.call.Files[:0])
		}
		return pair.Write(&f.call)
	case f.exact(t):
		return t.route.Dialect.Splice(&f.call)
	case f.endpoint.Op != providers.OpChat && f.endpoint.Op != providers.OpCountTokens, t.route.Pair != nil:
		return providers.Plan{}, f.noOperation(" for clients of this language.")
	}
	if err := f.readyToKeep(); err != nil {
		return providers.Plan{}, err
	}
	if err := f.readHub(); err != nil {
		return providers.Plan{}, err
	}
	plan, err := t.route.Dialect.WriteRequest(f.hub, &f.call)
	if err == nil && len(plan.Fetch) > 0 && !f.dry {
		if f.call.Fetched, err = f.fetch(plan.Fetch); err == nil {
			plan, err = t.route.Dialect.WriteRequest(f.hub, &f.call)
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
func (f *flight) refuseLosses(plan *providers.Plan) error {
	if len(plan.Dropped) == 0 || string(f.fc.Request.Header.Peek("x-aistrale-strict")) != "true" {
		return nil
	}
	return &providers.Fault{Kind: providers.FaultInvalid, Param: plan.Dropped[0], NoRetry: true,
		Message: fmt.Sprintf("The model `%s` cannot be told: %s (x-aistrale-strict).", f.rec.Asked, strings.Join(plan.Dropped, ", "))}
}

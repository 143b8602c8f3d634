package proxy

import (
	"context"
	"fmt"
	"slices"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// turn is what the gateway keeps of one call of a model.
type turn struct {
	store        bool // the reply is kept, where the target's provider keeps none
	unfolded     bool // the call stands with all that was said before it
	previous     string
	conversation string
	own          [][]byte // what the call itself says
}

// unfold puts what the gateway keeps of a conversation into the call that goes on with it, so
// that all that comes after (fields, prices, bounds, translation) sees the call as a whole.
func (f *flight) unfold() error {
	t := f.endpoint.Turns
	if t == nil || !f.keepsTurns() {
		return f.refuseOwn()
	}
	asked, err := t.Ask(&f.doc)
	if err != nil {
		return err
	}
	f.turn.store = t.Makes && (asked.Store || !asked.StoreSaid)
	if !slices.ContainsFunc(asked.Names(), isOwn) {
		return nil
	}
	before, err := f.before(&asked)
	if err != nil {
		return err
	}
	find, err := f.referred(asked.Items)
	if err != nil {
		return err
	}
	if f.turn.own, err = t.Own(&f.doc, find); err != nil {
		return err
	}
	if err := f.admitBefore(before); err != nil {
		return err
	}
	f.turn.unfolded = true
	return f.replace(t.Unfold(f.unfolded[:0], &f.doc, append(before, f.turn.own...)))
}

func isOwn(id string) bool {
	_, _, ok := providers.Owned(id)
	return ok
}

// refuseOwn refuses a call that names what the gateway keeps where it cannot be used.
func (f *flight) refuseOwn() error {
	if len(f.heldHere) == 0 {
		return nil
	}
	o := &f.heldHere[0]
	if f.endpoint.Turns == nil {
		return providers.Invalid("", fmt.Sprintf("The object '%s' is kept by the gateway itself, for calls of /v1/responses only.", o.ID))
	}
	return unkept("", fmt.Sprintf("Going on with '%s'", o.ID))
}

// before gives what was said before the call, in its order.
func (f *flight) before(asked *providers.TurnsAsked) ([][]byte, error) {
	for _, named := range []struct {
		id, param string
		kind      providers.ObjectKind
	}{
		{asked.Previous, "previous_response_id", providers.ObjectResponse}, {asked.Conversation, "conversation", providers.ObjectConversation},
	} {
		if named.id != "" && !slices.ContainsFunc(f.heldHere, func(o storage.Object) bool { return o.ID == named.id && o.Kind == named.kind }) {
			return nil, noObject(named.id, named.param)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), turnWait)
	defer cancel()
	var items [][]byte
	most := f.g.options.Limits.MaxBody
	switch {
	case asked.Conversation != "":
		f.turn.conversation = asked.Conversation
		turns, err := f.g.options.Turns.TurnsWithin(ctx, storage.TurnQuery{
			Workspace: f.key.Workspace, Within: asked.Conversation, Limit: storage.MaxTurns, Most: most,
		})
		if err != nil {
			return nil, turnTrouble(err)
		}
		for i := range turns {
			items = append(items, turns[i].Content)
		}
	case asked.Previous != "":
		f.turn.previous = asked.Previous
		turns, err := f.g.options.Turns.TurnChain(ctx, f.key.Workspace, asked.Previous, most)
		if err != nil {
			return nil, turnTrouble(err)
		}
		if len(turns) == 0 || turns[0].Previous != "" {
			return nil, lost(asked.Previous, turns)
		}
		for i := range turns {
			items = append(items, f.endpoint.Turns.Said(turns[i].Content)...)
		}
	}
	return items, nil
}

// lost refuses to go on where a part of what was said is gone.
func lost(id string, turns []storage.Turn) error {
	gone := id
	if len(turns) > 0 {
		gone = turns[0].Previous
	}
	return &providers.Fault{Kind: providers.FaultInvalid, Code: "previous_response_not_found", Param: "previous_response_id", NoRetry: true,
		Message: fmt.Sprintf("The response '%s' cannot be continued: '%s', on which it stands, is no longer kept.", clean([]byte(id)), clean([]byte(gone)))}
}

// referred gives a look-up for the items that the call names: each stands by itself in a
// conversation, or in the response that its id tells of.
func (f *flight) referred(items []providers.TurnItem) (func(string) []byte, error) {
	if len(items) == 0 {
		return func(string) []byte { return nil }, nil
	}
	if len(items) > maxNamed {
		return nil, providers.Invalid("input", fmt.Sprintf("The request names more than %d stored objects.", maxNamed))
	}
	within := make(map[string]string, len(items))
	var ids []string
	for _, it := range items {
		within[it.ID] = it.Within
		ids = append(ids, it.ID, it.Within)
	}
	turns, err := f.findTurns(ids...)
	if err != nil {
		return nil, err
	}
	return func(id string) []byte {
		if t, ok := turns[id]; ok && t.Within != "" && f.lives(t.Within) {
			return t.Content
		}
		if t, ok := turns[within[id]]; ok && f.lives(t.ID) {
			for _, item := range f.endpoint.Turns.Said(t.Content) {
				if gjson.GetBytes(item, "id").Str == id {
					return item
				}
			}
		}
		return nil
	}, nil
}

// lives reports whether an object of the gateway's is still the caller's.
func (f *flight) lives(id string) bool {
	mine, _, err := f.g.objects.find(f.key.Workspace, id)
	return err == nil && len(mine) > 0
}

// admitBefore holds what was said before against the key, as another one may have said it, and
// finds the objects that it names.
func (f *flight) admitBefore(items [][]byte) error {
	var bare, past providers.Document
	if err := bare.Scan([]byte("{}"), nil); err != nil {
		return err
	}
	if err := past.Scan(f.endpoint.Turns.Unfold(nil, &bare, items), f.g.options.Watch); err != nil {
		return err
	}
	if err := policy.AdmitFields(f.key, past.Hits, f.alias.Targets); err != nil {
		return err
	}
	return f.findNamed(past.Hits)
}

// replace puts the whole call in the place of the client's.
func (f *flight) replace(body []byte) error {
	f.unfolded = body
	if limit := f.g.options.Limits.MaxBody; len(body) > limit {
		return turnTrouble(storage.ErrTooMuch)
	}
	if err := f.takeCopy(len(body)); err != nil {
		return err
	}
	return f.scan(body)
}

// keepOwn leaves the places that a call with turns of the gateway's can go to: a provider that
// speaks the client's language keeps its own.
func (f *flight) keepOwn(places []target) ([]target, error) {
	if !f.turn.unfolded {
		return places, nil
	}
	f.passOverPlaces(places, f.exact, storage.FateObjects)
	left := slices.DeleteFunc(places, func(t target) bool { return f.exact(&t) })
	if len(left) > 0 {
		return left, nil
	}
	return nil, &providers.Fault{Kind: providers.FaultInvalid, Param: "model", NoRetry: true,
		Message: fmt.Sprintf("What the gateway itself keeps cannot be continued with the model `%s`, whose provider keeps its own responses. Send the whole input.", f.rec.Asked)}
}

// readyToKeep makes ready to keep what a model's provider does not, and refuses a call that wants
// it kept where nobody would.
func (f *flight) readyToKeep() (err error) {
	t := f.endpoint.Turns
	switch {
	case t == nil || !t.Makes:
		return nil
	case !f.turn.store && !f.keepsTurns():
		store, _, err := f.doc.Bool("store")
		if store {
			err = unkept("store", "Storing the response")
		}
		return err
	case f.turn.store && f.turn.own == nil:
		if f.turn.own, err = t.Own(&f.doc, func(string) []byte { return nil }); err != nil {
			return err
		}
	}
	if (f.turn.store || f.turn.conversation != "") && f.tooHeavy(f.turn.own...) {
		return f.tooLargeToKeep("input")
	}
	return nil
}

// record takes a reply that has come to its end, before its last event is said. A stream's is
// kept at once, since the client reads its end next. It reports whether that may be said.
func (f *flight) record(r *reply, dst []byte, ev *providers.Event) ([]byte, bool) {
	k := &f.call.Keeps
	w, ok := r.writer.(providers.Keeper)
	if !ok || !k.Reply && k.Conversation == "" {
		return dst, true
	}
	dst, r.record = w.Whole(dst, ev)
	if f.tooHeavy(append([][]byte{r.record}, f.turn.own...)...) && k.Conversation == "" {
		r.record = nil
		w.Forgo() // a reply that was paid for is not withheld
		return dst, true
	}
	if !f.call.Stream {
		return dst, true // it may not be the one that the client gets
	}
	if err := f.keepRecord(); err != nil {
		r.fault, r.ended, r.done = unfinished(err), false, true
		return dst, false
	}
	return dst, true
}

// keepRecord keeps the reply that was recorded, if there is one.
func (f *flight) keepRecord() error {
	reply := f.reply.record
	if reply == nil {
		return nil
	}
	f.reply.record = nil
	kept, until, ws := f.endpoint.Turns.Keep(reply, f.turn.own), f.keptUntil(), f.key.Workspace
	var turns []storage.Turn
	var objects []storage.Object
	if f.call.Keeps.Reply {
		turns = append(turns, storage.Turn{
			ID: kept.ID, Workspace: ws, Previous: f.turn.previous, CreatedAt: f.start, ExpiresAt: until, Content: kept.Content,
		})
		objects = append(objects, f.ownObject(providers.ObjectResponse, kept.ID, until))
	}
	if id := f.turn.conversation; id != "" {
		conversation, err := f.findTurn(id)
		if err != nil {
			return err
		}
		turns = append(turns, f.grown(conversation, kept.Items)...)
		objects = append(objects, f.ownObject(providers.ObjectConversation, id, turns[len(turns)-1].ExpiresAt))
	}
	return f.putTurns(turns, objects...)
}

package proxy

import (
	"context"
	"strconv"
	"time"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// Calls about responses and conversations that the gateway itself keeps are answered here; no
// provider has a part in them.

// here reports whether a call about stored objects is for the gateway itself: what its path names
// is kept here, or what it makes shall be.
func (f *flight) here() bool {
	s := f.endpoint.Stored
	switch {
	case s.Held == nil:
		return false
	case s.Held.Act == providers.TurnMake:
		return f.makesHere()
	}
	return len(f.heldHere) > 0 && f.heldHere[0].ID == f.vars.get(s.Names[0]) && f.heldHere[0].Kind == s.Held.Kind
}

// makesHere reports whether the gateway keeps the conversation that a call makes: where the call,
// or else its workspace, names the provider, that one does.
func (f *flight) makesHere() bool {
	name := f.wantedProvider()
	if name == "" {
		name = f.state.Keepers[f.key.Workspace]
	}
	return name == storage.GatewayKeeper || name == "" && f.keepsTurns()
}

// mayAsk reports whether a call is about what is kept for the key itself, so that it needs no
// right to what providers keep.
func (f *flight) mayAsk() bool {
	s := f.endpoint.Stored
	if s.Held == nil || !f.keepsTurns() {
		return false
	}
	if s.Held.Act == providers.TurnMake {
		return f.makesHere()
	}
	return isOwn(f.vars.get(s.Names[0]))
}

// answerHeld answers a call about what the gateway keeps.
func (f *flight) answerHeld() error {
	held := f.endpoint.Stored.Held
	if changes := held.Act == providers.TurnMake || held.Act == providers.TurnChange || held.Act == providers.TurnAdd; changes && !f.keepsTurns() {
		return providers.Invalid("", "This is not possible: "+sayStore+".")
	}
	c := providers.TurnCall{
		Item: f.vars.get("item"), Batch: f.rec.ID, Doc: &f.doc, Created: f.start, Stream: f.call.Stream, After: -1,
	}
	turn, err := f.load(&c, held.Act)
	if err != nil {
		return err
	}
	reply, err := held.Answer(&c)
	if err != nil {
		return err
	}
	if err := f.settleTurn(&c, turn, &reply); err != nil {
		return err
	}
	f.scratch = append(f.scratch[:0], reply.Body...)
	f.reply.whole, f.reply.contentType = true, "application/json"
	if c.Stream {
		f.reply.contentType = "text/event-stream; charset=utf-8"
	}
	f.relay()
	return nil
}

// load finds what a call is about.
func (f *flight) load(c *providers.TurnCall, act providers.TurnAct) (turn storage.Turn, err error) {
	if act == providers.TurnMake {
		c.ID = providers.OwnID("conv", f.rec.ID)
		return turn, nil
	}
	c.ID = f.heldHere[0].ID
	if turn, err = f.findTurn(c.ID); err != nil {
		return turn, err
	}
	c.Content = turn.Content
	switch act {
	case providers.TurnItemShow, providers.TurnItemRemove:
		item, err := f.findItem(c.ID, c.Item, "item")
		if act == providers.TurnItemShow {
			c.Content = item.Content
		}
		return turn, err
	case providers.TurnList:
		return turn, f.loadPage(c)
	case providers.TurnShow:
		if err := f.loadPaging(c); err != nil {
			return turn, err
		}
		if after := f.query("starting_after"); after != "" {
			if c.After, err = strconv.Atoi(after); err != nil || c.After < 0 {
				return turn, providers.Invalid("starting_after", "Invalid 'starting_after': it must be the number of an event.")
			}
		}
	default: // the rest is about the turn itself
	}
	return turn, nil
}

func (f *flight) findItem(within, id, param string) (storage.Turn, error) {
	if len(id) > storage.MaxObjectID {
		return storage.Turn{}, noObject(id, param)
	}
	turns, err := f.findTurns(id)
	if err != nil {
		return storage.Turn{}, err
	}
	if t, ok := turns[id]; ok && t.Within == within {
		return t, nil
	}
	return storage.Turn{}, noObject(id, param)
}

// loadPaging reads which part of a list the client wants, where the call is for one.
func (f *flight) loadPaging(c *providers.TurnCall) (err error) {
	if f.endpoint.Stored.Paging == nil {
		return nil
	}
	c.Page, err = f.page()
	c.Page.After, c.Page.Before = f.query("after"), f.query("before")
	return err
}

// loadPage finds the items of a conversation that a call asks for.
func (f *flight) loadPage(c *providers.TurnCall) (err error) {
	if err := f.loadPaging(c); err != nil {
		return err
	}
	q := storage.TurnQuery{Workspace: f.key.Workspace, Within: c.ID, Newest: !c.Page.Oldest, Limit: c.Page.Limit + 1}
	if c.Page.After != "" {
		after, err := f.findItem(c.ID, c.Page.After, "after")
		if err != nil {
			return err
		}
		q.After = &after
	}
	ctx, cancel := context.WithTimeout(context.Background(), turnWait)
	defer cancel()
	turns, err := f.g.options.Turns.TurnsWithin(ctx, q)
	if err != nil {
		return turnTrouble(err)
	}
	c.More = len(turns) > c.Page.Limit
	for i := range turns[:min(len(turns), c.Page.Limit)] {
		c.Items = append(c.Items, turns[i].Content)
	}
	return nil
}

// settleTurn keeps, or forgets, what a call has made, changed or removed.
func (f *flight) settleTurn(c *providers.TurnCall, turn storage.Turn, reply *providers.TurnReply) error {
	switch f.endpoint.Stored.Held.Act {
	case providers.TurnMake:
		turn = storage.Turn{ID: c.ID, Workspace: f.key.Workspace, CreatedAt: f.start}
		return f.putConversation(turn, reply)
	case providers.TurnChange, providers.TurnAdd:
		return f.putConversation(turn, reply)
	case providers.TurnRemove:
		if err := f.removeTurn(c.ID); err != nil {
			return err
		}
		return f.g.objects.release(f.heldHere[0])
	case providers.TurnItemRemove:
		return f.removeTurn(c.Item)
	default: // it is only looked at
		return nil
	}
}

func (f *flight) putConversation(turn storage.Turn, reply *providers.TurnReply) error {
	for i := range reply.Items {
		if f.tooHeavy(reply.Items[i].Content) {
			return f.tooLargeToKeep("items")
		}
	}
	if reply.Content != nil {
		turn.Content = reply.Content
	}
	turns := f.grown(turn, reply.Items)
	return f.putTurns(turns, f.ownObject(providers.ObjectConversation, turn.ID, turns[len(turns)-1].ExpiresAt))
}

// grown gives items that are added to a conversation and, last, the conversation itself, which
// lives on from then.
func (f *flight) grown(conversation storage.Turn, items []providers.TurnItem) []storage.Turn {
	now := time.Now()
	turns := make([]storage.Turn, 0, len(items)+1)
	for i := range items {
		turns = append(turns, storage.Turn{
			ID: items[i].ID, Workspace: conversation.Workspace, Within: conversation.ID, Place: i, CreatedAt: now, Content: items[i].Content,
		})
	}
	if until := f.keptUntil(); conversation.ExpiresAt == nil || until.After(*conversation.ExpiresAt) {
		conversation.ExpiresAt = until
	}
	return append(turns, conversation)
}

func (f *flight) removeTurn(id string) error {
	ctx, cancel := context.WithTimeout(context.Background(), turnWait)
	defer cancel()
	if err := f.g.options.Turns.RemoveTurn(ctx, f.key.Workspace, id); err != nil {
		return turnTrouble(err)
	}
	return nil
}

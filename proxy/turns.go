package proxy

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// Turns keeps what was said to models whose providers keep nothing. Its errors but
// storage.ErrTooMuch are the store's own trouble.
type Turns interface {
	// PutTurns keeps turns, all or none; it has them when it returns.
	PutTurns(ctx context.Context, turns ...storage.Turn) error
	// FindTurns gives those turns of a workspace that are there.
	FindTurns(ctx context.Context, workspace string, ids ...string) ([]storage.Turn, error)
	// TurnChain gives a turn and all that it continues, the oldest first.
	TurnChain(ctx context.Context, workspace, id string, most int) ([]storage.Turn, error)
	TurnsWithin(ctx context.Context, q storage.TurnQuery) ([]storage.Turn, error)
	// RemoveTurn forgets a turn, and those within it.
	RemoveTurn(ctx context.Context, workspace, id string) error
}

// turnWait is how long a request waits for the store of turns.
const turnWait = 5 * time.Second

// keepsTurns reports whether the key's turns are kept by the gateway.
func (f *flight) keepsTurns() bool { return f.key.Store > 0 && f.g.options.Turns != nil }

// keptUntil is when what is kept now ends.
func (f *flight) keptUntil() *time.Time {
	life := f.key.Store
	if most := f.g.options.Limits.TurnLife; most > 0 {
		life = min(life, most)
	}
	until := time.Now().Add(life)
	return &until
}

// putTurns keeps turns and writes down whose they are; those that are objects have their rows.
// What nobody was told of ends by itself, so the turns come first.
func (f *flight) putTurns(turns []storage.Turn, objects ...storage.Object) error {
	ctx, cancel := context.WithTimeout(context.Background(), turnWait)
	defer cancel()
	if err := f.g.options.Turns.PutTurns(ctx, turns...); err != nil {
		return turnTrouble(err)
	}
	return f.g.objects.claim(objects...)
}

// ownObject is one of the caller's that the gateway keeps.
func (f *flight) ownObject(kind providers.ObjectKind, id string, until *time.Time) storage.Object {
	o := f.object(&Account{Keeper: storage.GatewayKeeper}, kind, id)
	o.ExpiresAt = until
	return o.Stamp()
}

// findTurns gives turns of the caller's by their ids.
func (f *flight) findTurns(ids ...string) (map[string]storage.Turn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), turnWait)
	defer cancel()
	found, err := f.g.options.Turns.FindTurns(ctx, f.key.Workspace, ids...)
	if err != nil {
		return nil, turnTrouble(err)
	}
	turns := make(map[string]storage.Turn, len(found))
	for i := range found {
		turns[found[i].ID] = found[i]
	}
	return turns, nil
}

// findTurn gives one, which the store of objects knows.
func (f *flight) findTurn(id string) (storage.Turn, error) {
	turns, err := f.findTurns(id)
	if err != nil {
		return storage.Turn{}, err
	}
	t, ok := turns[id]
	if !ok {
		return t, noObject(id, "")
	}
	return t, nil
}

// turnTrouble is what a client hears of the store's trouble.
func turnTrouble(err error) error {
	if errors.Is(err, storage.ErrTooMuch) {
		return &providers.Fault{Kind: providers.FaultTooLarge, NoRetry: true, Cause: err,
			Message: "What was said before is more than a request may hold. Begin a new conversation, or send the part of it that matters."}
	}
	return &providers.Fault{Kind: providers.FaultUnavailable, Retryable: true, RetryAfter: time.Second, Cause: err,
		Message: "The gateway cannot reach the responses and conversations that it keeps at the moment. Please retry shortly."}
}

// sayStore tells how a key comes to have its turns kept.
const sayStore = "the gateway keeps no responses or conversations for this key: an operator opts it in by the key's setting `store`"

// unkept refuses a call that would need what the gateway does not keep for its key.
func unkept(param, what string) error {
	return &providers.Fault{Kind: providers.FaultInvalid, Param: param, Code: "unsupported_parameter", NoRetry: true,
		Message: fmt.Sprintf("%s is not possible with this model: its provider keeps nothing, and %s.", what, sayStore)}
}

// unfinished is what a client hears whose reply was made, and could not be kept. Its SDK must not
// make it once more.
func unfinished(err error) *providers.Fault {
	out := *fault(err)
	out.Retryable, out.NoRetry, out.RetryAfter = false, true, 0
	out.Message = "The reply was made, but the gateway could not keep it: it is withheld, as 'store' was asked for."
	return &out
}

// tooLargeToKeep refuses what a turn may not hold.
func (f *flight) tooLargeToKeep(param string) error {
	return &providers.Fault{Kind: providers.FaultTooLarge, Param: param, NoRetry: true, Status: http.StatusRequestEntityTooLarge,
		Message: fmt.Sprintf("A response that the gateway keeps may have %d bytes with its input; send store: false to have it without being kept.", f.g.options.Limits.MaxTurn)}
}

// tooHeavy reports whether items are more than one turn may hold.
func (f *flight) tooHeavy(items ...[]byte) bool {
	sum := 0
	for _, item := range items {
		sum += len(item)
	}
	return f.g.options.Limits.MaxTurn > 0 && sum > f.g.options.Limits.MaxTurn
}

// markOwn marks the fields that name what the gateway keeps: whose key has its turns kept may name
// them.
func (f *flight) markOwn() error {
	t := f.endpoint.Turns
	if t == nil || len(f.doc.Hits) == 0 || !f.keepsTurns() {
		return nil
	}
	asked, err := t.Ask(&f.doc)
	if err != nil {
		return err
	}
	for _, id := range asked.Names() {
		if _, _, ok := providers.Owned(id); !ok {
			return nil
		}
	}
	for i := range f.doc.Hits {
		hit := &f.doc.Hits[i]
		hit.Own = hit.Rule.Effect == providers.NamesObject && slices.Contains(t.Fields, hit.Rule.Path)
	}
	return nil
}

package proxy

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// Objects knows whose stored objects are. Its errors but storage.ErrNotYours are the store's own
// trouble.
type Objects interface {
	// FindObjects gives every account's object of an id, whoever owns it.
	FindObjects(ctx context.Context, id string) ([]storage.Object, error)
	// ClaimObjects writes down whose objects are, all or none; it has them when it returns.
	ClaimObjects(ctx context.Context, objects ...storage.Object) error
	// ReleaseObject forgets an object, and those that go away with it.
	ReleaseObject(ctx context.Context, o storage.Object) error
	ListObjects(ctx context.Context, q storage.ObjectQuery) ([]storage.Object, error)
	// SettleObject notes that nothing of an object is owed any more, and says whether it was until now.
	SettleObject(ctx context.Context, o storage.Object) (bool, error)
}

// noObjects knows of none, and keeps none.
type noObjects struct{}

var errNoObjects = errors.New("no store of objects")

func (noObjects) FindObjects(context.Context, string) ([]storage.Object, error) { return nil, nil }
func (noObjects) ClaimObjects(context.Context, ...storage.Object) error         { return errNoObjects }
func (noObjects) ReleaseObject(context.Context, storage.Object) error           { return nil }
func (noObjects) SettleObject(context.Context, storage.Object) (bool, error)    { return false, nil }
func (noObjects) ListObjects(context.Context, storage.ObjectQuery) ([]storage.Object, error) {
	return nil, nil
}

const (
	// objectWait is how long a request waits for the store of objects.
	objectWait = 3 * time.Second
	// objectsKept is how many ids a gateway has at hand, and objectFresh for how long: another
	// gateway may have forgotten one.
	objectsKept = 16 << 10
	objectFresh = time.Minute
)

// objects has the ids at hand that were asked for last. An id that nobody owns is always asked
// for: another gateway may just have seen it made.
type objects struct {
	store Objects
	now   func() time.Time

	mu    sync.Mutex
	order *list.List // of *found, the latest first
	byID  map[string]*list.Element
}

type found struct {
	id      string
	objects []storage.Object
	at      time.Time
}

func newObjects(store Objects) *objects {
	if store == nil {
		store = noObjects{}
	}
	return &objects{store: store, now: time.Now, order: list.New(), byID: map[string]*list.Element{}}
}

// find gives a workspace's objects of an id, and whether anybody has one.
func (o *objects) find(workspace, id string) (mine []storage.Object, known bool, err error) {
	all, ok := o.atHand(id)
	if !ok {
		ctx, cancel := context.WithTimeout(context.Background(), objectWait)
		defer cancel()
		if all, err = o.store.FindObjects(ctx, id); err != nil {
			return nil, false, objectTrouble(err)
		}
		o.keep(id, all)
	}
	now := o.now()
	for i := range all {
		if all[i].Expired(now) {
			continue // that it is gone its provider says itself, to whom it may
		}
		if known = true; all[i].Workspace == workspace {
			mine = append(mine, all[i])
		}
	}
	return mine, known, nil
}

func (o *objects) atHand(id string) ([]storage.Object, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	e := o.byID[id]
	if e == nil {
		return nil, false
	}
	if f := e.Value.(*found); o.now().Sub(f.at) < objectFresh {
		o.order.MoveToFront(e)
		return f.objects, true
	}
	o.drop(e)
	return nil, false
}

func (o *objects) keep(id string, all []storage.Object) {
	if len(all) == 0 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if e := o.byID[id]; e != nil {
		o.drop(e)
	}
	o.byID[id] = o.order.PushFront(&found{id: id, objects: all, at: o.now()})
	if o.order.Len() > objectsKept {
		o.drop(o.order.Back())
	}
}

func (o *objects) drop(e *list.Element) {
	o.order.Remove(e)
	delete(o.byID, e.Value.(*found).id)
}

// forget has the store asked again for ids.
func (o *objects) forget(all ...storage.Object) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range all {
		if e := o.byID[all[i].ID]; e != nil {
			o.drop(e)
		}
	}
}

// claim writes down whose objects are.
func (o *objects) claim(all ...storage.Object) error {
	ctx, cancel := context.WithTimeout(context.Background(), objectWait)
	defer cancel()
	err := o.store.ClaimObjects(ctx, all...)
	o.forget(all...)
	if errors.Is(err, storage.ErrNotYours) {
		return &providers.Fault{Kind: providers.FaultInternal, NoRetry: true, Cause: err,
			Message: "The provider answered with an object that the gateway knows as another's, so the answer is withheld."}
	}
	if err != nil {
		return objectTrouble(err)
	}
	return nil
}

// release forgets an object.
func (o *objects) release(it storage.Object) error {
	ctx, cancel := context.WithTimeout(context.Background(), objectWait)
	defer cancel()
	err := o.store.ReleaseObject(ctx, it)
	o.forget(it)
	if err != nil {
		return objectTrouble(err)
	}
	return nil
}

// objectTrouble is what a client hears of the store's trouble: never that an object is missing.
func objectTrouble(err error) error {
	return &providers.Fault{Kind: providers.FaultUnavailable, Retryable: true, RetryAfter: time.Second, Cause: err,
		Message: "The gateway cannot look up whose stored objects are at the moment. Please retry shortly."}
}

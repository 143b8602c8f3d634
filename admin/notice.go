package admin

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// NoticesOptions are what Notices work with.
type NoticesOptions struct {
	Store Store
	Log   *slog.Logger
	Now   func() time.Time
}

// Notices put what has happened in line for the webhooks that want to hear of it: with the change
// itself where it is one of the control plane, else by way of a bounded queue, so that nothing that
// serves requests ever waits. Each node has one.
type Notices struct {
	NoticesOptions
	webhooks   shelf[webhook]
	deliveries shelf[delivery]
	line       shelf[due]
	told       shelf[struct{}]
	queue      chan Event
	dropped    atomic.Int64
}

const (
	maxQueued = 1000
	// toldLasts is how long it is known what was told once. It is longer than any window.
	toldLasts = 400 * 24 * time.Hour
)

func toldKind() storage.Kind { return storage.Kind{Name: "event_told"} }

// NewNotices makes them; Run empties the queue.
func NewNotices(o NoticesOptions) *Notices {
	return &Notices{
		NoticesOptions: o, queue: make(chan Event, maxQueued),
		webhooks: shelf[webhook]{o.Store, webhookKind()}, deliveries: shelf[delivery]{o.Store, deliveryKind()},
		line: shelf[due]{o.Store, dueKind()}, told: shelf[struct{}]{o.Store, toldKind()},
	}
}

// Post takes an event without waiting. One for which there is no room is counted.
func (n *Notices) Post(e Event) {
	select {
	case n.queue <- e:
	default:
		n.dropped.Add(1)
	}
}

// Dropped gives how many events there was no room for.
func (n *Notices) Dropped() int64 { return n.dropped.Load() }

// tell puts an event in line, as a part of ctx's change where there is one.
func (n *Notices) tell(ctx context.Context, e *Event) error {
	if n == nil || e == nil {
		return nil
	}
	return n.Store.Together(ctx, func(ctx context.Context) error {
		hooks, err := n.listeners(ctx, e)
		if err != nil || len(hooks) == 0 {
			return err
		}
		if again, err := n.again(ctx, e); err != nil || again {
			return err
		}
		m, err := e.message(n.Now())
		if err != nil {
			return err
		}
		for _, hook := range hooks {
			if _, err := n.enqueue(ctx, hook, m); err != nil {
				return err
			}
		}
		return nil
	})
}

// listeners gives the webhooks that want to hear of an event.
func (n *Notices) listeners(ctx context.Context, e *Event) ([]kept[webhook], error) {
	var hooks []kept[webhook]
	for _, workspace := range []string{e.Workspace, storage.Everywhere} {
		if workspace == "" {
			continue
		}
		found, err := n.webhooks.list(ctx, storage.DocumentQuery{Workspace: workspace})
		if err != nil {
			return nil, err
		}
		hooks = append(hooks, found...)
	}
	return slices.DeleteFunc(hooks, func(k kept[webhook]) bool { return !k.Noun.wants(e.Type) }), nil
}

// again reports whether something that is told once was told before, and notes that it is now.
func (n *Notices) again(ctx context.Context, e *Event) (bool, error) {
	if e.Once == "" {
		return false, nil
	}
	id := hexOf(sha256.Sum256([]byte(string(e.Type) + "\x00" + e.Once)))
	if _, err := n.told.get(ctx, "", id); !errors.Is(err, storage.ErrNotFound) {
		return err == nil, err
	}
	k := kept[struct{}]{}
	ends := n.Now().Add(toldLasts)
	k.ID, k.ExpiresAt = id, &ends
	return false, n.told.add(ctx, &k, n.Now())
}

// noticeRetry is how long the queue waits for a store that is away, and expiryEvery how often keys
// are looked at that end soon.
const (
	noticeRetry = 2 * time.Second
	expiryEvery = time.Hour
)

// Run brings what was posted to the store until ctx ends.
func (n *Notices) Run(ctx context.Context) {
	look := time.NewTicker(expiryEvery)
	defer look.Stop()
	n.keep(ctx, n.expiring)
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-n.queue:
			n.keep(ctx, func(ctx context.Context) error { return n.tell(ctx, &e) })
		case <-look.C:
			n.keep(ctx, n.expiring)
		}
	}
}

// keep does something as often as it takes; what is posted meanwhile waits, or is counted.
func (n *Notices) keep(ctx context.Context, do func(context.Context) error) {
	for warned := false; ctx.Err() == nil; {
		err := do(ctx)
		if err == nil || errors.Is(err, storage.ErrExists) { // another node told it at this moment
			return
		}
		if !warned && ctx.Err() == nil {
			n.Log.Warn("webhooks cannot be told of events at the moment", "error", err.Error())
			warned = true
		}
		select {
		case <-ctx.Done():
		case <-time.After(noticeRetry):
		}
	}
}

// expiring tells of keys that end within a week, and again within a day.
func (n *Notices) expiring(ctx context.Context) error {
	keys, err := n.Store.Keys(ctx)
	if err != nil {
		return err
	}
	now := n.Now()
	for i := range keys {
		k := &keys[i]
		if k.ExpiresAt == nil || k.RevokedAt != nil || !k.ExpiresAt.After(now) {
			continue
		}
		for _, days := range []int{1, 7} {
			if k.ExpiresAt.Sub(now) > time.Duration(days)*24*time.Hour {
				continue
			}
			err := n.tell(ctx, &Event{
				Type: EventKeyExpiring, Workspace: k.Workspace, Once: fmt.Sprintf("%s/%d/%d", k.ID, k.ExpiresAt.Unix(), days),
				Data: keyNotice(k, ""),
				Text: fmt.Sprintf("Key %s (%s) of workspace %s ends at %s.", k.Name, k.ID, k.Workspace, k.ExpiresAt.Format(time.RFC3339)),
			})
			if err != nil && !errors.Is(err, storage.ErrExists) {
				return err
			}
			break // within a day says more than within a week
		}
	}
	return nil
}

package admin

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

// Delivery is an event on its way to a webhook.
type Delivery struct {
	ID        string        `json:"id"`
	Webhook   string        `json:"webhook"`
	Event     string        `json:"event" doc:"What the header webhook-id says: the same each time it is sent"`
	Type      EventType     `json:"type"`
	State     DeliveryState `json:"state" enum:"pending,delivered,failed"`
	Payload   Object        `json:"payload"`
	Attempts  []Attempt     `json:"attempts"`
	NextAt    *time.Time    `json:"next_at,omitempty" doc:"When it is sent, or sent again"`
	CreatedAt time.Time     `json:"created_at"`
}

// DeliveryState is how far it has come.
type DeliveryState string

// The states.
const (
	DeliveryPending   DeliveryState = "pending"
	DeliveryDelivered DeliveryState = "delivered"
	DeliveryFailed    DeliveryState = "failed" // it is not sent again by itself
)

// Attempt is one time that it was sent.
type Attempt struct {
	At      time.Time `json:"at"`
	Status  int       `json:"status,omitempty" doc:"HTTP, 0 where there was no answer"`
	Error   string    `json:"error,omitempty"`
	Excerpt string    `json:"excerpt,omitempty" doc:"How the answer begins"`
	Millis  int64     `json:"ms"`
}

// delivery is what the store keeps of one. Its document's id is that of the webhook, a dot, and
// what counts down, so that lists begin with the newest.
type delivery struct {
	Webhook, Event, Text string
	Type                 EventType
	Payload              []byte
	State                DeliveryState
	Tries                int // since it was put in line
	Attempts             []Attempt
	NextAt               *time.Time
}

// due says when a delivery is to be sent: its id begins with the time, so the line is in order.
type due struct{ Webhook, Workspace, Delivery string }

func deliveryKind() storage.Kind { return storage.Kind{Name: "webhook_delivery"} }
func dueKind() storage.Kind      { return storage.Kind{Name: "webhook_due"} }

const (
	// deliveriesLast is how long deliveries are kept, and mostAttempts how many of one are.
	deliveriesLast = 30 * 24 * time.Hour
	mostAttempts   = 20
)

// enqueue makes a delivery of a message and puts it in line, in ctx's change.
func (n *Notices) enqueue(ctx context.Context, hook kept[webhook], m message) (kept[delivery], error) {
	now := n.Now()
	ends := now.Add(deliveriesLast)
	k := kept[delivery]{Noun: delivery{
		Webhook: hook.ID, Event: m.ID, Text: m.Text, Type: m.Type, Payload: m.Payload, State: DeliveryPending, NextAt: &now,
	}}
	k.Workspace, k.ExpiresAt = hook.Workspace, &ends
	k.ID = fmt.Sprintf("%s.%016x%s", hook.ID, math.MaxInt64-now.UnixMicro(), strings.ToLower(rand.Text()[:6]))
	if err := n.deliveries.add(ctx, &k, now); err != nil {
		return k, err
	}
	return k, n.await(ctx, due{hook.ID, hook.Workspace, k.ID}, now)
}

// await puts a delivery in line for a time.
func (n *Notices) await(ctx context.Context, d due, at time.Time) error {
	_, err := n.awaiting(ctx, d, at)
	return err
}

func (n *Notices) awaiting(ctx context.Context, d due, at time.Time) (kept[due], error) {
	k := kept[due]{Noun: d}
	k.ID = fmt.Sprintf("%016x.%s", at.UnixMicro(), d.Delivery)
	return k, n.line.add(ctx, &k, n.Now())
}

func showDelivery(k kept[delivery]) Delivery {
	d := &k.Noun
	attempts := d.Attempts
	if attempts == nil {
		attempts = []Attempt{}
	}
	return Delivery{
		ID: strings.TrimPrefix(k.ID, d.Webhook+"."), Webhook: d.Webhook, Event: d.Event, Type: d.Type, State: d.State,
		Payload: Object(d.Payload), Attempts: attempts, NextAt: d.NextAt, CreatedAt: k.CreatedAt,
	}
}

type deliveryList struct {
	WebhookID
	Page
	State string `query:"state" enum:"pending,delivered,failed"`
}

func (a *api) listDeliveries(ctx context.Context, in *deliveryList) (*listed[Delivery], error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	if _, err := a.webhook(ctx, &in.WebhookID); err != nil {
		return nil, err
	}
	const part = 200
	var found []kept[delivery]
	for n := part; n == part && len(found) <= in.Limit; {
		some, err := a.Notices.deliveries.list(ctx, storage.DocumentQuery{Workspace: in.Workspace, Prefix: in.ID + ".", After: after, Limit: part})
		if err != nil {
			return nil, err
		}
		n = len(some)
		for _, k := range some {
			after = k.ID
			if in.State == "" || string(k.Noun.State) == in.State {
				found = append(found, k)
			}
		}
	}
	return listOf(in.Page, found[:min(len(found), in.Limit+1)], func(k kept[delivery]) string { return k.ID }, showDelivery), nil
}

// DeliveryID names a delivery of a webhook.
type DeliveryID struct {
	WebhookID
	Delivery string `path:"delivery" maxLength:"64"`
}

func (a *api) delivery(ctx context.Context, in *DeliveryID) (kept[delivery], error) {
	return a.Notices.deliveries.get(ctx, in.Workspace, in.ID+"."+in.Delivery)
}

func (a *api) getDelivery(ctx context.Context, in *DeliveryID) (*one[Delivery], error) {
	k, err := a.delivery(ctx, in)
	if err != nil {
		return nil, err
	}
	return &one[Delivery]{ETag: etag(k.Revision), Body: showDelivery(k)}, nil
}

// resendDelivery puts a delivery that has ended in line anew: the same event, told as such.
func (a *api) resendDelivery(ctx context.Context, in *DeliveryID) (*one[Delivery], error) {
	k, err := a.delivery(ctx, in)
	if err != nil {
		return nil, err
	}
	if k.Noun.State == DeliveryPending {
		return nil, huma.Error409Conflict("the delivery is in line already")
	}
	now := a.Now()
	k.Noun.State, k.Noun.Tries, k.Noun.NextAt = DeliveryPending, 0, &now
	c := change{action: policy.WebhooksWrite, target: "webhook/" + in.ID + "/delivery/" + in.Delivery, workspace: in.Workspace}
	err = a.apply(ctx, &c, func(ctx context.Context) error {
		return errors.Join(
			a.Notices.deliveries.change(ctx, &k, now),
			a.Notices.await(ctx, due{in.ID, in.Workspace, k.ID}, now),
		)
	})
	if err != nil {
		return nil, err
	}
	return &one[Delivery]{ETag: etag(k.Revision), Body: showDelivery(k)}, nil
}

package admin

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/google/uuid"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

// change is what a handler does to a noun, as the audit log will tell it.
type change struct {
	action        policy.Action
	target        string // "user/ada@example.com"
	workspace     string
	before, after any    // as the API shows it; nil where there is none
	event         *Event // that webhooks are told of; nil: none
}

// apply makes a change and the note of it in one transaction: there is none without the other.
func (a *api) apply(ctx context.Context, c *change, do func(context.Context) error) error {
	return a.Store.Together(ctx, func(ctx context.Context) error {
		if err := do(ctx); err != nil {
			return err
		}
		e, err := a.event(ctx, c)
		if err != nil {
			return err
		}
		return errors.Join(a.Store.Audit(ctx, e), a.Notices.tell(ctx, c.event))
	})
}

// event is the audit log's note of a change that is done.
func (a *api) event(ctx context.Context, c *change) (e storage.AuditEvent, err error) {
	e = a.note(ctx, c.action, c.workspace)
	e.Target, e.Outcome = c.target, storage.AuditDone
	if c.before != nil {
		if e.Before, err = json.Marshal(c.before); err != nil {
			return e, err
		}
	}
	if c.after != nil {
		e.After, err = json.Marshal(c.after)
	}
	return e, err
}

// note begins an event with who asks.
func (a *api) note(ctx context.Context, action policy.Action, workspace string) storage.AuditEvent {
	who, r := callerOf(ctx), requestOf(ctx)
	return storage.AuditEvent{
		ID: uuid.Must(uuid.NewV7()).String(), At: a.Now(), Actor: who.actor(), Via: who.via, Action: string(action),
		Workspace: workspace, RequestID: r.id, Address: r.address,
	}
}

// denials are what is to be noted of a request whose changes are undone.
type denials struct{ events []storage.AuditEvent }

type denialsKey struct{}

// noteDenial keeps the event whatever becomes of the change that ctx is in.
func (a *api) noteDenial(ctx context.Context, e storage.AuditEvent) error {
	if d, ok := ctx.Value(denialsKey{}).(*denials); ok {
		d.events = append(d.events, e)
		return nil
	}
	return a.Store.Audit(ctx, e)
}

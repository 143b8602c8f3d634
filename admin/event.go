package admin

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/aistrale/aistrale/storage"
)

// EventType is what has happened, as webhooks tell it.
type EventType string

// The events. What a payload of one has in data is the type beside it.
const (
	EventBudget            EventType = "budget.threshold"   // BudgetNotice
	EventKeyCreated        EventType = "key.created"        // KeyNotice
	EventKeyRotated        EventType = "key.rotated"        // KeyNotice
	EventKeyRevoked        EventType = "key.revoked"        // KeyNotice
	EventKeyExpiring       EventType = "key.expiring"       // KeyNotice
	EventBreakerOpened     EventType = "breaker.opened"     // PlaceNotice
	EventBreakerClosed     EventType = "breaker.closed"     // PlaceNotice
	EventCredentialFailing EventType = "credential.failing" // PlaceNotice
	EventCheckpoint        EventType = "audit.checkpoint"   // CheckpointNotice
	EventTest              EventType = "webhook.test"       // {"webhook": id}; sent where it is asked for
)

// Event is one thing that has happened.
type Event struct {
	Type EventType
	// Workspace is whose it is; "" is the installation's, of which only webhooks of every workspace
	// hear.
	Workspace string
	Data      any    // without secrets
	Text      string // the same for people, in a line
	// Once names what is told one time only, over all nodes; "" is told whenever it happens.
	Once string
}

// BudgetNotice says that what was spent of a budget has come to a share of it.
type BudgetNotice struct {
	Workspace string `json:"workspace,omitempty"`
	Scope     string `json:"scope"` // "key/ci", "all"
	Per       string `json:"per"`   // day, week, month, total, rolling
	Percent   int    `json:"percent"`
	Spent     string `json:"spent"` // decimal, in Unit
	Limit     string `json:"limit"`
	Unit      string `json:"unit"` // usd or tokens
}

// KeyNotice tells of a virtual key, never of its text.
type KeyNotice struct {
	Workspace string     `json:"workspace"`
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Project   string     `json:"project"`
	Owner     string     `json:"owner,omitempty"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	Actor     string     `json:"actor,omitempty"` // who did it
}

// PlaceNotice tells of a provider's account at one gateway, whose circuits are its own.
type PlaceNotice struct {
	Node       string `json:"node"`
	Provider   string `json:"provider"`
	Credential string `json:"credential,omitempty"`
	Model      string `json:"model,omitempty"`
}

func keyNotice(k *storage.Key, actor string) KeyNotice {
	return KeyNotice{k.Workspace, k.ID, k.Name, k.Project, k.Owner, k.ExpiresAt, actor}
}

// CheckpointNotice tells of a checkpoint of the audit log.
type CheckpointNotice struct {
	Seq  int64  `json:"seq"`
	Note string `json:"note"` // https://c2sp.org/signed-note
}

// message is an event as it is sent: the same to every receiver, each time it is sent.
type message struct {
	ID      string // "msg_…"
	Type    EventType
	Payload []byte // JSON
	Text    string
}

// payload is the body of a standard webhook.
type payload struct {
	Type      EventType `json:"type"`
	Version   int       `json:"version"` // of data's form; members may come without a new one
	Timestamp time.Time `json:"timestamp"`
	Data      any       `json:"data"`
}

func (e *Event) message(now time.Time) (message, error) {
	text, err := json.Marshal(payload{e.Type, 1, now.UTC(), e.Data})
	return message{"msg_" + uuid.Must(uuid.NewV7()).String(), e.Type, text, e.Text}, err
}

// keyEvent gives the event of a change of a key, nil where it is none that is told of.
func keyEvent(before, after *storage.Key, actor string) *Event {
	e := &Event{Workspace: after.Workspace, Data: keyNotice(after, actor)}
	did := ""
	switch {
	case before == nil:
		e.Type, did = EventKeyCreated, "made"
	case after.RevokedAt != nil && before.RevokedAt == nil:
		e.Type, did = EventKeyRevoked, "revoked"
	case after.Hash != before.Hash:
		e.Type, did = EventKeyRotated, "rotated"
	default:
		return nil
	}
	e.Text = fmt.Sprintf("Key %s (%s) of workspace %s was %s by %s.", after.Name, after.ID, after.Workspace, did, actor)
	return e
}

package storage

import (
	"errors"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// AuditEvent is one thing that somebody did, or was kept from doing, in the control plane. It
// holds no secret.
type AuditEvent struct {
	ID        string       `json:"id"` // UUIDv7
	At        time.Time    `json:"at"`
	Actor     string       `json:"actor"`           // "user/ada@example.com", "token/abcd2345", "local/root", "gateway"
	Via       string       `json:"via,omitzero"`    // the token or the session that the actor came with
	Action    string       `json:"action"`          // as in the table of permissions: "keys.create"
	Target    string       `json:"target,omitzero"` // "key/abcd2345"
	Workspace string       `json:"workspace,omitzero"`
	Outcome   AuditOutcome `json:"outcome"`
	Reason    string       `json:"reason,omitzero"` // why it was denied, or failed
	// Before and After are the target as it was and as it is, as the API shows it.
	Before    jsontext.Value `json:"before,omitzero"`
	After     jsontext.Value `json:"after,omitzero"`
	RequestID string         `json:"request_id,omitzero"`
	Address   string         `json:"address,omitzero"` // of the client
}

// AuditOutcome is how it ended.
type AuditOutcome string

// The outcomes.
const (
	AuditDone   AuditOutcome = "done"
	AuditDenied AuditOutcome = "denied"
	AuditFailed AuditOutcome = "failed"
)

// Encode gives the event as it is kept and chained.
func (e *AuditEvent) Encode() ([]byte, error) {
	if e.ID == "" || e.Actor == "" || e.Action == "" || e.Outcome == "" {
		return nil, errors.New("audit event: it has no id, actor, action or outcome")
	}
	e.At = stamp(e.At)
	return json.Marshal(e, json.Deterministic(true))
}

// DecodeAuditEvent reads what Encode gave.
func DecodeAuditEvent(body []byte) (AuditEvent, error) {
	var e AuditEvent
	err := json.Unmarshal(body, &e)
	return e, err
}

package storage

import (
	"crypto/sha256"
	"encoding/binary"
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

// AuditRecord is an event in the chain.
type AuditRecord struct {
	Seq  int64    // 1 is the first
	Body []byte   // the event as Encode gave it; the hash is of these bytes
	Prev [32]byte // hash of the record before; zero for the first
	Hash [32]byte
}

// AuditHead is how far the chain goes: its newest record. Seq 0 is an empty one.
type AuditHead struct {
	Seq  int64
	Hash [32]byte
}

// Next makes the record that comes behind the head.
func (h AuditHead) Next(body []byte) AuditRecord {
	r := AuditRecord{Seq: h.Seq + 1, Body: body, Prev: h.Hash}
	r.Hash = r.Sum()
	return r
}

// Sum is the hash that the record must have: SHA-256 of a 1, the hash before, the sequence number
// as 8 bytes, the most significant first, and the body.
func (r *AuditRecord) Sum() [32]byte {
	text := make([]byte, 0, 1+len(r.Prev)+8+len(r.Body))
	text = append(text, 1)
	text = append(text, r.Prev[:]...)
	text = binary.BigEndian.AppendUint64(text, uint64(r.Seq))
	return sha256.Sum256(append(text, r.Body...))
}

// Head is the chain's head once the record is in it.
func (r *AuditRecord) Head() AuditHead { return AuditHead{r.Seq, r.Hash} }

// AuditQuery asks for records.
type AuditQuery struct {
	Workspace string // "" any
	From, To  time.Time
	Actor     string // "" any; what ends in "*" stands for all that begin so
	Action    string // likewise
	Target    string // likewise
	Outcome   AuditOutcome
	After     int64 // sequence numbers behind it
	Oldest    bool  // the oldest first, else the newest, in which case After is one before which
	Limit     int   // 0: all
}

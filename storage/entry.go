package storage

import (
	"encoding/binary"
	"time"

	"github.com/google/uuid"

	"github.com/aistrale/aistrale/providers"
)

// EntryState says how far an attempt has come.
type EntryState uint8

// The states of an entry.
const (
	// EntryOpened is noted before an attempt is sent. It never reaches the ledger: a settled
	// entry of the same attempt supersedes it, or, where the gateway died first, Lost makes one.
	EntryOpened EntryState = iota + 1
	EntrySettled
	// EntryLost is an attempt that the gateway did not live to settle.
	EntryLost
)

// Entry is one attempt of a request as the ledger keeps it, in one revision. Its key is
// (request id, attempt, revision); the day follows from the id. It holds no prompt text and no
// secret. An entry in the ledger is never changed: a correction is a higher revision.
type Entry struct {
	RequestID uuid.UUID // version 7
	Attempt   int       // from 1
	Revision  int       // from 1; of an attempt's entries the highest counts
	State     EntryState
	// Final is set on a request's last attempt, whose end the client saw: a request has one.
	Final bool

	Time time.Time // when the request began, microseconds, UTC
	Node string

	Series     // whom it is counted for; Tag is empty here
	Tags       []string
	EndUser    string // the request's user or safety_identifier, as the client said it
	Metadata   string // the request's metadata, a JSON object, "" where there is none
	ClientID   string // the client's own x-request-id
	Retry      int    // x-stainless-retry-count
	Credential string // its name
	Asked      string // the model as the client named it
	Served     string // the model that the upstream says answered
	Tier       string // service tier served
	Op         string
	Stream     bool
	Exact      bool

	Status         int // HTTP status the client was given; of an attempt that is not final, the upstream's
	UpstreamStatus int // 0 where none came
	UpstreamID     string
	Outcome        Outcome
	Fault          string // code of the error the client was given
	Finish         string // the upstream's finish reason

	Lines        []providers.Normal // as priced
	UsageRaw     []byte             // the provider's own usage JSON, verbatim
	UsageCut     bool               // there was more usage than is kept: no UsageRaw, or too few Lines
	ContentBytes int64              // of visible content that was seen
	Bound        Bound
	Charge
	Holds []Hold      // of limits and budgets
	Plan  []Candidate // of a final entry: where the call might have gone; none where there was one place only

	BytesIn, BytesOut int64
	FirstByte         time.Duration // of the request
	Overhead          time.Duration // of the request
	Duration          time.Duration // of the request where final, else of the attempt
}

// Bound is what an attempt may take at most, in tokens, as it stood when it was sent.
type Bound struct{ Input, Output int64 }

// Charge is what an attempt costs.
type Charge struct {
	// CostNano is in nano-USD. It says nothing where Unpriced is set.
	CostNano int64
	// Unpriced says why there is no cost: "" where there is one.
	Unpriced string
	// PriceID names the price row, or the rows of all lines, comma-separated.
	PriceID string
	// Estimated is set where the tokens are the gateway's own count.
	Estimated bool
}

// Known reports whether there is a cost.
func (c *Charge) Known() bool { return c.Unpriced == "" }

// Day is the UTC day of the entry, at midnight, by the time in its request id.
func (e *Entry) Day() time.Time { return idTime(e.RequestID).Truncate(24 * time.Hour) }

// Began is when the request began by its id, to the millisecond. The ledger sorts and sums by
// it, never by Time, so that a row and its roll-ups cannot fall on two sides of a minute.
func (e *Entry) Began() time.Time { return idTime(e.RequestID) }

// idTime is the time in a UUIDv7.
func idTime(id uuid.UUID) time.Time {
	return time.UnixMilli(int64(binary.BigEndian.Uint64(id[:8]) >> 16)).UTC()
}

// Lost is what an opened attempt becomes whose gateway died: charged with what its journal knew.
func (e Entry) Lost() Entry {
	e.State, e.Outcome, e.Final, e.Revision = EntryLost, OutcomeLost, true, 1
	if len(e.Lines) == 0 { // else it is no matter of tokens, and what it is sold by was known
		e.Lines = []providers.Normal{{Model: e.Model, InputUncached: e.Bound.Input, Output: e.Bound.Output}}
	}
	e.Estimated = true
	return e
}

// Package storage holds the nouns that are kept: plain data and its validation. It does no
// I/O; the packages below it (sqlite, later postgres, redis, journal) do.
package storage

import (
	"encoding/json"
	"net/netip"
	"time"

	"github.com/aistrale/aistrale/providers"
)

// Outcome is how a request ended.
type Outcome string

// The outcomes of a request.
const (
	OutcomeOK            Outcome = "ok"
	OutcomeRefused       Outcome = "refused"        // by the gateway, before any attempt
	OutcomeUpstreamError Outcome = "upstream_error" // the upstream refused or failed before the first byte
	OutcomeBrokenStream  Outcome = "upstream_error_midstream"
	OutcomeTimeout       Outcome = "timeout"
	OutcomeClientGone    Outcome = "client_gone"
	OutcomePanic         Outcome = "panic"
	OutcomeHedged        Outcome = "hedged"  // another attempt at the same call was faster
	OutcomeLost          Outcome = "lost"    // the gateway died before it was settled
	OutcomeDryRun        Outcome = "dry_run" // only said what it would do
	OutcomeCached        Outcome = "cached"  // answered with what an earlier call was; no upstream was asked
)

// Record is the wide event of one request: every stage writes into it, and the log line, the
// metrics, the span and the ledger row are prints of it, so they can never disagree. It holds
// no secret, and no prompt text but by Content.
type Record struct {
	ID              string // UUIDv7
	ClientRequestID string // the client's own x-request-id
	Trace           Trace
	Time            time.Time
	Node            string
	Client          netip.Addr // who asks, by the word of trusted proxies where there are some; in no ledger
	Debug           bool       // all of it is logged, whatever the level
	// Content gives what was asked and answered, while the record is observed, where the request's
	// spans are to have it; nil where not.
	Content func() Content

	KeyID     string // the key's public id
	KeyName   string
	User      string
	Project   string
	Workspace string
	Prompt    string   // name@version of a stored prompt
	Tags      []string // of the key, then of the request
	EndUser   string   // the request's user or safety_identifier, as the client said it
	Metadata  string   // the request's metadata, a JSON object, "" where there is none
	Session   string   // the client's name of its session, fit for logs; "" where it has none
	Retry     int      // x-stainless-retry-count: which of the client's own retries this is

	Method     string // of HTTP
	Route      string // the path as a pattern, "" where nobody serves it
	Op         providers.Op
	Stream     bool
	Exact      bool // the provider's own bytes
	Provider   string
	Credential string // its name
	Asked      string // the model as the client named it
	Model      string // the upstream's name of the model that was called
	Served     string // the model that the upstream says answered
	Tier       string // service tier served
	Dropped    []string

	Status   int // HTTP status the client was given; 499 where it had left
	Outcome  Outcome
	Err      string // operator's text
	Fault    string // code of the error the client was given
	Finish   string // the upstream's finish reason
	Attempts []Attempt
	// Considered are the places that the call might have gone to, where there was more than one.
	Considered []Candidate
	Lease      string // of the budget reservation

	Usage    providers.Usage
	PriceID  string
	CostNano *int64 // nano-USD; nil is unknown

	BytesIn, BytesOut int64
	ContentBytes      int64         // of visible content that reached the relay
	Waited            time.Duration // for limits that were used up
	Limits            LimitNote
	FirstByte         time.Duration
	Overhead          time.Duration // from the request's last byte to the upstream's first
	Duration          time.Duration
}

// Attempt is one try at one target.
type Attempt struct {
	Provider, Model, Credential string
	Status                      int // the upstream's, 0 where none came
	Outcome                     Outcome
	Err                         string
	UpstreamID                  string // the upstream's request id
	Sent                        bool   // the request has left for the upstream
	Reused                      bool   // sent on a connection that had been idle
	Hedge                       bool   // begun beside another, which was slow
	Span                        SpanID // in the request's trace
	Kind                        string // the catalogue's name of the provider
	BaseURL                     string // the provider's
	Began                       time.Time
	Answered                    time.Duration // until the head of the answer had come, 0 where none came
	Duration                    time.Duration
}

// CostText is the cost as headers and logs print it: dollars, or "unknown".
func (r *Record) CostText() string {
	if r.CostNano == nil {
		return "unknown"
	}
	return json.Number(formatNano(*r.CostNano)).String()
}

// AppendCost appends what CostText says, a JSON number or the string "unknown" with its quotes.
func (r *Record) AppendCost(dst []byte) []byte {
	if r.CostNano == nil {
		return append(dst, `"unknown"`...)
	}
	return appendNano(dst, *r.CostNano)
}

// UsageRaw is the provider's own usage JSON, nil where it is not one JSON value.
func (r *Record) UsageRaw() json.RawMessage {
	if !json.Valid(r.Usage.Raw) {
		return nil
	}
	return json.RawMessage(r.Usage.Raw)
}

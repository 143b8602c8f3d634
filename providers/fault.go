package providers

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// FaultKind is what went wrong, in no language's words. The face gives it status, type and code.
type FaultKind uint8

// The kinds. Those of the upstream come last.
const (
	FaultInvalid          FaultKind = iota + 1 // 400: the request cannot be understood or served
	FaultUnauthorized                          // 401: no virtual key, or a wrong one
	FaultForbidden                             // 403: the key may not do this
	FaultNoRoute                               // 404: no such path
	FaultNoModel                               // 404: no such model, or not for this key
	FaultTooLarge                              // 413
	FaultMediaType                             // 415
	FaultHeaderTooLarge                        // 431
	FaultRequestRate                           // 429: requests
	FaultTokenRate                             // 429: tokens
	FaultQuota                                 // 429: budget spent
	FaultUnavailable                           // 503: the gateway's own stores or limits
	FaultInternal                              // 500: a defect of ours
	FaultUpstream                              // 502: the upstream failed or broke off
	FaultUpstreamTimeout                       // 504
	FaultCircuitOpen                           // 503
	FaultOverloaded                            // 503: the upstream says it is overloaded
	FaultProviderAuth                          // 502: the upstream refuses our credential; 400 where it said it so
	FaultUpstreamRejected                      // the upstream's own 4xx: status, type, code kept
	FaultClientGone                            // 499, in records only
)

// String names the kind in records.
func (k FaultKind) String() string {
	names := [...]string{
		FaultInvalid: "invalid_request", FaultUnauthorized: "invalid_api_key", FaultForbidden: "forbidden",
		FaultNoRoute: "unknown_url", FaultNoModel: "model_not_found", FaultTooLarge: "request_too_large",
		FaultMediaType: "unsupported_media_type", FaultHeaderTooLarge: "request_header_too_large",
		FaultRequestRate: "request_rate", FaultTokenRate: "token_rate", FaultQuota: "insufficient_quota",
		FaultUnavailable: "unavailable", FaultInternal: "internal_error", FaultUpstream: "upstream_error",
		FaultUpstreamTimeout: "upstream_timeout", FaultCircuitOpen: "circuit_open", FaultOverloaded: "overloaded",
		FaultProviderAuth: "provider_auth", FaultUpstreamRejected: "upstream_rejected", FaultClientGone: "client_gone",
	}
	if int(k) < len(names) && names[k] != "" {
		return names[k]
	}
	return "unknown"
}

// A Fault is an error that a client will read. Message is the client's text; Cause is the
// operator's and never leaves the gateway.
type Fault struct {
	Kind FaultKind
	// Status, Type, Code and Param are the upstream's own where it gave them in OpenAI's
	// sense; zero values let the face choose by Kind.
	Status     int
	Type, Code string
	Param      string
	Message    string
	// Retryable says that another try, or another target, may succeed.
	Retryable bool
	// RetryAfter is how long to wait, 0 where nobody said.
	RetryAfter time.Duration
	// NoRetry tells the client's SDK not to try again (x-should-retry: false).
	NoRetry bool
	// Language and Body are the upstream's own error, kept where it is well-formed in its
	// language, so that a face of that language can hand it on as it came.
	Language string
	Body     []byte
	// RequestID is the gateway's id of the request that failed, known where the fault is said.
	RequestID string
	Cause     error
}

func (f *Fault) Error() string {
	if f.Cause != nil {
		return f.Message + ": " + f.Cause.Error()
	}
	return f.Message
}

func (f *Fault) Unwrap() error { return f.Cause }

// Invalid is a 400 about one field of the client's request.
func Invalid(param, message string) *Fault {
	return &Fault{Kind: FaultInvalid, Param: param, Message: message}
}

// MaxWait bounds what an upstream may ask for.
const MaxWait = 24 * time.Hour

// RetryAfter reads from an answer's headers how long to wait, 0 where they do not say: the
// milliseconds of OpenAI's and Anthropic's retry-after-ms, else the seconds or the date of
// retry-after. A date is read against the answer's own, since a dialect has no clock.
func RetryAfter(header func(name string) string) time.Duration {
	if wait := waitOf(header("retry-after-ms"), time.Millisecond); wait > 0 {
		return wait
	}
	said := header("retry-after")
	if wait := waitOf(said, time.Second); wait > 0 {
		return wait
	}
	until, err := http.ParseTime(said)
	now, err2 := http.ParseTime(header("date"))
	if err != nil || err2 != nil {
		return 0
	}
	return min(max(0, until.Sub(now)), MaxWait)
}

func waitOf(said string, unit time.Duration) time.Duration {
	n, err := strconv.ParseFloat(strings.TrimSpace(said), 64)
	if err != nil || !(n > 0) { // NaN is no wait either
		return 0
	}
	return time.Duration(min(n*float64(unit), float64(MaxWait)))
}

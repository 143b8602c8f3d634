package policy

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/aistrale/aistrale/providers"
)

// Reason is why an upstream did not serve a call, as far as another one might.
type Reason uint8

// The reasons. ReasonNone is a fault of the request itself: it would fare no better elsewhere.
const (
	ReasonNone Reason = iota
	ReasonRateLimited
	ReasonOverloaded
	ReasonTimeout
	ReasonContextLength // the prompt is longer than the model can read
	ReasonContentFilter
	ReasonAuth     // our credential is refused, or its account is empty
	ReasonNotFound // the upstream does not know the model
	ReasonError    // anything else of the upstream's
)

var reasonNames = [...]string{
	ReasonNone: "none", ReasonRateLimited: "rate_limited", ReasonOverloaded: "overloaded", ReasonTimeout: "timeout",
	ReasonContextLength: "context_length", ReasonContentFilter: "content_filter", ReasonAuth: "auth",
	ReasonNotFound: "not_found", ReasonError: "error",
}

// String is the reason as the configuration names it.
func (r Reason) String() string {
	if int(r) < len(reasonNames) {
		return reasonNames[r]
	}
	return "unknown"
}

// Reasons is a set of them.
type Reasons uint16

// DefaultReasons are those that move on where nothing else is said: all but a content filter,
// which one may not wish to have gone round.
const DefaultReasons = 1<<ReasonRateLimited | 1<<ReasonOverloaded | 1<<ReasonTimeout | 1<<ReasonContextLength |
	1<<ReasonAuth | 1<<ReasonNotFound | Reasons(1<<ReasonError)

// ParseReasons reads names of reasons. Its error lists the known ones.
func ParseReasons(names []string) (Reasons, error) {
	var set Reasons
	for _, name := range names {
		known := false
		for r := ReasonRateLimited; r <= ReasonError; r++ {
			if r.String() == name {
				set |= 1 << r
				known = true
			}
		}
		if !known {
			return 0, fmt.Errorf("%q is no reason to fall back; known are %s", name, strings.Join(reasonNames[1:], ", "))
		}
	}
	return set, nil
}

// Has reports whether the set, or the default one where it is empty, has r.
func (s Reasons) Has(r Reason) bool {
	if s == 0 {
		s = DefaultReasons
	}
	return r != ReasonNone && s&(1<<r) != 0
}

// ReasonOf reads a fault.
func ReasonOf(f *providers.Fault) Reason {
	switch f.Kind {
	case providers.FaultProviderAuth:
		return ReasonAuth
	case providers.FaultOverloaded, providers.FaultCircuitOpen:
		return ReasonOverloaded
	case providers.FaultUpstreamTimeout:
		return ReasonTimeout
	case providers.FaultUpstream:
		return ReasonError
	case providers.FaultUpstreamRejected:
		return rejected(f)
	default:
		return ReasonNone
	}
}

func rejected(f *providers.Fault) Reason {
	switch {
	case f.Status == http.StatusPaymentRequired, f.Code == "insufficient_quota", f.Type == "insufficient_quota":
		return ReasonAuth
	case f.Status == http.StatusTooManyRequests:
		return ReasonRateLimited
	case f.Status == http.StatusRequestTimeout:
		return ReasonTimeout
	case f.Status == http.StatusNotFound:
		return ReasonNotFound
	case f.Code == "context_length_exceeded":
		return ReasonContextLength
	case f.Code == "content_policy_violation", f.Code == "content_filter":
		return ReasonContentFilter
	case f.Retryable:
		return ReasonError
	}
	return ReasonNone
}

// OfCredential reports whether another credential of the same provider may do better.
func (r Reason) OfCredential() bool { return r == ReasonRateLimited || r == ReasonAuth }

// Passes reports whether the same place may do better a moment later.
func (r Reason) Passes() bool {
	return r == ReasonRateLimited || r == ReasonOverloaded || r == ReasonError
}

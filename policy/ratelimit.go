package policy

import (
	"strconv"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// RateShown is what one group of x-ratelimit headers says.
type RateShown struct {
	Limit, Remaining int64
	Reset            time.Duration
}

// Shown gives what the headers say of requests, and of tokens: of several rates the one of which
// the least share is left. A rate of everybody together is not shown: it would tell what other
// callers do.
func (v *Verdict) Shown(a *Ask) (requests, tokens RateShown, hasRequests, hasTokens bool) {
	for i := range v.Rates {
		rule := a.Rates[i].Of
		if rule == nil || rule.Holder.Kind == storage.ScopeAll {
			continue
		}
		shown := RateShown{Limit: rule.Limit, Remaining: min(v.Rates[i].Remaining, rule.Limit), Reset: v.Rates[i].Reset}
		if rule.Counts == CountedRequests {
			requests, hasRequests = scarcer(requests, shown, hasRequests), true
		} else {
			tokens, hasTokens = scarcer(tokens, shown, hasTokens), true
		}
	}
	return requests, tokens, hasRequests, hasTokens
}

func scarcer(a, b RateShown, hasA bool) RateShown {
	if hasA && float64(a.Remaining)/float64(a.Limit) <= float64(b.Remaining)/float64(b.Limit) {
		return a
	}
	return b
}

// AppendReset writes how long until a rate is whole again as OpenAI does: 6m0s, 1s, 20ms.
func (s RateShown) AppendReset(dst []byte) []byte {
	d := roundUp(s.Reset)
	if d < time.Second { // most are, and these need no words of the library's
		dst = strconv.AppendInt(dst, int64(d/time.Millisecond), 10)
		if d == 0 {
			return append(dst, 's')
		}
		return append(dst, "ms"...)
	}
	return append(dst, d.String()...)
}

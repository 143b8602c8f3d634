package policy

import (
	"sync"
	"time"
)

// Retry says how a provider is tried again before anything of an answer has reached the client.
// The zero value never does.
type Retry struct {
	Max                 int // of one call, over all its targets
	Backoff, MaxBackoff time.Duration
	// AfterMax is the longest wait asked for by an upstream (retry-after) that is waited out.
	AfterMax time.Duration
	// BudgetPercent bounds retries by the calls of the provider, so that they cannot become a
	// storm; Floor is how many a minute there may be in any case.
	BudgetPercent, Floor int
}

// Wait is how long to wait before the n-th retry, counted from 0: any time up to a bound that
// doubles, so that callers who failed together do not come back together. chance is a random
// number.
func (r *Retry) Wait(n int, chance uint64) time.Duration {
	bound := r.Backoff
	for ; n > 0 && bound > 0 && bound < r.MaxBackoff; n-- {
		bound *= 2
	}
	if r.MaxBackoff > 0 {
		bound = min(bound, r.MaxBackoff)
	}
	if bound <= 0 {
		return 0
	}
	return time.Duration(chance % uint64(bound))
}

// RetryBudget counts what one provider's retries may come to. Calls pay into it and retries
// take out of it.
type RetryBudget struct {
	mu    sync.Mutex
	saved int64 // hundredths of a retry, out of calls
	floor int64 // nanoseconds' worth of the floor, in use up to this time
}

// maxSaved is the most that calls save up, in hundredths of a retry: a quiet night must not pay
// for a storm in the morning.
const maxSaved = 100 * 100

// Pay notes a call.
func (b *RetryBudget) Pay(r *Retry) {
	b.mu.Lock()
	b.saved = min(b.saved+int64(r.BudgetPercent), maxSaved)
	b.mu.Unlock()
}

// Take takes a retry out, if there is one.
func (b *RetryBudget) Take(r *Retry, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.saved >= 100 {
		b.saved -= 100
		return true
	}
	if r.Floor <= 0 {
		return false
	}
	each := int64(time.Minute) / int64(r.Floor)
	from := max(b.floor, now.UnixNano()-int64(time.Minute))
	if from+each > now.UnixNano() {
		return false
	}
	b.floor = from + each
	return true
}

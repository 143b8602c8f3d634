package policy

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestRetry_Wait(t *testing.T) {
	r := Retry{Backoff: 100 * time.Millisecond, MaxBackoff: time.Second}
	chance := rand.New(rand.NewPCG(1, 2))
	f := func(n int, bound time.Duration) {
		t.Helper()
		var most time.Duration
		for range 2000 {
			wait := r.Wait(n, chance.Uint64())
			if wait < 0 || wait >= bound {
				t.Fatalf("retry %d waits %s, bound %s", n, wait, bound)
			}
			most = max(most, wait)
		}
		if most < bound*9/10 {
			t.Errorf("retry %d waits %s at most, bound %s: that is not the full jitter", n, most, bound)
		}
	}
	f(0, 100*time.Millisecond)
	f(1, 200*time.Millisecond)
	f(3, 800*time.Millisecond)
	f(4, time.Second)
	f(1000, time.Second)
	if wait := (&Retry{}).Wait(3, chance.Uint64()); wait != 0 {
		t.Errorf("no back-off waits %s", wait)
	}
}

// Over any stretch, retries are at most their share of the calls, what was saved up, and the
// floor.
func TestRetryBudget(t *testing.T) {
	r := Retry{BudgetPercent: 10, Floor: 6}
	var b RetryBudget
	now := time.Unix(1_700_000_000, 0)
	take := func(tries int) (taken int) {
		for range tries {
			if b.Take(&r, now) {
				taken++
			}
		}
		return taken
	}
	if got := take(100); got != 6 {
		t.Errorf("%d retries of a minute's floor", got)
	}
	now = now.Add(10 * time.Second)
	if got := take(100); got != 1 {
		t.Errorf("%d retries after a sixth of a minute", got)
	}
	for range 500 {
		b.Pay(&r)
	}
	if got := take(1000); got != 50 {
		t.Errorf("%d retries of 500 calls", got)
	}
	for range 1_000_000 {
		b.Pay(&r)
	}
	if got := take(10_000); got != maxSaved/100 {
		t.Errorf("%d retries are saved up", got)
	}
	now = now.Add(time.Hour)
	if got := take(100); got != 6 {
		t.Errorf("%d retries of the floor after an hour", got)
	}
	if none := (&RetryBudget{}); none.Take(&Retry{BudgetPercent: 10}, now) {
		t.Error("a retry out of nothing")
	}
}

package policy

import (
	"math"
	"testing"
)

// A share is reached when that much is spent, not a fraction less.
func TestShareOf(t *testing.T) {
	f := func(limit int64, percent int, want int64) {
		t.Helper()
		if got := shareOf(limit, percent); got != want {
			t.Errorf("%d %% of %d: %d, want %d", percent, limit, got, want)
		}
	}
	f(100, 80, 80)
	f(3, 50, 2)
	f(1, 1, 1)
	f(math.MaxInt64, 50, math.MaxInt64/2+1)
	f(math.MaxInt64, 1000, math.MaxInt64)
	f(0, 50, 0)
}

package providers

import (
	"math"
	"testing"
)

func TestMaxOutput(t *testing.T) {
	f := func(limit, n *int64, want int64) {
		t.Helper()
		if got := MaxOutput(limit, n); got != want {
			t.Errorf("MaxOutput(%v, %v) = %d, want %d", limit, n, got, want)
		}
	}
	f(nil, nil, 0)
	f(nil, new(int64(3)), 0)
	f(new(int64(0)), nil, 0)
	f(new(int64(-5)), nil, 0)
	f(new(int64(100)), nil, 100)
	f(new(int64(100)), new(int64(0)), 100)
	f(new(int64(100)), new(int64(-2)), 100)
	f(new(int64(100)), new(int64(3)), 300)
	f(new(int64(math.MaxInt64)), nil, 1<<40)
	f(new(int64(math.MaxInt64)), new(int64(math.MaxInt64)), 1<<40)
	f(new(int64(5)), new(int64(math.MaxInt64)), 1<<40)
}

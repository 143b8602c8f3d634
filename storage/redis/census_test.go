package redis

import (
	"testing"
	"time"
)

func TestCensus(t *testing.T) {
	var n census
	now := time.Unix(1_000_000, 0)
	f := func(after time.Duration, counted, want int) {
		t.Helper()
		now = now.Add(after)
		n.count(counted, now)
		if n.nodes != want {
			t.Errorf("%d nodes after a count of %d, want %d", n.nodes, counted, want)
		}
	}
	n.expect(3)
	f(0, 1, 3) // the others have not been heard of yet
	f(time.Second, 4, 4)
	for range 4 {
		f(time.Second, 2, 4)
	}
	f(time.Second, 2, 4)
	f(time.Second, 2, 2) // a whole span without them
	f(time.Second, 3, 3)
	// Redis was away and came back empty.
	f(time.Minute, 1, 3)
	f(time.Second, 3, 3)
	f(time.Second, 3, 3)
	for range 4 {
		f(time.Second, 3, 3)
	}
}

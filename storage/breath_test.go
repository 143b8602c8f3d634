package storage

import (
	"testing"
	"testing/synctest"
	"time"
)

// Work stands back once it has gone on for long, and not where it has fallen behind.
func TestBreath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b Breath
		took := func(rows int) time.Duration {
			began := time.Now()
			b.Take(rows)
			return time.Since(began)
		}
		f := func(works time.Duration, rows int, want time.Duration) {
			t.Helper()
			time.Sleep(works) // the bubble's clock is moved by nothing else
			if d := took(rows); d != want {
				t.Errorf("after %s of %d rows it stands back for %s, want %s", works, rows, d, want)
			}
		}
		f(0, 400, 0)
		f(breathEvery-1, 400, 0)
		f(1, 400, breathFor)
		f(0, 400, 0)
		f(time.Second, 9000, 0)
		f(0, 400, breathFor)
	})
}

package policy

import (
	"math"
	"testing"
	"time"
)

func TestLatency(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	var l Latency
	f := func(want float64) {
		t.Helper()
		if got := l.Seconds(now); math.Abs(got-want) > want/100 {
			t.Errorf("%v seconds, not %v", got, want)
		}
	}
	f(0)
	l.Observe(100*time.Millisecond, now)
	f(0.1)
	l.Observe(2*time.Second, now) // a peak counts in full
	f(2)
	l.Observe(100*time.Millisecond, now) // and one fast answer at the same moment does not undo it
	f(2)
	now = now.Add(fading)
	f(2 / math.E)
	l.Observe(100*time.Millisecond, now)
	f(2/math.E + 0.1*(1-1/math.E))
	now = now.Add(20 * fading)
	if got := l.Seconds(now); got > 1e-6 {
		t.Errorf("%v seconds long after", got)
	}
}

func TestCircuit_LoadCountsWhoWaits(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	h := NewHealth(HealthOptions{})
	c, unknown, broken := h.Circuit(Place{"p", "", "a"}, &Breaker{}), h.Circuit(Place{"p", "", "b"}, &Breaker{}), h.Circuit(Place{"p", "", "c"}, &Breaker{})
	end := func(c *Circuit, s Sample) {
		c.Begin(now)
		c.End(s, now)
	}
	end(c, Sample{Result: ResultServed, Stream: true, Took: time.Second})
	end(c, Sample{Result: ResultServed, Took: 10 * time.Second, Output: 1000})
	end(c, Sample{Result: ResultNothing, Stream: true, Took: time.Hour})
	end(broken, Sample{Result: ResultFailed, Stream: true, Took: time.Millisecond})
	if got := c.Load(true, now); got != 1 {
		t.Errorf("a stream's load is %v", got)
	}
	if got := c.Load(false, now); math.Abs(got-0.01) > 1e-9 {
		t.Errorf("a whole reply's load is %v: a long answer is not a slow one", got)
	}
	c.Begin(now)
	if got := c.Load(true, now); got != 2 {
		t.Errorf("with one call under way the load is %v", got)
	}
	if unknown.Load(true, now) != 0 || broken.Load(true, now) < 2 {
		t.Errorf("unknown %v, failing fast %v", unknown.Load(true, now), broken.Load(true, now))
	}
}

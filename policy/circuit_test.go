package policy

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var testBreaker = Breaker{Failures: 5, Requests: 20, Percent: 50, Window: 10 * time.Second, OpenFor: 30 * time.Second}

// failing, serving and refusing are calls with these results.
func failing() Result  { return ResultFailed }
func serving() Result  { return ResultServed }
func refusing() Result { return ResultNothing }

// circuitFor is a circuit in a bubble, whose clock the test drives.
func circuitFor(t *testing.T, test func(t *testing.T, c *Circuit)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		test(t, NewHealth(HealthOptions{}).Circuit(Place{"p", "c", "m"}, &testBreaker))
	})
}

func (c *Circuit) stands(t *testing.T, want State) {
	t.Helper()
	if got, _ := c.State(time.Now()); got != want {
		t.Errorf("the circuit is %s, not %s", got, want)
	}
}

func (c *Circuit) trip(t *testing.T) {
	t.Helper()
	for i := range 6 {
		c.Try(fmt.Sprint("key", i%2), failing)
	}
	c.stands(t, StateOpen)
}

func TestCircuit_OpensOnFailuresOfTwoKeys(t *testing.T) {
	circuitFor(t, func(t *testing.T, c *Circuit) {
		for i := range 4 {
			c.Try(fmt.Sprint("key", i%2), failing)
		}
		c.stands(t, StateClosed)
		c.Try("key0", failing)
		c.stands(t, StateOpen)
		if c.Try("key2", serving) {
			t.Error("a call passed an open circuit")
		}
	})
}

func TestCircuit_ManyKeysWithOneFailureEach(t *testing.T) {
	circuitFor(t, func(t *testing.T, c *Circuit) {
		for i := range 5 {
			c.Try(fmt.Sprint("key", i), failing)
		}
		c.stands(t, StateOpen)
	})
}

// However many bad requests one key sends, the place stays open to others; a stray failure of
// theirs does not change that.
func TestCircuit_OneKeyNeverOpensIt(t *testing.T) {
	circuitFor(t, func(t *testing.T, c *Circuit) {
		for i := range 1000 {
			c.Try("bad", failing)
			if i%100 == 50 {
				c.Try("good", serving)
			}
			if i == 500 {
				c.Try("good", failing)
			}
			time.Sleep(20 * time.Millisecond)
		}
		c.stands(t, StateClosed)
	})
}

func TestCircuit_WhatIsNoFailure(t *testing.T) {
	circuitFor(t, func(t *testing.T, c *Circuit) {
		for i := range 1000 {
			c.Try(fmt.Sprint("key", i%7), refusing)
		}
		c.stands(t, StateClosed)
		for i := range 1000 { // a place that fails a third of its calls is not broken
			c.Try(fmt.Sprint("key", i%7), func() Result {
				if i%3 == 0 {
					return ResultFailed
				}
				return ResultServed
			})
		}
		c.stands(t, StateClosed)
	})
}

func TestCircuit_HalfOfAllCallsFail(t *testing.T) {
	circuitFor(t, func(t *testing.T, c *Circuit) {
		for i := range 40 {
			c.Try(fmt.Sprint("key", i%7), func() Result { return ResultServed + Result(i%2) })
		}
		c.stands(t, StateOpen)
	})
}

// Old failures are forgotten: five that are spread over more than the window open nothing.
func TestCircuit_FailuresOutsideTheWindow(t *testing.T) {
	circuitFor(t, func(t *testing.T, c *Circuit) {
		for i := range 40 {
			c.Try(fmt.Sprint("key", i%2), failing)
			time.Sleep(6 * time.Second)
		}
		c.stands(t, StateClosed)
	})
}

// Calls that hang for longer than the window are failures all the same.
func TestCircuit_SlowFailuresCount(t *testing.T) {
	circuitFor(t, func(t *testing.T, c *Circuit) {
		var wg sync.WaitGroup
		for i := range 6 {
			wg.Go(func() {
				c.Try(fmt.Sprint("key", i), func() Result { time.Sleep(time.Minute); return ResultFailed })
			})
		}
		wg.Wait()
		c.stands(t, StateOpen)
	})
}

func TestCircuit_HalfOpenLetsOneTry(t *testing.T) {
	circuitFor(t, func(t *testing.T, c *Circuit) {
		c.trip(t)
		time.Sleep(testBreaker.OpenFor + time.Second)
		c.stands(t, StateHalfOpen)
		c.Try("key3", func() Result {
			for i := range 10 {
				if c.Try(fmt.Sprint("other", i), serving) {
					t.Error("a second call passes while one tries")
				}
			}
			return ResultServed
		})
		c.stands(t, StateClosed)
	})
}

// A try that says nothing lets another one try.
func TestCircuit_HalfOpenTryOfAClientThatLeaves(t *testing.T) {
	circuitFor(t, func(t *testing.T, c *Circuit) {
		c.trip(t)
		time.Sleep(testBreaker.OpenFor + time.Second)
		if !c.Try("key3", refusing) || !c.Try("key3", serving) {
			t.Error("no try was let through")
		}
		c.stands(t, StateClosed)
	})
}

// A key whose requests always fail cannot keep the place shut for others.
func TestCircuit_HalfOpenTryOfABadKey(t *testing.T) {
	circuitFor(t, func(t *testing.T, c *Circuit) {
		c.trip(t)
		time.Sleep(testBreaker.OpenFor + time.Second)
		c.Try("bad", failing)
		c.stands(t, StateOpen)
		time.Sleep(testBreaker.OpenFor + time.Second)
		if c.Try("bad", failing) {
			t.Error("the key that failed is the next to try")
		}
		if !c.Try("good", serving) {
			t.Error("another key may not try")
		}
		c.stands(t, StateClosed)
	})
}

func TestCircuit_ProbeOpensIt(t *testing.T) {
	circuitFor(t, func(t *testing.T, c *Circuit) {
		if c.Doubtful(time.Now()) {
			t.Error("a place without failures is in doubt")
		}
		for range 5 {
			c.Try("only", failing)
		}
		c.stands(t, StateClosed)
		if !c.Doubtful(time.Now()) || c.Doubtful(time.Now()) {
			t.Error("doubt is to be told once")
		}
		c.Probed(false, time.Now())
		c.stands(t, StateClosed)
		c.Probed(true, time.Now())
		c.stands(t, StateOpen)
	})
}

func TestCircuit_Trickle(t *testing.T) {
	circuitFor(t, func(t *testing.T, c *Circuit) {
		c.trip(t)
		c.Trickle(func() Result {
			if c.Trickle(serving) {
				t.Error("two calls trickle at once")
			}
			return ResultFailed
		})
		c.stands(t, StateOpen)
		if !c.Trickle(serving) {
			t.Error("no call trickles")
		}
		c.stands(t, StateClosed)
	})
}

func TestCircuit_TheLaterDeadlineCounts(t *testing.T) {
	circuitFor(t, func(t *testing.T, c *Circuit) {
		now := time.Now()
		c.Cool(now.Add(20 * time.Second))
		c.Cool(now.Add(2 * time.Second))
		time.Sleep(19 * time.Second)
		c.stands(t, StateCooling)
		time.Sleep(time.Second)
		c.stands(t, StateClosed)
	})
}

// A reload with the same rules forgets nothing, and one with others begins anew.
func TestHealth_OutlivesReloads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []string
		h := NewHealth(HealthOptions{Changed: func(c Change) {
			told = append(told, fmt.Sprint(c.Model, " ", c.State))
		}})
		c := h.Circuit(Place{"p", "c", "m"}, &testBreaker)
		c.trip(t)
		if again := h.Circuit(Place{"p", "c", "m"}, &testBreaker); again != c {
			t.Error("another circuit for the same place")
		}
		c.stands(t, StateOpen)
		if list := h.Ailing(time.Now()); len(list) != 1 || list[0].Model != "m" || list[0].State != StateOpen || list[0].Until != time.Now().Add(testBreaker.OpenFor) {
			t.Errorf("%+v", list)
		}
		h.Circuit(Place{"p", "c", "other"}, &testBreaker)
		h.Credential("p", "c").SetAside(time.Now().Add(time.Minute))
		h.Circuit(Place{"p", "c", "m"}, &Breaker{Failures: 1, Window: time.Second, OpenFor: time.Second})
		c.stands(t, StateClosed)
		if want := []string{"m open", " aside", "m closed"}; fmt.Sprint(told) != fmt.Sprint(want) {
			t.Errorf("told %q, not %q", told, want)
		}
	})
}

func TestHealth_IsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHealth(HealthOptions{})
		for i := range 3 * maxPlaces {
			h.Circuit(Place{"p", "c", fmt.Sprint("made-up-", i)}, &testBreaker).Begin(time.Now())
		}
		if n := len(h.circuits); n > maxPlaces+1 {
			t.Errorf("%d places are remembered", n)
		}
		for _, c := range h.circuits {
			c.flying.Store(0)
		}
		time.Sleep(idlePlace + time.Second)
		if c := h.Circuit(Place{"p", "c", "late"}, &testBreaker); c.Model != "late" || len(h.circuits) != 1 {
			t.Errorf("idle places make no room: %d, %q", len(h.circuits), c.Model)
		}
	})
}

// Calls, probes, reloads and readers at once, for the race detector.
func TestHealth_Race(t *testing.T) {
	h := NewHealth(HealthOptions{Changed: func(Change) {}})
	rules := [2]Breaker{{Failures: 3, Window: time.Second, OpenFor: time.Microsecond}, {Failures: 4, Window: time.Second, OpenFor: time.Microsecond}}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 2000 {
				c := h.Circuit(Place{"p", "c", fmt.Sprint(n % 3)}, &rules[n/500%2])
				now := time.Now()
				c.Begin(now)
				r := Result(n % 5 % 3)
				if !c.Try(fmt.Sprint(i), func() Result { return r }) {
					c.Trickle(func() Result { return r })
				}
				c.End(Sample{Result: r, Took: time.Millisecond}, now)
				if c.Doubtful(now) {
					c.Probed(n%2 == 0, now)
				}
				c.Cool(now)
				h.Ailing(now)
			}
		})
	}
	wg.Wait()
}

// The whole of what a call costs here when all is well.
func BenchmarkCircuit_Closed(b *testing.B) {
	h := NewHealth(HealthOptions{})
	place := Place{"anthropic", "main", "claude-sonnet-4-5"}
	now := time.Now()
	for b.Loop() {
		c := h.Circuit(place, &testBreaker)
		if s, _ := c.State(now); s != StateClosed {
			b.Fatal(s)
		}
		c.Begin(now)
		served := false
		c.Try("key", func() Result { served = true; return ResultServed })
		c.End(Sample{Result: ResultServed, Stream: served, Took: time.Millisecond}, now)
	}
}

func TestCircuit_AllocatesNothing(t *testing.T) {
	c := NewHealth(HealthOptions{}).Circuit(Place{"p", "c", "m"}, &testBreaker)
	served := 0
	if n := testing.AllocsPerRun(100, func() {
		c.Try("key", func() Result { served++; return ResultServed })
	}); n != 0 || served == 0 {
		t.Errorf("%v allocations for a call", n)
	}
}

// Whoever tries in the half-open state, and whoever trickles, is alone.
func TestCircuit_NobodyTricklesBesideATry(t *testing.T) {
	circuitFor(t, func(t *testing.T, c *Circuit) {
		c.trip(t)
		time.Sleep(testBreaker.OpenFor + time.Second)
		c.Try("key3", func() Result {
			if c.Trickle(serving) {
				t.Error("a call trickles beside a try")
			}
			return ResultFailed
		})
		c.stands(t, StateOpen)
		time.Sleep(testBreaker.OpenFor + time.Second)
		c.Trickle(func() Result {
			if c.Try("key4", serving) {
				t.Error("a call tries beside one that trickles")
			}
			return ResultFailed
		})
	})
}

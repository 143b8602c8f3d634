package policy

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

func TestQueueInOrder(t *testing.T) {
	inLobby(t, patient(), func(l *lobby) {
		for i := range 5 {
			l.call(fmt.Sprint("A", i), onlyOne(), nil)
		}
		l.says("A0@0s", "A1@1s", "A2@2s", "A3@3s", "A4@4s")
		if n := l.counters.takes.Load(); n > 10 {
			t.Errorf("the counters were asked %d times for 5 calls: somebody polls", n)
		}
	})
}

func TestQueueTooLong(t *testing.T) {
	p := patient()
	p.MaxWait = 1500 * time.Millisecond
	inLobby(t, p, func(l *lobby) {
		l.call("A0", onlyOne(), nil)
		l.call("A1", onlyOne(), nil)
		l.call("A2", onlyOne(), nil) // stands behind A1, and is refused when it comes to the front
		l.says("A0@0s", "A1@1s", "A2:refused@1s")
	})
	p.MaxWait = 500 * time.Millisecond
	inLobby(t, p, func(l *lobby) {
		l.call("A0", onlyOne(), nil)
		l.call("A1", onlyOne(), nil)
		l.says("A0@0s", "A1:refused@0s")
	})
	inLobby(t, Patience{}, func(l *lobby) {
		l.call("A0", onlyOne(), nil)
		l.call("A1", onlyOne(), nil)
		l.call("B0", slotOf(1), nil)
		l.call("B1", slotOf(1), nil)
		l.says("A0@0s", "A1:refused@0s", "B0@0s", "B1:refused@0s")
	})
}

// A call that would stand in line in vain is told at once, and when to come back.
func TestQueueVain(t *testing.T) {
	inLobby(t, patient(), func(l *lobby) {
		l.call("A0", second(10), nil)
		l.call("A1", second(5), nil)
		l.call("B0", second(1), func(p *Patience) { p.MaxWait = 3 * time.Second })
		l.call("H0", second(1), func(p *Patience) { p.MaxWait, p.Priority = 3*time.Second, 1 })
		l.says("A0@0s", "B0:refused@0s", "H0@1s", "A1@6s")
	})
}

// Who makes room for another in a line of one leaves the line as it was: nobody slips by.
func TestQueueRoomOfOne(t *testing.T) {
	p := patient()
	p.MaxDepth = 1
	inLobby(t, p, func(l *lobby) {
		l.call("A0", second(8), nil)
		l.call("A1", second(5), nil)
		l.call("H0", second(5), func(p *Patience) { p.Priority = 1 })
		l.call("B0", second(1), nil)
		l.says("A0@0s", "A1:refused@0s", "B0:refused@0s", "H0@3s")
	})
}

// What comes back while somebody asks in vain is not missed.
func TestQueueGivenBackMeanwhile(t *testing.T) {
	inLobby(t, patient(), func(l *lobby) {
		take := func() *Grant {
			v, err := l.Take(l.t.Context(), &Ask{Now: time.Now(), Alive: time.Hour, Slots: slotOf(2).Slots})
			if err != nil || v.Grant == nil {
				l.t.Fatal("refused")
			}
			return v.Grant
		}
		first, asked := take(), 0
		second := take()
		l.counters.after = func() {
			if asked++; asked == 2 { // A0 has its turn, and has just been refused
				l.Settle(first, Spent{})
			}
		}
		l.call("A0", slotOf(2), nil)
		l.says("A0@0s")
		l.Settle(second, Spent{})
	})
}

func TestQueueFair(t *testing.T) {
	inLobby(t, patient(), func(l *lobby) {
		for _, name := range []string{"A0", "A1", "A2", "A3", "A4", "B0", "B1", "C0"} {
			l.call(name, onlyOne(), nil)
		}
		l.says("A0@0s", "A1@1s", "B0@2s", "C0@3s", "A2@4s", "B1@5s", "A3@6s", "A4@7s")
	})
}

func TestQueuePriority(t *testing.T) {
	inLobby(t, patient(), func(l *lobby) {
		up := func(n int) func(*Patience) { return func(p *Patience) { p.Priority = n } }
		l.call("A0", onlyOne(), nil)
		l.call("A1", onlyOne(), nil)
		l.call("L0", onlyOne(), up(-1))
		l.call("H0", onlyOne(), up(5))
		l.call("A2", onlyOne(), nil)
		l.call("H1", onlyOne(), up(5))
		l.says("A0@0s", "H0@1s", "H1@2s", "A1@3s", "A2@4s", "L0@5s")
	})
}

// A call that would fit does not overtake one that waits for more.
func TestQueueNoOvertaking(t *testing.T) {
	inLobby(t, patient(), func(l *lobby) {
		l.call("A0", second(8), nil)
		l.call("A1", second(5), nil) // fits in 3 s
		l.call("B0", second(1), nil) // would fit now
		l.says("A0@0s", "A1@3s", "B0@4s")
	})
}

func TestQueueSlots(t *testing.T) {
	inLobby(t, patient(), func(l *lobby) {
		for i := range 6 {
			l.call(fmt.Sprint("A", i), slotOf(2), nil)
		}
		l.all.Wait()
		for i, want := range []string{"0s", "0s", "1s", "1s", "2s", "2s"} {
			if got := l.log[i]; got[2:] != "@"+want {
				t.Errorf("%q", l.log)
			}
		}
	})
}

func TestQueueSlotTimeout(t *testing.T) {
	p := patient()
	p.MaxWait = 1500 * time.Millisecond
	inLobby(t, p, func(l *lobby) {
		for i := range 4 {
			l.call(fmt.Sprint("A", i), slotOf(1), nil)
		}
		l.all.Wait()
		slices.Sort(l.log)
		l.says("A0@0s", "A1@1s", "A2:refused@1.5s", "A3:refused@1.5s")
	})
}

// From one line to the next: a call that has its rate may then wait for a slot.
func TestQueueMoves(t *testing.T) {
	half := Ask{Rates: []RateAsk{{Counter: "rate", Interval: time.Second / 2, Burst: 1, Cost: 1}}}
	both := Ask{Rates: half.Rates, Slots: slotOf(1).Slots}
	inLobby(t, patient(), func(l *lobby) {
		l.call("A0", slotOf(1), nil) // holds the slot until 1s
		l.call("B0", half, nil)      // takes the rate until 0.5s
		l.call("C0", both, nil)      // stands for the rate, and then for the slot
		l.call("D0", slotOf(1), nil)
		l.call("E0", slotOf(1), nil)
		l.all.Wait()
		slices.Sort(l.log)
		l.says("A0@0s", "B0@0s", "C0@3s", "D0@1s", "E0@2s") // C0 comes to the slot's line last
	})
}

func TestQueueHeld(t *testing.T) {
	p := Patience{Held: HeldWait} // no queue is configured
	inLobby(t, p, func(l *lobby) {
		l.call("A0", money(80, 100), nil)
		l.call("B0", money(50, 100), nil) // A0 gives back at 1s what it did not spend: nothing
		l.call("C0", money(20, 100), nil) // fits, and overtakes
		l.call("D0", money(90, 1000), nil)
		l.says("A0@0s", "C0@0s", "D0@0s", "B0:refused@1s")
	})
	inLobby(t, p, func(l *lobby) {
		v, err := l.Take(l.t.Context(), &Ask{Now: time.Now(), Alive: time.Hour, Budgets: money(80, 100).Budgets})
		if err != nil || v.Grant == nil {
			t.Fatal("refused")
		}
		l.call("B0", money(50, 100), nil)
		l.call("C0", money(40, 100), nil)
		time.Sleep(1500 * time.Millisecond)
		l.Settle(v.Grant, Spent{Budgets: []int64{10}})
		l.says("B0@1.5s", "C0@1.5s")
	})
	inLobby(t, p, func(l *lobby) {
		v, err := l.Take(l.t.Context(), &Ask{Now: time.Now(), Alive: time.Hour, Budgets: money(80, 100).Budgets})
		if err != nil || v.Grant == nil {
			t.Fatal("refused")
		}
		l.call("B0", money(50, 100), nil)
		l.says("B0:refused@2s")
	})
}

func TestQueueLeaving(t *testing.T) {
	gone := errors.New("gone")
	inLobby(t, patient(), func(l *lobby) {
		l.call("A0", onlyOne(), nil)
		ctx, cancel := context.WithCancelCause(l.t.Context())
		p := l.patience
		p.Key = "B"
		l.spawn(ctx, "B0", onlyOne(), p)
		l.spawn(ctx, "B1", onlyOne(), p)
		l.call("C0", onlyOne(), nil)
		time.Sleep(500 * time.Millisecond)
		cancel(gone)
		l.all.Wait()
		slices.Sort(l.log)
		l.says("A0@0s", "B0:gone@500ms", "B1:gone@500ms", "C0@1s")
	})
}

func TestQueueDepth(t *testing.T) {
	p := patient()
	p.MaxDepth = 3
	inLobby(t, p, func(l *lobby) {
		for i := range 5 { // one goes, three wait, one finds no room
			l.call(fmt.Sprint("A", i), onlyOne(), nil)
		}
		l.call("B0", onlyOne(), nil) // A has three places: the last of them makes room
		l.call("B1", onlyOne(), nil) // A has two, B one: no key is greedier
		l.call("H0", onlyOne(), func(p *Patience) { p.Priority = 1 })
		l.says("A0@0s", "A4:refused@0s", "A3:refused@0s", "B1:refused@0s", "A2:refused@0s", "H0@1s", "A1@2s", "B0@3s")
	})
}

// What comes back by other nodes is found by looking.
func TestQueueRecheck(t *testing.T) {
	inLobby(t, patient(), func(l *lobby) {
		l.Queue = NewQueue(&l.counters, 100*time.Millisecond)
		v, _ := l.Take(l.t.Context(), &Ask{Now: time.Now(), Alive: time.Hour, Slots: slotOf(1).Slots})
		l.call("A0", slotOf(1), nil)
		time.Sleep(250 * time.Millisecond)
		l.counters.Settle(v.Grant, Spent{}) // not through this queue
		l.says("A0@300ms")
	})
}

// Whatever comes and goes, nobody is forgotten, nobody waits too long, and nothing is left.
func TestQueueChaos(t *testing.T) {
	const callers, rounds = 40, 20
	p := Patience{MaxWait: 2 * time.Second, MaxDepth: 25, Held: time.Second}
	var granted, refused, gone atomic.Int64
	inLobby(t, p, func(l *lobby) {
		for i := range callers {
			g := rand.New(rand.NewPCG(uint64(i), 3))
			l.all.Go(func() {
				for n := range rounds {
					ctx, cancel := context.WithTimeout(l.t.Context(), time.Duration(g.IntN(5000))*time.Millisecond)
					a := Ask{Lease: fmt.Sprint(i, n), Now: time.Now(), Alive: time.Minute}
					if g.IntN(2) == 0 {
						a.Rates = []RateAsk{{Counter: fmt.Sprint("rate", g.IntN(2)), Interval: 40 * time.Millisecond, Burst: 5, Cost: 1 + g.Int64N(3)}}
					}
					if g.IntN(2) == 0 {
						a.Slots = slotOf(4).Slots
					}
					if g.IntN(2) == 0 {
						a.Budgets = money(1+g.Int64N(30), 100).Budgets
					}
					p := p
					p.Key, p.Priority = fmt.Sprint(i%5), g.IntN(3)
					began := time.Now()
					v, err := l.Wait(ctx, &a, p)
					if waited := time.Since(began); waited > p.MaxWait+p.Held {
						t.Errorf("waited %s", waited)
					}
					switch {
					case err != nil:
						gone.Add(1)
					case v.Grant == nil:
						refused.Add(1)
						if v.Refused.Kind == 0 {
							t.Error("refused without a word")
						}
					default:
						granted.Add(1)
						time.Sleep(time.Duration(g.IntN(200)) * time.Millisecond)
						l.Settle(v.Grant, Spent{Budgets: []int64{0}})
					}
					cancel()
				}
			})
		}
	})
	if granted.Load() < callers || granted.Load()+refused.Load()+gone.Load() != callers*rounds {
		t.Errorf("%d granted, %d refused, %d gone", granted.Load(), refused.Load(), gone.Load())
	}
	t.Logf("%d granted, %d refused, %d gone", granted.Load(), refused.Load(), gone.Load())
}

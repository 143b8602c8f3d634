package policy

import (
	"fmt"
	"testing"
	"time"
)

// A call that used more than anybody thought is charged for it also where its rate has been idle
// since, or was dropped.
func TestMeterLateMore(t *testing.T) {
	for _, after := range []time.Duration{time.Minute, 5 * time.Hour} {
		clock := newHand()
		m := NewMeter(MeterOptions{Leak: 1, Now: clock.Now})
		ask := func() *Ask {
			return &Ask{Now: clock.now, Alive: 24 * time.Hour, Rates: []RateAsk{{Counter: "r", Interval: time.Second, Burst: 10, Cost: 10}}}
		}
		l := m.mustTake(t, ask())
		for range 10 {
			clock.now = clock.now.Add(after / 10)
			m.mustTake(t, &Ask{Now: clock.now})
		}
		m.Settle(l.Grant, Spent{Rates: []int64{40}})
		if v := m.mustTake(t, ask()); v.Grant != nil || v.Refused.Wait != 30*time.Second {
			t.Errorf("after %s: %+v, want a wait for 30 units", after, v.Refused)
		}
	}
}

// A call of hours keeps its slot and its reservation, though it gives no sign of life: the process
// lives. One that is lost ends at last.
func TestMeterLongCall(t *testing.T) {
	clock := newHand()
	m := NewMeter(MeterOptions{Now: clock.Now})
	b := BudgetAsk{Counter: "b", Limit: 100, Fixed: 40}
	m.mustTake(t, &Ask{Now: clock.now, Alive: time.Minute, Budgets: []BudgetAsk{b}, Slots: []SlotAsk{{Counter: "s", Limit: 1}}})
	f := func(after time.Duration, free bool, want BudgetState) {
		t.Helper()
		clock.now = clock.now.Add(after)
		v := m.mustTake(t, &Ask{Now: clock.now, Slots: []SlotAsk{{Counter: "s", Limit: 1}}})
		s, err := StateOf(t.Context(), m, &b)
		if err != nil || s != want || (v.Grant != nil) != free {
			t.Errorf("%+v %v, the slot is free: %v", s, err, v.Grant != nil)
		}
	}
	f(5*time.Hour, false, BudgetState{Reserved: 40})
	f(time.Hour+2*time.Second, true, BudgetState{Spent: 40})
}

// A lease whose ask was used for something else meanwhile harms nobody when it runs out.
func TestMeterLostLease(t *testing.T) {
	clock := newHand()
	m := NewMeter(MeterOptions{Leak: 1, Now: clock.Now})
	b := BudgetAsk{Counter: "b", Limit: 100, Fixed: 40, Soft: []int{10}}
	a := &Ask{Now: clock.now, Alive: time.Minute, Budgets: []BudgetAsk{b}}
	m.mustTake(t, a)
	*a = Ask{}
	clock.now = clock.now.Add(time.Hour)
	if s, err := StateOf(t.Context(), m, &b); err != nil || s != (BudgetState{Spent: 40}) {
		t.Errorf("%+v %v", s, err)
	}
}

// A budget that a call under way may still be charged to is kept, though nothing stands in it.
func TestMeterKeepsBudget(t *testing.T) {
	clock := newHand()
	m := NewMeter(MeterOptions{Leak: 1, Now: clock.Now})
	b := BudgetAsk{Counter: "b", Limit: 100, Window: Window{Rolling: time.Hour}}
	l := m.mustTake(t, &Ask{Now: clock.now, Alive: 24 * time.Hour, Budgets: []BudgetAsk{b}})
	for range 10 {
		clock.now = clock.now.Add(time.Hour)
		m.mustTake(t, &Ask{Now: clock.now})
	}
	m.Settle(l.Grant, Spent{Budgets: []int64{60}})
	if s, err := StateOf(t.Context(), m, &b); err != nil || s.Spent != 60 {
		t.Errorf("%+v %v", s, err)
	}
}

// Counters that say nothing are dropped, and come back as if they had never been away.
func TestMeterForgets(t *testing.T) {
	clock := newHand()
	m := NewMeter(MeterOptions{Leak: 1, Now: clock.Now})
	held := func() int { return len(m.rates) + len(m.slots) + len(m.budgets) }
	for i := range 1000 {
		day := Window{Start: clock.now.Add(-time.Hour), End: clock.now.Add(time.Hour)}
		g := m.mustTake(t, &Ask{
			Now: clock.now, Alive: time.Minute,
			Rates: []RateAsk{{Counter: fmt.Sprint("r", i), Interval: time.Second, Burst: 5, Cost: 5}},
			Slots: []SlotAsk{{Counter: fmt.Sprint("s", i), Limit: 1}},
			Budgets: []BudgetAsk{
				{Counter: fmt.Sprint("day", i), Limit: 10, Fixed: 10, Window: day},
				{Counter: fmt.Sprint("rolling", i), Limit: 10, Fixed: 10, Window: Window{Rolling: time.Hour}},
			},
		})
		if g.Grant == nil {
			t.Fatal("refused")
		}
		if i%2 == 0 {
			m.Settle(g.Grant, Spent{})
		}
	}
	forever := BudgetAsk{Counter: "total", Limit: 10, Fixed: 7}
	m.Settle(m.mustTake(t, &Ask{Now: clock.now, Alive: time.Minute, Budgets: []BudgetAsk{forever}}).Grant, Spent{})
	if n := held(); n != 4001 {
		t.Fatalf("%d counters", n)
	}
	for range 48 {
		clock.now = clock.now.Add(5 * time.Minute)
		m.mustTake(t, &Ask{Now: clock.now})
	}
	if n := held(); n != 1 {
		t.Fatalf("%d counters after 4 hours: %d rates, %d slots, %d budgets", n, len(m.rates), len(m.slots), len(m.budgets))
	}
	if s, err := StateOf(t.Context(), m, &forever); err != nil || s.Spent != 7 {
		t.Fatalf("%+v %v: a budget without an end was forgotten", s, err)
	}
}

package redis

import (
	"testing"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/storagetest"
)

// What a node held that died comes to what its journal last knew, once, whether its leases are
// still open or ran out; what it had settled itself, and what nobody took here, stays as it is.
func TestInherit(t *testing.T) {
	f := func(name string, window policy.Window, later time.Duration) {
		t.Helper()
		url := storage.NewSecret(storagetest.Redis(t))
		dead, heir := open(t, Options{URL: url}), open(t, Options{URL: url})
		b := lessonBudget()
		b.Window = window
		var asks []*policy.Ask
		for n := range 5 {
			a := lessonAsk(dead, b, n, 100)
			a.Slots = []policy.SlotAsk{{Counter: "slot:{w}key/a", Limit: 5}}
			asks = append(asks, a)
			if n == 4 {
				continue // it was never taken
			}
			v, err := dead.Take(t.Context(), a)
			if err != nil || v.Grant == nil {
				t.Fatalf("%+v, %v", v, err)
			}
			if n == 3 {
				dead.Settle(v.Grant, policy.Spent{Budgets: []int64{30}})
			} else {
				dead.leases.drop(v.Grant)
			}
		}
		stands(t, dead, b, 30, 300)
		heir.shift.Store(int64(later.Seconds()))
		if later > 0 {
			stands(t, heir, b, 330, 0)
		}
		for range 2 {
			for n, spent := range []int64{10, -1, 20, 7, 7} {
				heir.Inherit(asks[n], []int64{spent})
			}
			stands(t, heir, b, 160, 0)
		}
		asks[0].Lease = "x/9"
		asks[0].Slots[0].Limit = 1
		if v, err := heir.Take(t.Context(), asks[0]); err != nil || v.Grant == nil {
			t.Errorf("%s: a dead node keeps its slots: %+v, %v", name, v, err)
		}
	}
	f("open", policy.Window{}, 0)
	f("ran out", policy.Window{}, 20*time.Hour)
	f("open, rolling", policy.Window{Rolling: 24 * time.Hour}, 0)
	f("ran out, rolling", policy.Window{Rolling: 24 * time.Hour}, 5*time.Hour)
}

// A node that was taken for dead and is not is heard in the end.
func TestInherit_TheLiving(t *testing.T) {
	url := storage.NewSecret(storagetest.Redis(t))
	alive, heir := open(t, Options{URL: url}), open(t, Options{URL: url})
	b := lessonBudget()
	a := lessonAsk(alive, b, 1, 100)
	v, err := alive.Take(t.Context(), a)
	if err != nil || v.Grant == nil {
		t.Fatalf("%+v, %v", v, err)
	}
	heir.Inherit(a, []int64{90})
	stands(t, heir, b, 90, 0)
	alive.keepAlive(alive.now().Add(a.Alive))
	stands(t, alive, b, 90, 0)
	alive.Settle(v.Grant, policy.Spent{Budgets: []int64{40}})
	stands(t, alive, b, 40, 0)
}

// Where the ledger is read meanwhile, what a dead node left counts once: with the ledger, or
// beside it.
func TestInherit_WhileTheLedgerIsRead(t *testing.T) {
	ledger := &books{down: true}
	c := open(t, Options{History: ledger.history})
	b := lessonBudget()
	for n := 1; n <= 3; n++ {
		c.Inherit(lessonAsk(c, b, n, 10), []int64{10})
	}
	long := lessonAsk(c, b, 4, 10)
	long.Now = long.Now.Add(-time.Hour)
	c.Inherit(long, []int64{10}) // the sums have it
	if err := c.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	ledger.mu.Lock()
	ledger.down = false
	ledger.shipped = []policy.Amount{{At: time.Now(), Units: 10, Lease: "x/1"}, {At: time.Now(), Units: 500}}
	ledger.mu.Unlock()
	until(t, func() bool { _, err := policy.StateOf(t.Context(), c, &b); return err == nil })
	stands(t, c, b, 530, 0)
}

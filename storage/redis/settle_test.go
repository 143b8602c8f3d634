package redis

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/storagetest"
)

func each(n int, f func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { f(i) })
	}
	all.Wait()
}

// A batch whose answer was lost is sent again, and takes effect once.
func TestSettle_SameBatchTwice(t *testing.T) {
	c := open(t, Options{})
	b := lessonBudget()
	b.Soft = []int{10}
	v, err := c.Take(t.Context(), lessonAsk(c, b, 1, 200))
	if err != nil || v.Grant == nil {
		t.Fatalf("%+v, %v", v, err)
	}
	it := item{what: "settle", part: c.leases.drop(v.Grant)[0], at: c.serverNow(), amounts: []int64{150}}
	one := batch{place: untagged, number: 1 << 40, items: []item{it}}
	var replies []any
	for range 3 {
		sent := c.callSettle(&one)
		if err := run(t.Context(), c.client, []*call{sent}); err != nil {
			t.Fatal(err)
		}
		replies = append(replies, sent.reply)
	}
	stands(t, c, b, 150, 0)
	for _, reply := range replies {
		lists := reply.([]any)
		if got := rows(lists[1], 4); len(got) != 1 || !slices.Equal(got[0], []int64{0, 0, 10, 150}) {
			t.Errorf("%v: an answer that was lost is to be had again", reply)
		}
	}
}

// A call that lasts for longer than its lease is kept alive by its node, and is not when the
// node is gone.
func TestLease_KeptAlive(t *testing.T) {
	url := storage.NewSecret(storagetest.Redis(t))
	c := open(t, Options{URL: url})
	b := lessonBudget()
	a := lessonAsk(c, b, 1, 100)
	a.Alive = 900 * time.Millisecond
	a.Slots = []policy.SlotAsk{{Counter: "slot:{w}key/a", Limit: 1}}
	v, err := c.Take(t.Context(), a)
	if err != nil || v.Grant == nil {
		t.Fatalf("%+v, %v", v, err)
	}
	taken := time.Now()
	until(t, func() bool { return time.Since(taken) > 3*a.Alive }) // by the server's own clock
	stands(t, c, b, 0, 100)
	if v, err := c.Take(t.Context(), a); err != nil || v.Grant != nil || v.Refused.Kind != policy.AskSlot {
		t.Errorf("%+v, %v: the slot came free", v, err)
	}
	other := open(t, Options{URL: url})
	c.leases.drop(v.Grant) // as if it had never been
	until(t, func() bool {
		s, err := policy.StateOf(t.Context(), other, &b)
		return err == nil && s == policy.BudgetState{Spent: 100}
	})
}

// A lease that Redis lost is held anew at its next sign of life.
func TestLease_Lost(t *testing.T) {
	c := open(t, Options{})
	b := lessonBudget()
	a := lessonAsk(c, b, 1, 100)
	v, err := c.Take(t.Context(), a)
	if err != nil || v.Grant == nil {
		t.Fatalf("%+v, %v", v, err)
	}
	if err := c.client.FlushDB(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	stands(t, c, b, 0, 0)
	c.keepAlive(c.now().Add(a.Alive))
	stands(t, c, b, 0, 100)
	c.Settle(v.Grant, policy.Spent{Budgets: []int64{70}})
	c.keepAlive(c.now().Add(10 * a.Alive))
	stands(t, c, b, 70, 0)
}

// What was served while Redis was away has been worked off by rates meanwhile, also where calls
// came before it was told.
func TestSettle_RatesOfAnOutage(t *testing.T) {
	c := open(t, Options{})
	f := func(name string, before, want int64, outage ...time.Duration) {
		t.Helper()
		rate := policy.RateAsk{Counter: "rate:{w}key/" + name, Interval: time.Second, Burst: 60, Cost: before}
		take := func() policy.Verdict {
			t.Helper()
			v, err := c.Take(t.Context(), &policy.Ask{Lease: "x/2", Now: c.now(), Alive: time.Minute, Rates: []policy.RateAsk{rate}})
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		if before > 0 {
			take()
		}
		for _, ago := range outage { // ten units each
			a := &policy.Ask{Lease: "x/1", Now: c.now().Add(-ago), Alive: time.Minute, Rates: []policy.RateAsk{rate}}
			c.Settle(&policy.Grant{Ask: a, Degraded: true}, policy.Spent{Rates: []int64{10}})
		}
		if err := c.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		rate.Cost = 61
		if left := take().Rates[0].Remaining; left < want || left > want+5 {
			t.Errorf("%s: %d left, want %d", name, left, want)
		}
	}
	const s = time.Second
	f("long ago", 0, 60, 3600*s, 3600*s, 3600*s)
	f("half worked off", 0, 45, 5*s, 5*s-1)
	f("just now", 0, 50, 0)
	f("long ago, and called since", 5, 55, 3600*s, 3600*s, 3600*s)
	f("in turn, and called since", 5, 55, 60*s, 50*s, 40*s, 30*s, 20*s, 10*s)
	f("half worked off, and called since", 5, 40, 5*s, 5*s-1)
	f("both, and called since", 5, 45, 3600*s, 3600*s, 0)
}

// Where Redis is away for too long for what is settled, that is counted.
func TestSettle_Overflow(t *testing.T) {
	c, err := Open(Options{URL: storage.NewSecret("redis://127.0.0.1:1")})
	if err != nil {
		t.Fatal(err)
	}
	a := lessonAsk(c, lessonBudget(), 1, 10)
	for range mostItems + 7 {
		c.Settle(&policy.Grant{Ask: a, Degraded: true}, policy.Spent{})
	}
	if got := c.Backlog(); got != (Backlog{Waiting: mostItems, Dropped: 7}) {
		t.Errorf("%+v", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Close(ctx); err == nil {
		t.Error("nothing said of what is lost")
	}
}

// A batch that Redis will never take does not hold up those behind it.
func TestSettle_WrongBatch(t *testing.T) {
	c := open(t, Options{})
	b := lessonBudget()
	if err := c.client.Set(t.Context(), keyOf(b.Counter), "not a hash", 0).Err(); err != nil {
		t.Fatal(err)
	}
	c.Settle(&policy.Grant{Ask: lessonAsk(c, b, 1, 10), Output: 10, Degraded: true}, policy.Spent{})
	until(t, func() bool { return c.Backlog().Dropped == 1 })
	b.Counter += ":other"
	c.Settle(&policy.Grant{Ask: lessonAsk(c, b, 2, 10), Output: 10, Degraded: true}, policy.Spent{})
	stands(t, c, b, 10, 0)
}

// Scripts that Redis forgot are told again.
func TestRun_ScriptsForgotten(t *testing.T) {
	c := open(t, Options{})
	b := lessonBudget()
	stands(t, c, b, 0, 0)
	if err := c.client.ScriptFlush(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	var batch []*call
	for range 5 {
		batch = append(batch, c.callGauge(c.alone(&b)))
	}
	if err := run(t.Context(), c.client, batch); err != nil {
		t.Fatal(err)
	}
	for _, one := range batch {
		if n, err := numbers(one.reply); err != nil || len(n) != 3 {
			t.Errorf("%v, %v", one.reply, one.err)
		}
	}
}

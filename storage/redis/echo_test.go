package redis

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/storagetest"
)

// A call whose answer was lost is given back and then served by a stand-in, under one lease. Where
// Redis hears of both when the ledger was read already, what was served counts.
func TestSettle_GivenBackThenCharged(t *testing.T) {
	url, ledger := storage.NewSecret(storagetest.Redis(t)), &books{}
	b := lessonBudget()
	c, later := open(t, Options{URL: url, History: ledger.history}), open(t, Options{URL: url, History: ledger.history})
	later.shift.Store(60)
	stands(t, later, b, 0, 0) // the ledger is read, a minute from now
	for n := 1; n <= 3; n++ {
		a := lessonAsk(c, b, n, 10)
		c.giveBack(c.split(a, nil), ErrDown)
		c.Settle(&policy.Grant{Ask: a, Output: 10, Degraded: true}, policy.Spent{Budgets: []int64{7}})
	}
	stands(t, c, b, 21, 0)
}

// What a Redis took in that is gone is told to the next one, also where that one's clock is behind.
func TestEcho_ClockBehind(t *testing.T) {
	ledger := &books{}
	c := open(t, Options{History: ledger.history})
	b := lessonBudget()
	c.shift.Store(30)
	v, err := c.Take(t.Context(), lessonAsk(c, b, 1, 10))
	if err != nil || v.Grant == nil {
		t.Fatalf("%+v, %v", v, err)
	}
	c.Settle(v.Grant, policy.Spent{Budgets: []int64{7}})
	stands(t, c, b, 7, 0)
	c.shift.Store(0)
	if err := c.client.FlushDB(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool {
		c.look()
		s, err := policy.StateOf(t.Context(), c, &b)
		return err == nil && s == policy.BudgetState{Spent: 7}
	})
}

// A Redis that comes back empty time after time is told no more than there is to tell.
func TestEcho_NotPiledUp(t *testing.T) {
	c := &Counters{}
	c.lanes.open(true)
	c.lanes.since(untagged, 1)
	var items []item
	for n := range 100 {
		items = append(items, item{what: "settle", at: time.Now(), part: part{place: untagged, ask: lessonAsk(c, lessonBudget(), n, 10)}})
	}
	c.lanes.told.note(untagged, items)
	c.push(item{what: "charge", part: items[0].part})
	for born := range int64(50) {
		c.tellAgain(untagged, 2+born)
		if got := c.Backlog().Waiting; got != 101 {
			t.Fatalf("%d wait, want 101", got)
		}
		if born == 20 { // what is under way stays
			c.lanes.by[untagged].sent = 1
		}
	}
	c.tellAgain(untagged, 51)
	if got := c.Backlog().Waiting; got != 101 {
		t.Errorf("%d wait, want 101", got)
	}
}

// emptied empties Redis once, when it was told which leases the ledger names.
type emptied struct {
	goredis.Hook
	empty func()
	once  atomic.Bool
}

func (e *emptied) DialHook(next goredis.DialHook) goredis.DialHook          { return next }
func (e *emptied) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook { return next }

func (e *emptied) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return func(ctx context.Context, commands []goredis.Cmder) error {
		err := next(ctx, commands)
		if commands[0].Name() == "sadd" && e.once.CompareAndSwap(false, true) {
			e.empty()
		}
		return err
	}
}

// Where Redis is emptied between the ledger's leases and its amounts, a settlement that the ledger
// has and that is still under way counts once.
func TestLesson_EmptiedMeanwhile(t *testing.T) {
	url := storage.NewSecret(storagetest.Redis(t))
	ledger := &books{}
	for n := 1; n <= 3; n++ {
		ledger.shipped = append(ledger.shipped, policy.Amount{At: time.Now(), Units: 10, Lease: "x/" + strconv.Itoa(n)})
	}
	c, other := open(t, Options{URL: url, History: ledger.history}), open(t, Options{URL: url})
	hook := &emptied{empty: func() { _ = other.client.FlushDB(context.Background()).Err() }}
	c.client.AddHook(hook)
	b := lessonBudget()
	at := c.serverNow()
	until(t, func() bool { _, err := policy.StateOf(t.Context(), c, &b); return err == nil })
	if !hook.once.Load() {
		t.Fatal("nothing was emptied")
	}
	for n := 1; n <= 4; n++ { // the fourth is not in the ledger yet
		p := c.split(lessonAsk(c, b, n, 10), nil)[0]
		c.push(item{what: "charge", part: p, at: at, amounts: []int64{10}})
	}
	stands(t, c, b, 40, 0)
}

// What is remembered stays bounded, and is what was told last, while batch after batch comes.
func TestEchoes_Bounded(t *testing.T) {
	e := echoes{by: map[string]*echo{}}
	ask := usual(1)
	batch, told := make([]item, batchItems), int64(0)
	for told < 2*echoMost {
		for i := range batch {
			told++
			batch[i] = item{what: "settle", part: part{ask: &ask}, amounts: []int64{told}}
		}
		e.note("*", batch)
		one := e.by["*"]
		if one.items >= echoMost+batchItems || told >= echoMost && one.items < echoMost {
			t.Fatalf("%d items of %d told", one.items, told)
		}
		last := one.batches[len(one.batches)-1].items
		if first := one.batches[0].items[0].amounts[0]; last[len(last)-1].amounts[0] != told || told-first != int64(one.items-1) {
			t.Fatalf("%d items from %d, of %d told", one.items, first, told)
		}
	}
}

// An operation is a batch, of a gateway that has settled more than is remembered.
func BenchmarkEchoes(b *testing.B) {
	e := echoes{by: map[string]*echo{}}
	ask := usual(1)
	batch := make([]item, batchItems)
	for i := range batch {
		batch[i] = item{what: "settle", part: part{ask: &ask}}
	}
	for range echoMost / batchItems {
		e.note("*", batch)
	}
	b.ReportAllocs()
	for b.Loop() {
		e.note("*", batch)
	}
}

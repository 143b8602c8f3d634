package redis

import (
	"context"
	"net"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/storagetest"
)

// A lock that the node asked for and never heard of is its own: it does not wait for itself.
func TestTeach_OwnLateLock(t *testing.T) {
	server := storagetest.OwnRedis(t)
	ledger := &books{shipped: []policy.Amount{{At: time.Now(), Units: 700, Lease: "y/1"}}}
	c := open(t, Options{URL: storage.NewSecret(server.URL()), History: ledger.history})
	b := lessonBudget()
	if err := c.client.Set(t.Context(), c.newLock(&b).key, c.node, time.Hour).Err(); err != nil {
		t.Fatal(err)
	}
	stands(t, c, b, 700, 0)
	until(t, func() bool { return c.client.Exists(t.Context(), c.newLock(&b).key).Val() == 0 })
}

// The lock of a reader that is alive holds others back, and is held for as long as it reads.
func TestLock(t *testing.T) {
	url := storage.NewSecret(storagetest.Redis(t))
	a, other := open(t, Options{URL: url}), open(t, Options{URL: url})
	b := lessonBudget()
	takes := func(c *Counters, want bool) {
		t.Helper()
		if got, err := c.newLock(&b).take(t.Context()); err != nil || got != want {
			t.Errorf("%v, %v", got, err)
		}
	}
	takes(a, true)
	release := a.newLock(&b).keep(t.Context())
	takes(other, false)
	if err := a.client.PExpire(t.Context(), a.newLock(&b).key, time.Hour).Err(); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { return a.client.PTTL(t.Context(), a.newLock(&b).key).Val() <= lockFor })
	takes(other, false)
	release()
	takes(other, true)
	takes(a, false)
}

// much is a ledger of so many attempts, all of them lately.
func much(n int) *books {
	ledger := &books{}
	for i := range n {
		ledger.shipped = append(ledger.shipped, policy.Amount{At: time.Now(), Units: 1, Lease: "y/" + strconv.Itoa(i)})
	}
	return ledger
}

// owe has settlements wait until the ledger is read: of attempts that it has, and of others.
func owe(t *testing.T, c *Counters, b policy.BudgetAsk, n int) {
	t.Helper()
	for i := range n {
		for _, whose := range []string{"y/", "z/"} {
			a := lessonAsk(c, b, 0, 1)
			a.Lease = whose + strconv.Itoa(i)
			c.Settle(&policy.Grant{Ask: a, Output: 1, Degraded: true}, policy.Spent{Budgets: []int64{1}})
		}
	}
	if err := c.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// What a busy ledger has is taken in in pieces, once, whoever asks for it.
func TestTeach_Much(t *testing.T) {
	const known, owed = 60_000, 1700
	url := storage.NewSecret(storagetest.OwnRedis(t).URL())
	ledger := much(known)
	ledger.down = true
	one, two := open(t, Options{URL: url, History: ledger.history}), open(t, Options{URL: url, History: ledger.history})
	b := lessonBudget()
	b.Limit, b.Window = 1<<40, policy.Window{Rolling: time.Hour}
	owe(t, one, b, owed)
	ledger.mu.Lock()
	ledger.down = false
	ledger.mu.Unlock()
	each(2, func(i int) {
		c := []*Counters{one, two}[i]
		until(t, func() bool { _, err := policy.StateOf(t.Context(), c, &b); return err == nil })
	})
	for _, c := range []*Counters{one, two} {
		stands(t, c, b, known+owed, 0)
	}
	owe(t, two, b, owed) // told once more
	stands(t, one, b, known+owed, 0)
}

// reaper kills a server and starts it anew, empty, before the n-th command of a kind.
type reaper struct {
	server *storagetest.RedisServer
	is     func(goredis.Cmder) bool
	left   atomic.Int64
}

func (e *reaper) look(cmd goredis.Cmder) {
	if e.is(cmd) && e.left.Add(-1) == 0 {
		e.server.Kill()
		e.server.Start()
	}
}

// DialHook implements goredis.Hook.
func (e *reaper) DialHook(next goredis.DialHook) goredis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

// ProcessHook implements goredis.Hook.
func (e *reaper) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook {
	return func(ctx context.Context, cmd goredis.Cmder) error {
		e.look(cmd)
		return next(ctx, cmd)
	}
}

// ProcessPipelineHook implements goredis.Hook.
func (e *reaper) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []goredis.Cmder) error {
		e.look(cmds[0])
		return next(ctx, cmds)
	}
}

// Redis is killed, and comes back empty, while it is told what the ledger has.
func TestTeach_KilledMeanwhile(t *testing.T) {
	f := func(name string, n int64, is func(goredis.Cmder) bool) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			const known, owed = 5000, 1300
			server := storagetest.OwnRedis(t)
			ledger := much(known)
			ledger.down = true
			c := open(t, Options{URL: storage.NewSecret(server.URL()), History: ledger.history})
			b := lessonBudget()
			b.Limit = 1 << 40
			owe(t, c, b, owed)
			hook := &reaper{server: server, is: is}
			hook.left.Store(n)
			c.client.AddHook(hook)
			ledger.mu.Lock()
			ledger.down = false
			ledger.mu.Unlock()
			want := policy.BudgetState{Spent: known + owed}
			until(t, func() bool {
				got, err := policy.StateOf(t.Context(), c, &b)
				return err == nil && got == want && c.Backlog().Waiting == 0
			})
			stands(t, c, b, known+owed, 0)
			if hook.left.Load() > 0 {
				t.Error("it was not killed")
			}
		})
	}
	f("leases", 3, func(cmd goredis.Cmder) bool { return cmd.Name() == "sadd" })
	f("amounts", 1, func(cmd goredis.Cmder) bool { return len(cmd.Args()) > 1 && cmd.Args()[1] == &scriptLoad.hash })
	f("pieces", 3, func(cmd goredis.Cmder) bool { return len(cmd.Args()) > 1 && cmd.Args()[1] == &scriptLoad.hash })
}

// A settlement that waited for longer than the ledger names its leases for is not counted twice:
// the ledger is asked for more names.
func TestTeach_LongOutage(t *testing.T) {
	ledger := &books{down: true}
	c := open(t, Options{History: ledger.history})
	b := lessonBudget()
	began := time.Now().Add(-time.Hour)
	for n := 1; n <= 2; n++ {
		a := lessonAsk(c, b, n, 10)
		a.Now = began
		c.Settle(&policy.Grant{Ask: a, Output: 10, Degraded: true}, policy.Spent{Budgets: []int64{10}})
	}
	if err := c.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	ledger.mu.Lock()
	ledger.down = false
	ledger.shipped = []policy.Amount{{At: began, Units: 10, Lease: "x/1"}, {At: began, Units: 500, Lease: "y/1"}}
	ledger.mu.Unlock()
	until(t, func() bool { _, err := policy.StateOf(t.Context(), c, &b); return err == nil })
	stands(t, c, b, 520, 0)
}

package redis

import (
	"context"
	"errors"
	"net"
	"strconv"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/storagetest"
)

// clusterURL starts a cluster of one node, which refuses scripts whose keys lie apart as any
// cluster does.
func clusterURL(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	bus := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	server := storagetest.OwnRedis(t, "--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(bus))
	options, err := goredis.ParseURL(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	client := goredis.NewClient(options)
	defer func() { _ = client.Close() }()
	if err := client.ClusterAddSlotsRange(t.Context(), 0, 16383).Err(); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { return client.Set(t.Context(), "ready", 1, time.Second).Err() == nil })
	return server.URL() + "?cluster=true"
}

func TestCluster(t *testing.T) {
	url := clusterURL(t)
	storagetest.Counters(t, func(t *testing.T) (policy.Counters, storagetest.Clock) {
		c := open(t, Options{URL: storage.NewSecret(url)})
		if err := c.client.FlushAll(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		return c, serverClock{c}
	})
}

// What a workspace's counters granted is given back where those of all refuse, and cut down to
// what those of all grant.
func TestCluster_TwoPlaces(t *testing.T) {
	c := open(t, Options{URL: storage.NewSecret(clusterURL(t))})
	own := policy.BudgetAsk{Counter: "budget:{w}key/a:usd:total", Limit: 1000, PerMillion: 1_000_000}
	all := policy.BudgetAsk{Counter: "budget:{*}all:usd:total", Limit: 300, PerMillion: 1_000_000}
	n := 0
	take := func(output, least int64) policy.Verdict {
		t.Helper()
		n++
		v, err := c.Take(t.Context(), &policy.Ask{
			Lease: "x/" + strconv.Itoa(n), Now: c.now(), Alive: time.Minute, Output: output, Least: least,
			Rates: []policy.RateAsk{
				{Counter: "rate:{*}all", Interval: time.Hour, Burst: 10, Cost: 1},
				{Counter: "rate:{w}key/a", Interval: time.Hour, Burst: 10, Cost: 1},
			},
			Slots:   []policy.SlotAsk{{Counter: "slot:{w}key/a", Limit: 10}},
			Budgets: []policy.BudgetAsk{all, own},
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		return v
	}
	stands := func(b policy.BudgetAsk, want policy.BudgetState) {
		t.Helper()
		if got, err := policy.StateOf(t.Context(), c, &b); err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", b.Counter, got, err, want)
		}
	}
	for range 3 {
		if v := take(400, 400); v.Grant != nil || v.Refused.Kind != policy.AskBudget || v.Refused.Index != 0 {
			t.Fatalf("%+v", v)
		}
	}
	stands(own, policy.BudgetState{})
	v := take(400, 100)
	if v.Grant == nil || v.Grant.Output != 300 {
		t.Fatalf("%+v", v)
	}
	if v.Rates[0].Remaining != 9 || v.Rates[1].Remaining != 9 {
		t.Errorf("%+v: what was refused was charged", v.Rates)
	}
	stands(own, policy.BudgetState{Reserved: 300})
	stands(all, policy.BudgetState{Reserved: 300})
	if ok, err := c.Extend(t.Context(), v.Grant, 1); ok || err != nil {
		t.Errorf("extended: %v, %v", ok, err)
	}
	if err := c.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	stands(own, policy.BudgetState{Reserved: 300})
	c.Settle(v.Grant, policy.Spent{Rates: []int64{5, 1}, Budgets: []int64{120, 110}})
	if err := c.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	stands(own, policy.BudgetState{Spent: 110})
	stands(all, policy.BudgetState{Spent: 120})
	if v = take(10, 10); v.Grant == nil || v.Rates[0].Remaining != 4 || v.Rates[1].Remaining != 8 {
		t.Errorf("%+v, want 4 and 8 left", v)
	}
}

// numbered is a call's names of leases.
type numbered struct{ n int }

func (l *numbered) Next() string { l.n++; return "x/" + strconv.Itoa(l.n) }

// A call that is asked again where the second place refused it has another lease: what the first
// place gives back late takes nothing from what was granted since.
func TestCluster_AskedAgain(t *testing.T) {
	c := open(t, Options{URL: storage.NewSecret(clusterURL(t))})
	q := policy.NewQueue(c, 10*time.Millisecond)
	own := policy.BudgetAsk{Counter: "budget:{w}key/a:usd:total", Limit: 1000, PerMillion: 1_000_000}
	all := policy.BudgetAsk{Counter: "budget:{*}all:usd:total", Limit: 300, PerMillion: 1_000_000}
	names := &numbered{}
	ask := func(budgets ...policy.BudgetAsk) *policy.Ask {
		return &policy.Ask{Lease: names.Next(), Now: c.now(), Alive: time.Minute, Output: 300, Least: 300, Budgets: budgets}
	}
	first, err := c.Take(t.Context(), ask(all))
	if err != nil || first.Grant == nil {
		t.Fatalf("%+v, %v", first, err)
	}
	done := make(chan policy.Verdict, 1)
	a := ask(own, all)
	before := a.Lease
	go func() {
		v, err := q.Wait(t.Context(), a, policy.Patience{Key: "a", Held: time.Minute, Leases: names})
		if err != nil {
			t.Error(err)
		}
		done <- v
	}()
	until(t, func() bool { return q.Waiting() == 1 })
	c.Settle(first.Grant, policy.Spent{Budgets: []int64{0}})
	v := <-done
	if v.Grant == nil || v.Grant.Ask.Lease == before {
		t.Fatalf("%+v of %s, which was %s", v, a.Lease, before)
	}
	stands(t, c, own, 0, 300)
	stands(t, c, all, 0, 300)
}

func TestOpen_URL(t *testing.T) {
	f := func(url, want string) {
		t.Helper()
		_, err := Open(Options{URL: storage.NewSecret(url)})
		if err == nil || err.Error() != want {
			t.Errorf("%v, want %q", err, want)
		}
	}
	const part = "storage.redis: the URL has a wrong part: want redis://user:password@host:port/database"
	f("http://:hush@127.0.0.1", "storage.redis: the URL does not begin with redis:// or rediss://")
	f("redis://:hush@127.0.0.1:x/0", "storage.redis: not a URL")
	f("redis://:hush@127.0.0.1:6379/none", part)
	f("redis://:hush@127.0.0.1:6379/0?hush=hush", part)
	f("redis://:hush@127.0.0.1:6379?cluster=true&hush=hush", part)
}

func TestOpen_NobodyThere(t *testing.T) {
	c, err := Open(Options{URL: storage.NewSecret("redis://127.0.0.1:1"), Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	r := &traffic{t: t, limit: 1000}
	if _, err := c.Take(t.Context(), r.ask()); !errors.Is(err, ErrDown) {
		t.Errorf("Take() = %v", err)
	}
	if v, err := c.Take(t.Context(), &policy.Ask{}); err != nil || v.Grant == nil {
		t.Errorf("a call without limits: %+v, %v", v, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := c.Close(ctx); err != nil { // there is nothing that could be left
		t.Error(err)
	}
}

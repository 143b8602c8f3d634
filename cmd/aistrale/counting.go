package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/aistrale/aistrale/admin"
	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/proxy"
	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/redis"
)

// recheckEvery is how often calls that wait for a limit look for what other nodes gave back.
const recheckEvery = 100 * time.Millisecond

// counting owns the counters of limits and budgets: this process's, or those in Redis with this
// process's standing in for them.
type counting struct {
	counters policy.Counters
	means    *policy.Means
	shared   *redis.Counters // nil: nothing is shared
	fallback *policy.FallbackCounters
	recheck  time.Duration
}

func openCounting(config *Config, accounts *accounting, post func(admin.Event), log *slog.Logger) (*counting, error) {
	c := &counting{means: policy.NewMeans()}
	crossed := func(t policy.Threshold) {
		tellThreshold(log, t)
		post(budgetEvent(t, time.Now()))
	}
	if config.Storage.Redis.Empty() {
		c.counters = policy.NewMeter(policy.MeterOptions{Threshold: crossed, History: accounts.budgetHistory})
		return c, nil
	}
	shared, err := redis.Open(redis.Options{URL: config.Storage.Redis, History: accounts.namedHistory, Threshold: crossed, Log: log})
	if err != nil {
		return nil, err
	}
	mode := policy.Outage(config.Storage.RedisMode)
	c.shared, c.recheck = shared, recheckEvery
	c.fallback = policy.NewFallbackCounters(policy.FallbackOptions{Shared: shared, Rates: mode, Budgets: mode, History: accounts.budgetHistory})
	c.counters = c.fallback
	return c, nil
}

// tellThreshold logs that a budget has come to a share that its soft list names.
func tellThreshold(log *slog.Logger, t policy.Threshold) {
	log.Warn("a budget has come to a share of it", "budget", t.Counter, "percent", t.Share, "spent", t.Spent, "limit", t.Limit)
}

// inheritTimeout bounds how long shipping waits for the shared counters.
const inheritTimeout = time.Second

// inherit settles what dead gateways had reserved in counters that are shared, and returns when
// those have it.
func (c *counting) inherit(limits *policy.Limits, entries []storage.Entry) error {
	if c.shared == nil || limits == nil {
		return nil
	}
	if !c.shared.Up() {
		return redis.ErrDown
	}
	for _, l := range limits.Legacies(entries) {
		c.shared.Inherit(l.Ask, l.Spent)
	}
	ctx, cancel := context.WithTimeout(context.Background(), inheritTimeout)
	defer cancel()
	return c.shared.Flush(ctx)
}

// unsettled tells what the shared counters still wait for, and what they were never told.
func (c *counting) unsettled() (waiting, dropped int64) {
	if c == nil || c.shared == nil {
		return 0, 0
	}
	b := c.shared.Backlog()
	return int64(b.Waiting), int64(b.Dropped)
}

// close hands what is not settled yet to the counters that are shared.
func (c *counting) close() error {
	if c == nil || c.shared == nil {
		return nil
	}
	c.fallback.Close()
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	return c.shared.Close(ctx)
}

const (
	prepareEvery = 30 * time.Second
	mostPrepared = 1000 // counters, of as many keys as come first
)

// prepare keeps in mind how budgets stand, for when the counters that are shared cannot be
// reached, until ctx ends.
func (c *counting) prepare(ctx context.Context, snapshot func() *proxy.Snapshot) {
	if c.shared == nil {
		return
	}
	again := time.NewTicker(prepareEvery)
	defer again.Stop()
	for {
		c.fallback.Prepare(ctx, openBudgets(snapshot(), time.Now()))
		select {
		case <-again.C:
		case <-ctx.Done():
			return
		}
	}
}

// openBudgets gives each budget that a key's calls would be counted in now, once.
func openBudgets(state *proxy.Snapshot, now time.Time) []policy.BudgetAsk {
	var out []policy.BudgetAsk
	seen := map[string]bool{}
	for _, key := range state.Keys.All() {
		for _, ask := range state.Limits.For(key).Budgets(now) {
			if len(out) == mostPrepared {
				return out
			}
			if !seen[ask.Counter] {
				seen[ask.Counter] = true
				out = append(out, ask)
			}
		}
	}
	return out
}

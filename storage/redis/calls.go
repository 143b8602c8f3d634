package redis

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	goredis "github.com/redis/go-redis/v9"
)

const (
	trips     = 4  // under way at once
	passenger = 32 // calls in one of them
)

// call is one script to be run for a caller who waits.
type call struct {
	script *goredis.Script
	keys   []string
	args   *pack

	reply any
	err   error
	lead  bool          // it is the caller's turn to send
	done  chan struct{} // of capacity 1: answered, or lead
}

// calls share round trips: who comes while all trips are under way waits for the next one, which
// the first to wait then sends for all. So a crowd needs few connections and few system calls,
// a single call goes at once, and waiting for a turn is not held against Redis.
type calls struct {
	send func(batch []*call)

	mu      sync.Mutex
	away    int // trips under way
	waiting []*call
}

// do runs a script. Its error is the context's, or says that it may or may not have run.
func (q *calls) do(ctx context.Context, c *call) error {
	c.done = make(chan struct{}, 1)
	q.mu.Lock()
	if q.away < trips {
		q.away++
		q.mu.Unlock()
		q.lead(c)
		return c.err
	}
	q.waiting = append(q.waiting, c)
	q.mu.Unlock()
	select {
	case <-c.done:
		if c.lead {
			q.lead(c)
		}
		return c.err
	case <-ctx.Done():
		return q.leave(ctx, c)
	}
}

// lead sends one trip, with own and others who wait, and gives the turn on. Those whose turn has
// come send for themselves.
func (q *calls) lead(own *call) {
	batch := append(make([]*call, 0, passenger), own)
	q.mu.Lock()
	q.waiting = slices.DeleteFunc(q.waiting, func(c *call) bool {
		if c == own {
			return true
		}
		if c.lead || len(batch) == passenger {
			return false
		}
		batch = append(batch, c)
		return true
	})
	q.mu.Unlock()
	q.send(batch)
	for _, c := range batch[1:] {
		c.done <- struct{}{}
	}
	q.mu.Lock()
	q.handOver()
	q.mu.Unlock()
}

// handOver gives the turn to the first who waits and has none yet.
func (q *calls) handOver() {
	for _, c := range q.waiting {
		if !c.lead {
			c.lead = true
			c.done <- struct{}{}
			return
		}
	}
	q.away--
}

// leave is for a caller whose client has left while it waited.
func (q *calls) leave(ctx context.Context, c *call) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if i := slices.Index(q.waiting, c); i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
		if c.lead {
			q.handOver()
		}
	}
	return fmt.Errorf("storage.redis: %w", context.Cause(ctx))
}

// send does one trip.
func (c *Counters) send(batch []*call) {
	err := c.guarded(context.Background(), func(ctx context.Context) error {
		return run(ctx, c.client, batch)
	})
	for _, one := range batch {
		switch {
		case one.err != nil:
			one.err = fmt.Errorf("%w: %w", ErrDown, one.err)
		case one.reply == nil:
			one.err = cmp.Or(err, errNotSent)
		}
	}
}

// run runs scripts in one round trip, or in two where Redis has to be told the scripts first. It
// gives the first error; each call has its own.
func run(ctx context.Context, client goredis.UniversalClient, batch []*call) error {
	err := trip(ctx, client, batch, (*goredis.Script).EvalSha)
	if !untold(err) {
		return err
	}
	again := slices.DeleteFunc(slices.Clone(batch), func(c *call) bool { return !untold(c.err) })
	return trip(ctx, client, again, (*goredis.Script).Eval)
}

func untold(err error) bool { return err != nil && strings.HasPrefix(err.Error(), "NOSCRIPT") }

type runner func(s *goredis.Script, ctx context.Context, on goredis.Scripter, keys []string, args ...any) *goredis.Cmd

func trip(ctx context.Context, client goredis.UniversalClient, batch []*call, how runner) error {
	if len(batch) == 1 {
		c := batch[0]
		c.reply, c.err = how(c.script, ctx, client, c.keys, c.args.bytes()).Result()
		return c.err
	}
	p := client.Pipeline()
	for _, c := range batch {
		how(c.script, ctx, p, c.keys, c.args.bytes())
	}
	commands, err := p.Exec(ctx)
	for i, cmd := range commands {
		batch[i].reply, batch[i].err = cmd.(*goredis.Cmd).Result()
	}
	return err
}

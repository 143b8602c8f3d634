package redis

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

const (
	trips     = 4  // under way at once
	passenger = 32 // calls in one of them
	// apart is how long after another a trip leaves in a crowd while that one is under way: where
	// Redis is near, one after another is soon enough, and each then carries more.
	apart = 500 * time.Microsecond
	// crowd is how many calls in a trip are one, so that it is worth waiting for others.
	crowd = 3
)

// call is one script to be run for a caller who waits.
type call struct {
	script *script
	keys   []string
	args   pack

	answered bool
	reply    any
	numbers  []int64 // in place of a reply, of a script that many calls share
	room     [24]int64
	err      error
	lead     bool          // it is the caller's turn to send
	done     chan struct{} // of capacity 1: answered, or lead
}

// calls share round trips: in a crowd, who comes while trips are under way waits for the next one
// to leave, which one of those who wait then sends for all. So a crowd needs few connections and
// few system calls, a few calls go at once, and waiting for a turn is not held against Redis.
type calls struct {
	send  func(batch []*call)
	apart time.Duration // 0: trips leave as soon as there is a call

	mu      sync.Mutex
	away    int       // trips under way
	left    time.Time // when the last one left
	crowded bool
	waiting []*call
}

// may reports whether another trip leaves now, beside those under way.
func (q *calls) may(now time.Time) bool {
	return q.away == 0 || q.away < trips && (!q.crowded || now.Sub(q.left) >= q.apart || len(q.waiting) >= passenger)
}

// do runs a script. Its error is the context's, or says that it may or may not have run.
func (q *calls) do(ctx context.Context, c *call) error {
	if c.done == nil {
		c.done = make(chan struct{}, 1)
	}
	now := time.Now()
	q.mu.Lock()
	if q.may(now) {
		q.away++
		q.left = now
		q.mu.Unlock()
		q.lead(c)
		return c.err
	}
	q.crowded = q.crowded || q.away == trips
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
	q.crowded = q.away > 1 && q.crowded || len(batch) >= crowd
	q.mu.Unlock()
	q.send(batch)
	for _, c := range batch[1:] {
		c.done <- struct{}{}
	}
	now := time.Now()
	q.mu.Lock()
	q.away--
	q.handOver(now)
	q.mu.Unlock()
}

// handOver gives the turn to the first who waits and has none yet, where a trip may leave. The
// last trip that comes back always does so.
func (q *calls) handOver(now time.Time) {
	if !q.may(now) {
		return
	}
	for _, c := range q.waiting {
		if !c.lead {
			q.away++
			q.left = now
			c.lead = true
			c.done <- struct{}{}
			return
		}
	}
}

// leave is for a caller whose client has left while it waited.
func (q *calls) leave(ctx context.Context, c *call) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if i := slices.Index(q.waiting, c); i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
		if c.lead {
			q.away--
			q.handOver(time.Now())
		}
	}
	return fmt.Errorf("storage.redis: %w", context.Cause(ctx))
}

// do runs a script for a caller who waits, unless Redis did not answer when it was last asked:
// then nobody waits, not even for those who still do.
func (c *Counters) do(ctx context.Context, one *call) error {
	if !c.Up() {
		return errNotSent
	}
	return c.calls.do(ctx, one)
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
		case !one.answered:
			one.err = cmp.Or(err, errNotSent)
		}
	}
}

// run runs scripts in one round trip, or in two where Redis has to be told the scripts first. It
// gives the first error; each call has its own.
func run(ctx context.Context, client goredis.UniversalClient, batch []*call) error {
	err := trip(ctx, client, batch, byHash)
	if !untold(err) {
		return err
	}
	again := slices.DeleteFunc(slices.Clone(batch), func(c *call) bool { return !untold(c.err) })
	return trip(ctx, client, again, byText)
}

func untold(err error) bool { return err != nil && strings.HasPrefix(err.Error(), "NOSCRIPT") }

func trip(ctx context.Context, client goredis.UniversalClient, batch []*call, name naming) error {
	all := groups(batch)
	if len(all) == 1 {
		cmd := command(ctx, all[0], name)
		err := client.Process(ctx, cmd)
		return cmp.Or(answer(all[0], cmd), err)
	}
	p := client.Pipeline()
	sent := make([]*goredis.Cmd, len(all))
	for i, group := range all {
		sent[i] = command(ctx, group, name)
		_ = p.Process(ctx, sent[i]) // only queues it
	}
	_, err := p.Exec(ctx)
	var first error
	for i, group := range all {
		first = cmp.Or(first, answer(group, sent[i]))
	}
	return cmp.Or(first, err)
}

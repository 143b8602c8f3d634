package redis

import (
	"context"
	"time"

	"github.com/sony/gobreaker/v2"
)

const (
	settleEvery   = 50 * time.Millisecond
	settleTimeout = 250 * time.Millisecond
	aliveEvery    = 250 * time.Millisecond
	beatEvery     = time.Second
	beatFor       = 5 * time.Second
)

// keep is the counters' own goroutine: it tells Redis what was settled and which leases are
// alive, that this node is, and finds out when Redis answers again.
func (c *Counters) keep(ctx context.Context) {
	next := time.NewTimer(0)
	defer next.Stop()
	var beat, alive, forget time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
		case <-c.due:
		case <-c.tripped:
		}
		next.Reset(settleEvery)
		now := c.now()
		if c.breaker.State() != gobreaker.StateClosed || now.Sub(beat) >= beatEvery {
			if c.breaker.State() == gobreaker.StateOpen {
				next.Reset(probeAfter)
				continue
			}
			c.beat(ctx)
			beat = now
		}
		if now.Sub(alive) >= aliveEvery {
			c.keepAlive(now)
			alive = now
		}
		if now.Sub(forget) >= time.Hour {
			c.leases.forget(now)
			forget = now
		}
		const turns = 16 // then the node has to be seen alive
		for range turns {
			if !c.Up() || !c.tell(ctx) {
				break
			}
		}
	}
}

// beat says that this node is alive, counts the nodes that are, and closes the breaker.
func (c *Counters) beat(ctx context.Context) {
	args := newPack(40)
	args.add(c.shift.Load())
	args.word(c.node)
	args.add(beatFor.Milliseconds())
	one := &call{script: scriptBeat, keys: []string{keyNodes}, args: args}
	before := c.now()
	err := c.probe(ctx, c.options.Timeout, func(ctx context.Context) error {
		return run(ctx, c.client, []*call{one})
	})
	if err != nil {
		return
	}
	if n, err := numbers(one.reply); err == nil && len(n) == 3 {
		after := c.now()
		c.nodes.count(int(n[0]), after)
		c.ahead.Store(int64(time.Unix(n[1], n[2]).Sub(before.Add(after.Sub(before) / 2))))
	}
	c.look()
}

package redis

import (
	"context"
	"sync"
	"time"

	"github.com/aistrale/aistrale/policy"
)

const (
	// lockFor is how long others wait for a reader that died.
	lockFor   = 2 * time.Second
	lockEvery = lockFor / 4
)

// lock is that of whoever reads a budget from the ledger. It bears the node's name: what the node
// asked for and never heard of is its own when it asks again. It only saves readings; two readers
// at once do no harm.
type lock struct {
	counters *Counters
	key      string
}

func (c *Counters) newLock(b *policy.BudgetAsk) lock { return lock{c, keyOf(b.Counter) + ":reader"} }

func (l lock) call(lasts time.Duration) *call {
	args := newPack(60)
	args.add(l.counters.shift.Load())
	args.word(l.counters.node)
	args.add(lasts.Milliseconds())
	return &call{script: scriptLock, keys: []string{l.key}, args: args}
}

// take takes the lock, or keeps it, and says whether the node has it.
func (l lock) take(ctx context.Context) (mine bool, err error) {
	one := l.call(lockFor)
	if err := l.counters.insist(ctx, one); err != nil {
		return false, err
	}
	said, _ := one.reply.(int64)
	return said == 1, nil
}

// keep holds the lock until release is called, which gives it back; where Redis does not hear of
// that, it runs out.
func (l lock) keep(ctx context.Context) (release func()) {
	var work sync.WaitGroup
	holding, stop := context.WithCancel(ctx)
	work.Go(func() {
		again := time.NewTicker(lockEvery)
		defer again.Stop()
		for {
			select {
			case <-again.C:
				_, _ = l.take(holding)
			case <-holding.Done():
				return
			}
		}
	})
	return func() {
		stop()
		work.Wait()
		_ = l.counters.aside(context.WithoutCancel(ctx), func(ctx context.Context) error {
			return run(ctx, l.counters.client, []*call{l.call(0)})
		})
	}
}

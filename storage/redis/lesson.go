package redis

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/aistrale/aistrale/policy"
)

const (
	lessonFor   = 10 * time.Second       // how long one reading may take
	lessonAgain = 500 * time.Millisecond // after one that failed
	lessonsMost = 4                      // at once, so that the ledger is not overrun
)

// lessons are the budgets that are being read from the ledger.
type lessons struct {
	mu    sync.Mutex
	life  context.Context //nolint:containedctx // that of the counters: readings end with them
	by    map[string]*lesson
	turns chan struct{}
}

type lesson struct {
	done  chan struct{}
	err   error     // once done
	again time.Time // when one that failed may be tried again
}

func (l *lessons) open(life context.Context) {
	l.life, l.by, l.turns = life, map[string]*lesson{}, make(chan struct{}, lessonsMost)
}

// learn reads a budget from the ledger, or waits for whoever does so already, until a time.
func (c *Counters) learn(ctx context.Context, b *policy.BudgetAsk, until time.Time) error {
	l := c.lessons.start(c, *b)
	enough := time.NewTimer(time.Until(until))
	defer enough.Stop()
	select {
	case <-l.done:
		if l.err != nil {
			return fmt.Errorf("%w: %w", ErrUnknown, l.err)
		}
		return nil
	case <-enough.C:
		return ErrUnknown
	case <-ctx.Done():
		return fmt.Errorf("storage.redis: %w", context.Cause(ctx))
	}
}

// start has a budget read, unless it is or was lately.
func (l *lessons) start(c *Counters, b policy.BudgetAsk) *lesson {
	l.mu.Lock()
	defer l.mu.Unlock()
	known := l.by[b.Counter]
	if known != nil && (known.again.IsZero() || time.Now().Before(known.again)) {
		return known
	}
	one := &lesson{done: make(chan struct{})}
	if l.life.Err() != nil {
		one.err = context.Cause(l.life)
		close(one.done)
		return one
	}
	l.by[b.Counter] = one
	c.work.Go(func() {
		err := c.read(l.life, &b)
		if err != nil && l.life.Err() == nil {
			c.options.Log.Warn("storage.redis: what was spent of a budget cannot be read", "budget", b.Counter, "error", err)
		}
		l.end(b.Counter, one, err)
	})
	return one
}

func (l *lessons) end(counter string, one *lesson, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if one.err = err; err == nil {
		delete(l.by, counter)
	} else {
		one.again = time.Now().Add(lessonAgain)
	}
	close(one.done)
}

// stop lets no reading begin any more.
func (l *lessons) stop(cancel context.CancelFunc) {
	l.mu.Lock()
	defer l.mu.Unlock()
	cancel()
}

// read tells Redis what the ledger has for a budget. One node does so, the others wait for it.
func (c *Counters) read(ctx context.Context, b *policy.BudgetAsk) error {
	ctx, cancel := context.WithTimeout(ctx, lessonFor)
	defer cancel()
	select {
	case c.lessons.turns <- struct{}{}:
		defer func() { <-c.lessons.turns }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	l := c.newLock(b)
	again := time.NewTicker(probeAfter)
	defer again.Stop()
	for {
		if known, err := c.known(ctx, b); known || err != nil {
			return err
		}
		mine, err := l.take(ctx)
		if err != nil {
			return err
		}
		if mine {
			return c.teachOnce(ctx, b, l)
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// teachOnce reads the ledger under the node's lock, unless another node did so between this one's
// look and its turn.
func (c *Counters) teachOnce(ctx context.Context, b *policy.BudgetAsk, l lock) error {
	release := l.keep(ctx)
	defer release()
	if known, err := c.known(ctx, b); known || err != nil {
		return err
	}
	return c.teach(ctx, b)
}

// known asks whether Redis knows what was spent.
func (c *Counters) known(ctx context.Context, b *policy.BudgetAsk) (bool, error) {
	one := c.callGauge(c.alone(b))
	if err := c.insist(ctx, one); err != nil {
		return false, err
	}
	reply, err := numbers(one.reply)
	return err == nil && reply[0] == 1, err
}

// aside does a round trip that no call waits for.
func (c *Counters) aside(ctx context.Context, trip func(context.Context) error) error {
	if !c.Up() {
		return errNotSent
	}
	return c.probe(ctx, settleTimeout, trip)
}

// insist runs a script that may run twice, until Redis answers or the context ends: one answer
// that comes late is no reason to read a ledger again.
func (c *Counters) insist(ctx context.Context, one *call) error {
	return insist(ctx, func() error {
		return c.aside(ctx, func(ctx context.Context) error { return run(ctx, c.client, []*call{one}) })
	})
}

func insist(ctx context.Context, do func() error) error {
	again := time.NewTicker(probeAfter)
	defer again.Stop()
	for {
		err := do()
		if err == nil || wrong(err) {
			return err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
	}
}

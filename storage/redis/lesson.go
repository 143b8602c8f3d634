package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aistrale/aistrale/policy"
)

const (
	lessonFor   = 10 * time.Second       // how long one reading may take
	lessonAgain = 500 * time.Millisecond // after one that failed
	lessonsMost = 4                      // at once, so that the ledger is not overrun
	gatherMost  = 1000                   // leases in one command
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
	lock := keyOf(b.Counter) + ":reader"
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		if known, err := c.known(ctx, b); known || err != nil {
			return err
		}
		var mine bool
		err := c.aside(ctx, func(ctx context.Context) (err error) {
			mine, err = c.client.SetNX(ctx, lock, c.node, lessonFor).Result()
			return err
		})
		if err != nil {
			return err
		}
		if mine {
			err := c.teach(ctx, b)
			return errors.Join(err, c.aside(ctx, func(ctx context.Context) error { return c.client.Del(ctx, lock).Err() }))
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// aside does a round trip that no call waits for.
func (c *Counters) aside(ctx context.Context, trip func(context.Context) error) error {
	if !c.Up() {
		return errNotSent
	}
	return c.probe(ctx, settleTimeout, trip)
}

// known asks whether Redis knows what was spent.
func (c *Counters) known(ctx context.Context, b *policy.BudgetAsk) (bool, error) {
	one := c.callState(b)
	if err := c.aside(ctx, func(ctx context.Context) error { return run(ctx, c.client, []*call{one}) }); err != nil {
		return false, err
	}
	reply, err := numbers(one.reply)
	return err == nil && reply[0] == 1, err
}

// teach reads the ledger and tells Redis. A settlement may be on its way to Redis that the
// ledger has already: the leases that the ledger names are told first.
func (c *Counters) teach(ctx context.Context, b *policy.BudgetAsk) error {
	since := b.Window.Start
	if b.Window.Rolling > 0 {
		since = c.now().Add(-b.Window.Rolling)
	}
	amounts, err := c.options.History(ctx, b, since)
	if err != nil {
		return err
	}
	names := map[string]bool{}
	for _, a := range amounts {
		if a.Lease != "" {
			names[a.Lease] = true
		}
	}
	named := make([]any, 0, len(names))
	for name := range names {
		named = append(named, name)
	}
	gathered := c.keyGathered(b)
	for some := range slices.Chunk(named, gatherMost) {
		err := c.aside(ctx, func(ctx context.Context) error {
			p := c.client.Pipeline()
			p.SAdd(ctx, gathered, some...)
			p.Expire(ctx, gathered, time.Minute)
			_, err := p.Exec(ctx)
			return err
		})
		if err != nil {
			return err
		}
	}
	one := c.callLoad(b, sums(amounts, b.Window.Rolling), len(named))
	if err := c.aside(ctx, func(ctx context.Context) error { return run(ctx, c.client, []*call{one}) }); err != nil {
		return err
	}
	if took, _ := one.reply.(int64); took == loadGone {
		return errGathered
	}
	return nil
}

// loadGone is what load.lua answers where it was not told all the leases that the ledger named.
const loadGone = 2

var errGathered = errors.New("storage.redis: it was emptied while the ledger was read")

func (c *Counters) keyGathered(b *policy.BudgetAsk) string {
	return keyOf(b.Counter) + ":gathered:" + c.node
}

// sums adds up what falls into one slice of a rolling window, or all where there are none.
func sums(amounts []policy.Amount, rolling time.Duration) []policy.Amount {
	slice := max(rolling/1000, time.Millisecond)
	var out []policy.Amount
	for _, a := range amounts {
		a.Units = max(0, a.Units)
		last := len(out) - 1
		if last >= 0 && (rolling == 0 || a.At.Sub(out[last].At).Abs() < slice) {
			out[last].Units += a.Units
			continue
		}
		out = append(out, policy.Amount{At: a.At, Units: a.Units})
	}
	return out
}

func (c *Counters) callLoad(b *policy.BudgetAsk, amounts []policy.Amount, named int) *call {
	key := keyOf(b.Counter)
	args := newPack(60 + 20*len(amounts))
	args.add(c.shift.Load(), c.learns(), b.Window.Rolling.Milliseconds(), millis(b.Window.End), int64(len(amounts)))
	args.add(int64(len(b.Soft)), int64(named))
	for _, a := range amounts {
		args.add(a.At.UnixMilli(), min(a.Units, exact))
	}
	for _, percent := range b.Soft {
		args.add(int64(percent), min(b.Share(percent), exact))
	}
	return &call{
		script: scriptLoad, args: args,
		keys: []string{keyBorn(c.place(b.Counter)), key, keyLeases(key), keyKnown(key), c.keyGathered(b)},
	}
}

// Load implements policy.Counters. Of a rolling window, spent counts as of now.
func (c *Counters) Load(ctx context.Context, b *policy.BudgetAsk, spent int64) error {
	return c.calls.do(ctx, c.callLoad(b, []policy.Amount{{At: c.now(), Units: max(0, spent)}}, 0))
}

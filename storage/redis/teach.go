package redis

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aistrale/aistrale/policy"
)

const (
	// namedFor is how far back the ledger is asked for the leases of what it has, at the least.
	namedFor = 2 * time.Minute
	// gatherMost bounds the leases in one command, so that Redis is not kept from others for long.
	gatherMost = 1000
)

// What load.lua answers.
const (
	loadKnown = 0
	loadDone  = 1
	loadGone  = 2 // it was not told all the leases that the ledger named
	loadMore  = 3
	loadOlder = 4 // the ledger must name leases from further back
)

// teach reads the ledger and tells Redis, as often as Redis loses what it was told meanwhile, or
// has settlements of attempts that began before what the ledger named.
func (c *Counters) teach(ctx context.Context, b *policy.BudgetAsk) error {
	named := c.now().Add(-namedFor)
	for {
		said, began, err := c.teachFrom(ctx, b, named)
		if err != nil {
			return err
		}
		switch said {
		case loadKnown, loadDone:
			return nil
		case loadGone:
		case loadOlder:
			named = time.UnixMilli(began).Add(-namedFor)
		default:
			return fmt.Errorf("%w as they should: an answer of %d", ErrDown, said)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

// teachFrom reads the ledger with the leases of what began since a time. A settlement may be on
// its way to Redis that the ledger has already: the leases that the ledger names are told first.
// Each command is short, and may be sent again.
func (c *Counters) teachFrom(ctx context.Context, b *policy.BudgetAsk, named time.Time) (said, began int64, err error) {
	since := b.Window.Start
	if b.Window.Rolling > 0 {
		since = c.now().Add(-b.Window.Rolling)
	}
	amounts, err := c.options.History(ctx, b, since, named)
	if err != nil {
		return 0, 0, err
	}
	leases, err := c.gather(ctx, b, amounts)
	if err != nil {
		return 0, 0, err
	}
	one := c.callLoad(b, sums(amounts, b.Window.Rolling), loading{named, leases})
	for {
		if err := c.insist(ctx, one); err != nil {
			return 0, 0, err
		}
		reply, err := numbers(one.reply)
		if err != nil {
			return 0, 0, err
		}
		if reply[0] != loadMore {
			return reply[0], reply[len(reply)-1], nil
		}
	}
}

// gather tells Redis the leases that the ledger names, and says how many they are.
func (c *Counters) gather(ctx context.Context, b *policy.BudgetAsk, amounts []policy.Amount) (int, error) {
	names := map[string]bool{}
	for _, a := range amounts {
		if a.Lease != "" {
			names[a.Lease] = true
		}
	}
	all := make([]any, 0, len(names))
	for name := range names {
		all = append(all, name)
	}
	gathered := c.keyGathered(b)
	for some := range slices.Chunk(all, gatherMost) {
		err := insist(ctx, func() error {
			return c.aside(ctx, func(ctx context.Context) error {
				p := c.client.Pipeline()
				p.SAdd(ctx, gathered, some...)
				p.Expire(ctx, gathered, time.Minute)
				_, err := p.Exec(ctx)
				return err
			})
		})
		if err != nil {
			return 0, err
		}
	}
	return len(all), nil
}

func (c *Counters) keyGathered(b *policy.BudgetAsk) string {
	return keyOf(b.Counter) + ":gathered:" + c.node
}

// sums adds up what falls into one slice of a rolling window, or all where there are none, oldest
// first.
func sums(amounts []policy.Amount, rolling time.Duration) []policy.Amount {
	slice := max(rolling/1000, time.Millisecond)
	amounts = slices.Clone(amounts)
	slices.SortFunc(amounts, func(a, b policy.Amount) int { return a.At.Compare(b.At) })
	var out []policy.Amount
	for _, a := range amounts {
		a.Units = max(0, a.Units)
		last := len(out) - 1
		if last >= 0 && (rolling == 0 || a.At.Sub(out[last].At) < slice) {
			out[last].Units += a.Units
			continue
		}
		out = append(out, policy.Amount{At: a.At, Units: a.Units})
	}
	return out
}

// loading is what Redis is told of a reading beside its amounts.
type loading struct {
	named  time.Time // since when the ledger named its leases; zero: it names none
	leases int       // that it named
}

func (c *Counters) callLoad(b *policy.BudgetAsk, amounts []policy.Amount, l loading) *call {
	key := keyOf(b.Counter)
	args := newPack(80 + 20*len(amounts))
	args.add(c.shift.Load(), c.learns(), b.Window.Rolling.Milliseconds(), millis(b.Window.End), millis(l.named))
	args.add(int64(len(amounts)), int64(len(b.Soft)), int64(l.leases))
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
	for {
		one := c.callLoad(b, []policy.Amount{{At: c.now(), Units: max(0, spent)}}, loading{})
		if err := c.do(ctx, one); err != nil {
			return err
		}
		if reply, err := numbers(one.reply); err != nil || reply[0] != loadMore {
			return err
		}
	}
}

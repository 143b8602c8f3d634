package redis

import (
	"context"
	"fmt"
	"time"

	"github.com/aistrale/aistrale/policy"
)

// State implements policy.Counters.
func (c *Counters) State(ctx context.Context, b *policy.BudgetAsk) (policy.BudgetState, error) {
	until := time.Now().Add(c.options.Timeout)
	for again := false; ; again = true {
		one := c.callState(b)
		if err := c.do(ctx, one); err != nil {
			return policy.BudgetState{}, err
		}
		reply, err := numbers(one.reply)
		switch {
		case err != nil:
			return policy.BudgetState{}, err
		case reply[0] == 1 && len(reply) == 3:
			c.leases.see([]policy.BudgetAsk{*b}, reply[1:], c.now())
			return policy.BudgetState{Spent: reply[1], Reserved: reply[2]}, nil
		case again:
			return policy.BudgetState{}, fmt.Errorf("%w: %s", ErrUnknown, b.Counter)
		}
		if err := c.learn(ctx, b, until); err != nil {
			return policy.BudgetState{}, err
		}
	}
}

func (c *Counters) callState(b *policy.BudgetAsk) *call {
	args := newPack(40)
	args.add(c.shift.Load(), c.learns(), b.Window.Rolling.Milliseconds(), opening(b, c.now()))
	return &call{script: scriptState, keys: appendBudget([]string{keyBorn(c.place(b.Counter))}, b), args: args}
}

package redis

import (
	"testing"
	"time"

	"github.com/aistrale/aistrale/policy"
)

// The gateway uses an ask again for its next call, before Redis was told of the settlement.
func TestSettle_AskIsUsedAgain(t *testing.T) {
	c := open(t, Options{})
	b := policy.BudgetAsk{Counter: "budget:{w}again", Limit: 1000, PerMillion: 1_000_000}
	ask := policy.Ask{}
	for n := range 20 {
		ask = policy.Ask{Lease: "lease/" + string(rune('a'+n)), Now: c.now(), Alive: time.Minute, Output: 50, Budgets: append(ask.Budgets[:0], b)}
		v, err := c.Take(t.Context(), &ask)
		if err != nil || v.Grant == nil {
			t.Fatalf("call %d: %+v, %v", n, v, err)
		}
		c.Settle(v.Grant, policy.Spent{Budgets: []int64{1}})
		ask.Lease, ask.Budgets[0] = "", policy.BudgetAsk{Counter: "budget:{w}other"}
	}
	if err := c.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if state, err := policy.StateOf(t.Context(), c, &b); err != nil || state != (policy.BudgetState{Spent: 20}) {
		t.Errorf("%+v, %v", state, err)
	}
}

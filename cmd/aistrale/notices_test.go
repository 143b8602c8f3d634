package main

import (
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/admin"
	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

func TestCircuits(t *testing.T) {
	var told []string
	c := &circuits{node: "n1", open: map[policy.Place]bool{}, post: func(e admin.Event) { told = append(told, string(e.Type)+" "+e.Once) }}
	place := policy.Place{Provider: "openai", Credential: "a", Model: "gpt"}
	now := time.Unix(1_800_000_000, 0)
	for _, state := range []policy.State{
		policy.StateClosed, policy.StateOpen, policy.StateHalfOpen, policy.StateOpen, policy.StateHalfOpen, policy.StateClosed,
		policy.StateAside, policy.StateOpen,
	} {
		c.changed(policy.Change{Place: place, State: state}, now)
	}
	if got := strings.Join(told, ","); got != "breaker.opened ,breaker.closed ,credential.failing openai/a/500000,breaker.opened " {
		t.Errorf("told %s", got)
	}
}

func TestBudgetEvent(t *testing.T) {
	rule := &policy.BudgetRule{
		Holder: policy.Holder{Kind: storage.ScopeKey, Workspace: "team", Name: "ci"}, Counts: policy.CountedNano,
		Budget: &storage.Budget{Per: storage.SpanMonth},
	}
	now := time.Unix(1_800_000_000, 0)
	e := budgetEvent(policy.Threshold{Counter: "budget:x:2027-01-01", Of: rule, Share: 80, Spent: 8_500_000_000, Limit: 10_000_000_000}, now)
	want := admin.BudgetNotice{Workspace: "team", Scope: "key/ci", Per: "month", Percent: 80, Spent: "8.5", Limit: "10", Unit: "usd"}
	if e.Workspace != "team" || e.Data != want || e.Once != "budget:x:2027-01-01/10000000000/80" || !strings.Contains(e.Text, "80%: 8.5 of 10 usd") {
		t.Errorf("got %+v", e)
	}
	rule.Budget = &storage.Budget{Per: storage.SpanRolling, Rolling: time.Hour, Tokens: 5}
	rule.Counts = policy.CountedTokens
	first := budgetEvent(policy.Threshold{Counter: "x", Of: rule, Share: 50}, now)
	if again := budgetEvent(policy.Threshold{Counter: "x", Of: rule, Share: 50}, now.Add(time.Hour)); again.Once == first.Once {
		t.Error("a rolling window is told of once for all")
	}
}

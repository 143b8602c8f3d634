package policy_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

// The same key gets the same compiled limits; a changed key is compiled anew.
func TestLimitsFor(t *testing.T) {
	l := limits(t, []storage.Limit{{Scope: storage.Scope{Kind: "project", Name: "*"}, Concurrent: 1}}, nil)
	key := caller()
	if first := l.For(key); l.For(key) != first {
		t.Error("compiled twice")
	}
	var calls sync.WaitGroup
	known := limits(t, []storage.Limit{{Scope: storage.Scope{Kind: "project", Name: "*"}, Concurrent: 1}}, nil)
	got := make([]*policy.KeyLimits, 64)
	for i := range got {
		calls.Go(func() { got[i] = known.For(key) })
	}
	calls.Wait()
	if len(slices.Compact(got)) > 1 {
		t.Error("calls of one key are given different limits, so that a request may be charged twice")
	}
	moved := caller()
	moved.Project = "mobile"
	var a policy.Ask
	if err := l.For(moved).Ask(&a, wanted()); err != nil || names(&a)[0] != "slot:{default}project/mobile:concurrent*:" {
		t.Errorf("%v %v", names(&a), err)
	}
	n := testing.AllocsPerRun(100, func() { _ = l.For(moved).Ask(&a, wantedOnce) })
	if n > 0 {
		t.Errorf("%.0f allocations for an ask", n)
	}
}

// Budgets that a reload brings are counted from then on, and others since they came.
func TestLimitsFollow(t *testing.T) {
	f := func(before, after *policy.Limits, want ...time.Time) *policy.Limits {
		t.Helper()
		after.Follow(before, noon)
		asks := after.For(caller()).Budgets(noon)
		for i := range asks {
			if !asks[i].Since.Equal(want[i]) {
				t.Errorf("%s counts since %s, want %s", asks[i].Counter, asks[i].Since, want[i])
			}
		}
		return after
	}
	key := storage.Scope{Kind: "key", Name: "ci"}
	day, month := storage.Budget{Scope: key, Nano: 1, Per: "day"}, storage.Budget{Scope: key, Nano: 1, Per: "month"}
	first := limits(t, nil, []storage.Budget{day})
	dearer := day
	dearer.Nano = 2
	second := f(first, limits(t, nil, []storage.Budget{month, dearer}), noon, time.Time{})
	third := limits(t, nil, []storage.Budget{day, month})
	third.Follow(second, noon.Add(time.Hour))
	f(third, limits(t, nil, []storage.Budget{day, month}), time.Time{}, noon)
	f(nil, limits(t, nil, []storage.Budget{day}), noon)
}

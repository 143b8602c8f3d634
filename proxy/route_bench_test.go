package proxy

import (
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/storage"
)

// routed is a flight that is about to be routed to the one target of its alias.
func routed() *flight {
	a := &Account{Provider: providers.Provider{Name: "one", Routes: map[providers.Op][]providers.Route{providers.OpChat: {{}}}}, Credential: "main", Breaker: testBreaker,
		Retry: policy.Retry{Max: 2, BudgetPercent: 10}}
	g := &Gateway{options: Options{Health: policy.NewHealth(policy.HealthOptions{})}}
	f := &flight{
		g: g, state: &Snapshot{Accounts: map[string][]*Account{"one": {a}}}, endpoint: &providers.Endpoint{Op: providers.OpChat, Face: openai.Face{}},
		alias: &policy.Alias{Targets: targetsOf("one/m")}, key: &storage.Key{Workspace: "w"},
	}
	f.rec.Asked, f.rec.KeyID = "one/m", "key"
	f.fc = &fasthttp.RequestCtx{}
	return f
}

// walked is what routing, health, breaker and retry budget cost a call that is served at once.
func (f *flight) walked() (served bool) {
	targets, err := f.route()
	if err != nil {
		return false
	}
	w := walk{f: f, targets: targets}
	t, err := w.next()
	if err != nil || w.others(t) {
		return false
	}
	t.budget.Pay(&t.account.Retry)
	now := time.Now()
	t.circuit.Begin(now)
	t.circuit.Try(f.rec.KeyID, func() policy.Result { served = true; return policy.ResultServed })
	t.circuit.End(policy.Sample{Result: policy.ResultServed, Took: time.Millisecond, Output: 10}, time.Now())
	f.keepWarm(t)
	return served
}

func BenchmarkWalk_OneTarget(b *testing.B) {
	f := routed()
	b.ReportAllocs()
	for b.Loop() {
		if !f.walked() {
			b.Fatal("it was not served")
		}
	}
}

func TestWalk_AllocatesNothing(t *testing.T) {
	f := routed()
	if n := testing.AllocsPerRun(100, func() {
		if !f.walked() {
			t.Fatal("it was not served")
		}
	}); n != 0 {
		t.Errorf("%v allocations for a call", n)
	}
}

package proxy

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

// fates says what a request's last entry tells of the places: "one/m served".
func fates(t *testing.T, p *pages) []string {
	t.Helper()
	var said []string
	for _, entries := range p.take() {
		for _, e := range entries {
			if !e.Final && len(e.Plan) > 0 {
				t.Errorf("attempt %d is not the last and has a plan", e.Attempt)
			}
			for _, c := range e.Plan {
				said = append(said, strings.TrimSuffix(c.Provider+"/"+c.Model+" "+string(c.Fate)+" "+c.Fault, " "))
			}
		}
	}
	return said
}

func TestConsidered(t *testing.T) {
	up, down := newStage(t, well, well), newStage(t, says(500), says(500))
	kept := &pages{}
	f := func(alias *policy.Alias, accounts []*Account, change setting, before func(*testGateway), want ...string) {
		t.Helper()
		g := newStagedGateway(t, alias, accounts, journaled(kept), change)
		if before != nil {
			before(g)
		}
		kept.take()
		g.as(t, 0, itWhole)
		g.records.next(t)
		if got := fates(t, kept); !slices.Equal(got, want) {
			t.Errorf("got %q\nwant %q", got, want)
		}
	}
	nothing := func(*Options, *Snapshot) {}
	good := func(name string) *Account { return up.account(t, name, "") }
	three := &policy.Alias{Targets: targetsOf("one/m", "two/m", "three/m")}
	f(&policy.Alias{Targets: targetsOf("one/m")}, []*Account{good("one")}, nothing, nil)
	f(three, []*Account{good("one"), good("two"), good("three")}, nothing, nil, "one/m served", "two/m spare", "three/m spare")
	f(three, []*Account{down.account(t, "one", ""), good("two"), good("three")}, nothing, nil, "one/m failed upstream_error", "two/m served", "three/m spare")
	f(three, []*Account{good("three")}, nothing, nil, "one/m no_account", "two/m no_account", "three/m served")
	f(three, []*Account{good("one"), good("two"), good("three")}, func(_ *Options, s *Snapshot) {
		s.Regions = policy.Regions{storage.DefaultWorkspace: {"eu"}}
		s.Accounts["two"][0].Region = "eu"
	}, nil, "one/m region", "three/m region", "two/m served")
	f(three, []*Account{good("one"), good("two"), good("three")}, func(_ *Options, s *Snapshot) {
		key, err := storage.KeyOf("test0", keyNumber(0))
		if err != nil {
			t.Fatal(err)
		}
		key.Models, key.DenyModels = []string{"*"}, []string{"one/*"}
		s.Keys = policy.NewKeyring([]storage.Key{key})
	}, nil, "one/m not_allowed", "two/m served", "three/m spare")
	open := func(g *testGateway) {
		g.options.Health.Circuit(policy.Place{Provider: "one", Model: "m"}, &testBreaker).Cool(time.Now().Add(time.Hour))
	}
	f(three, []*Account{good("one"), good("two"), good("three")}, nothing, open, "one/m cooling", "two/m served", "three/m spare")
	locked := good("one")
	locked.NeedsKey = true
	f(three, []*Account{locked, good("two"), good("three")}, nothing, nil, "one/m refused provider_auth", "two/m served", "three/m spare")
}

// An alias goes on while a breaker is open, and the explanation says so.
func TestConsidered_OpenBreaker(t *testing.T) {
	fails, up := newStage(t, says(500), says(500)), newStage(t, well, well)
	kept := &pages{}
	g := newStagedGateway(t, &policy.Alias{Targets: targetsOf("one/m", "two/m")}, []*Account{fails.account(t, "one", ""), up.account(t, "two", "")}, journaled(kept))
	for i := range 10 {
		if status, _, body := g.as(t, i%3, itWhole); status != http.StatusOK {
			t.Fatalf("%d %s", status, body)
		}
		g.records.next(t)
	}
	kept.take()
	g.as(t, 0, itWhole)
	g.records.next(t)
	if got, want := fates(t, kept), []string{"one/m breaker_open", "two/m served"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Each attempt's entry has what it held and spent of what bound it.
func TestConsidered_Holds(t *testing.T) {
	kept := &pages{}
	g := newTestGateway(t, one(t, always(whole(wholeReply))), journaled(kept),
		limited(t, []storage.Limit{{Scope: everyKey, RequestsPerMinute: 5, Concurrent: 2}}, dollars(1e9)))
	if status, _, body := g.post(t, askWhole); status != 200 {
		t.Fatal(status, body)
	}
	g.records.next(t)
	var got []storage.Hold
	for _, entries := range kept.take() {
		for _, e := range entries {
			got = append(got, e.Holds...)
		}
	}
	if len(got) != 3 {
		t.Fatalf("%+v", got)
	}
	rate, slot, budget := got[0], got[1], got[2]
	if rate.Unit != storage.UnitRequests || rate.Limit != 5 || rate.Held != 1 || rate.Spent != 1 || !strings.HasPrefix(rate.Counter, "rate:{default}key/test:") {
		t.Errorf("rate %+v", rate)
	}
	if slot.Unit != storage.UnitCalls || slot.Limit != 2 || slot.Held != 1 {
		t.Errorf("slot %+v", slot)
	}
	if budget.Unit != storage.UnitNano || budget.Limit != 1e9 || budget.Held <= budget.Spent || budget.Spent != 3*1000+2*2000 {
		t.Errorf("budget %+v", budget)
	}
}

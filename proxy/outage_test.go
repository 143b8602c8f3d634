package proxy

import (
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aistrale/aistrale/policy"
)

// A provider that fails in each way there is, beside one that is sound: clients see next to
// nothing of it, and the failing one is not asked again and again.
func TestOutage_OfTheFirstTarget(t *testing.T) {
	refusesSecret := func(name string) act {
		return func(w http.ResponseWriter, r *http.Request, body string) {
			if r.Header.Get("authorization") == "Bearer secret-"+name {
				says(401)(w, r, body)
				return
			}
			well(w, r, body)
		}
	}
	boom := `data: {"error":{"message":"boom","type":"server_error"}}` + "\n\n"
	f := func(name string, calls act, credentials ...string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			first, second := newStage(t, calls, calls), newStage(t, well, well)
			accounts := []*Account{second.account(t, "two", "")}
			for _, c := range credentials {
				accounts = append(accounts, first.account(t, "one", c))
			}
			g := newStagedGateway(t, &policy.Alias{Targets: targetsOf("one/m", "two/m"), FirstByte: 100 * time.Millisecond}, accounts)
			calls, workers := 500, 4
			if os.Getenv("AISTRALE_PROVE") != "" {
				calls = 5000
			}
			served, attempts := storm(t, g, calls, workers)
			if served < int64(calls*999/1000) || float64(attempts) > 1.2*float64(calls) {
				t.Errorf("%d of %d calls were served by %d attempts", served, calls, attempts)
			}
			t.Logf("%s: %d of %d calls served, %.3f attempts for each, %d calls to the first", name, served, calls, float64(attempts)/float64(calls), first.calls.Load())
		})
	}
	f("429 with a short retry-after", says(429, "retry-after", "1"), "a")
	f("429 with a long retry-after", says(429, "retry-after", "3600"), "a")
	f("429 without one", says(429), "a")
	f("500", says(500), "a")
	f("503 with retry-after", says(503, "retry-after", "5"), "a")
	f("529", says(529), "a")
	f("no first byte", hangs, "a")
	f("a head and no more", begins("", hangs), "a")
	f("hung up", cuts, "a")
	f("cut before content", begins(eventRole, cuts), "a")
	f("an error in a 200 stream", begins(boom, func(http.ResponseWriter, *http.Request, string) {}), "a")
	f("HTML in place of JSON", func(w http.ResponseWriter, _ *http.Request, _ string) { _, _ = w.Write([]byte("<html>busy</html>")) }, "a")
	f("401 on one credential of two", refusesSecret("a"), "a", "b")
	f("401 on the only credential", says(401), "a")
}

// storm sends calls of many keys, streaming and not, and counts those that were served and the
// attempts that they took.
func storm(t *testing.T, g *testGateway, calls, workers int) (served, attempts int64) {
	var left, ok, tries atomic.Int64
	left.Store(int64(calls))
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for n := left.Add(-1); n >= 0; n = left.Add(-1) {
				body := itWhole
				if n%2 == 0 {
					body = itStream
				}
				status, _, text := g.as(t, int(n%10), body)
				if status == 200 && (text == wholeReply || strings.HasSuffix(text, eventDone)) {
					ok.Add(1)
				}
				tries.Add(int64(len(g.records.next(t).Attempts)))
			}
		})
	}
	wg.Wait()
	return ok.Load(), tries.Load()
}

// A provider that fails for every other call and has no stand-in is tried again.
func TestOutage_OfEveryOtherCall(t *testing.T) {
	var n atomic.Int64
	only := newStage(t, func(w http.ResponseWriter, r *http.Request, body string) {
		if n.Add(1)%2 == 0 {
			says(500)(w, r, body)
			return
		}
		well(w, r, body)
	}, well)
	a := only.account(t, "one", "")
	a.Breaker = policy.Breaker{}
	a.Retry = policy.Retry{Max: 2, Backoff: time.Microsecond, BudgetPercent: 100, Floor: 60}
	g := newStagedGateway(t, &policy.Alias{Targets: targetsOf("one/m")}, []*Account{a})
	if served, attempts := storm(t, g, 300, 1); served != 300 || attempts < 300 || attempts > 600 {
		t.Errorf("%d of 300 calls were served by %d attempts", served, attempts)
	}
}

// However many bad requests one tenant sends, others are served at the first try.
func TestOutage_BadRequestsOfOneKeyOpenNothing(t *testing.T) {
	f := func(bad act) {
		t.Helper()
		only := newStage(t, func(w http.ResponseWriter, r *http.Request, body string) {
			if strings.Contains(body, "poison") {
				bad(w, r, body)
				return
			}
			well(w, r, body)
		}, well)
		g := newStagedGateway(t, &policy.Alias{Targets: targetsOf("one/m")}, []*Account{only.account(t, "one", "")})
		for range 40 {
			if status, _, _ := g.as(t, 1, strings.Replace(itWhole, "hi", "poison", 1)); status < 400 {
				t.Fatalf("a bad request got %d", status)
			}
		}
		for i := range 10 {
			if status, h, body := g.as(t, i, itWhole); status != 200 || h.Get("x-aistrale-attempts") != "1" {
				t.Errorf("key %d: status %d, %s", i, status, body)
			}
		}
		for _, a := range g.options.Health.Ailing(time.Now()) {
			if a.State == policy.StateOpen || a.State == policy.StateHalfOpen || a.State == policy.StateAside {
				t.Errorf("%+v", a)
			}
		}
	}
	f(says(500))
	f(says(400))
	f(says(404))
	f(says(422))
	f(says(401))
	f(says(429, "retry-after", "60"))
	f(cuts)
}

// A client that waits for a millisecond only says nothing of the upstream.
func TestOutage_ImpatientClientsOpenNothing(t *testing.T) {
	only := newStage(t, func(w http.ResponseWriter, r *http.Request, body string) {
		if strings.Contains(body, "slow") {
			hangs(w, r, body)
		}
		well(w, r, body)
	}, says(500))
	g := newStagedGateway(t, &policy.Alias{Targets: targetsOf("one/m")}, []*Account{only.account(t, "one", "")})
	for i := range 30 {
		if status, _, _ := g.as(t, i%10, strings.Replace(itWhole, "hi", "slow", 1), "x-stainless-timeout", "0.001"); status != 504 {
			t.Fatalf("status %d", status)
		}
	}
	if list := g.options.Health.Ailing(time.Now()); len(list) > 0 {
		t.Errorf("%+v", list)
	}
}

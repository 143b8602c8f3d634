package proxy

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

// failsFirst fails the first calls and serves the others.
func failsFirst(calls int64, how act) act {
	var n atomic.Int64
	return func(w http.ResponseWriter, r *http.Request, body string) {
		if n.Add(1) <= calls {
			how(w, r, body)
			return
		}
		well(w, r, body)
	}
}

func TestRetry_OfTheOnlyTarget(t *testing.T) {
	rules := policy.Retry{Max: 2, Backoff: time.Millisecond, MaxBackoff: time.Millisecond, AfterMax: time.Second, Floor: 60}
	f := func(failures int64, how act, rules policy.Retry, status, attempts int) {
		t.Helper()
		only := newStage(t, failsFirst(failures, how), well)
		a := only.account(t, "one", "")
		a.Retry = rules
		g := newStagedGateway(t, &policy.Alias{Targets: targetsOf("one/m")}, []*Account{a})
		for _, body := range []string{itWhole, itStream} {
			got, h, text := g.as(t, 0, body)
			if got != status || h.Get("x-aistrale-attempts") != fmt.Sprint(attempts) {
				t.Errorf("status %d after %s attempts, want %d after %d: %s", got, h.Get("x-aistrale-attempts"), status, attempts, text)
			}
			if status != 200 {
				return
			}
			status, attempts = 200, 1 // it has recovered
		}
	}
	f(1, says(500), rules, 200, 2)
	f(2, says(529), rules, 200, 3)
	f(2, begins(eventRole, cuts), rules, 200, 3)
	f(3, says(500), rules, 502, 3)
	f(1, says(500), policy.Retry{}, 502, 1)
	f(1, says(500), policy.Retry{Max: 2}, 502, 1)             // nothing in the budget
	f(2, says(500), policy.Retry{Max: 2, Floor: 1}, 502, 2)   // one in the budget
	f(1, says(429, "retry-after-ms", "20"), rules, 200, 2)    // waited out
	f(1, says(429, "retry-after", "3"), rules, 429, 1)        // longer than retry_after_max
	f(1, says(500, "x-should-retry", "false"), rules, 502, 1) // the upstream knows better
	f(1, says(400), rules, 400, 1)                            // the request's own fault
	f(1, says(401), rules, 502, 1)                            // the credential's
	f(1, says(404), rules, 404, 1)                            // there is no such model
}

// What the client has begun to read is not tried again.
func TestRetry_NotAfterTheFirstContent(t *testing.T) {
	first, second := newStage(t, begins(eventRole+eventHi, cuts), well), newStage(t, well, well)
	a := first.account(t, "one", "")
	a.Retry = policy.Retry{Max: 3, Floor: 60}
	g := newStagedGateway(t, &policy.Alias{Targets: targetsOf("one/m", "two/m")}, []*Account{a, second.account(t, "two", "")})
	status, _, body := g.as(t, 0, itStream)
	if status != 200 || !strings.HasPrefix(body, eventRole+eventHi+`data: {"error":`) || first.calls.Load() != 1 || second.calls.Load() != 0 {
		t.Errorf("status %d, %d and %d calls: %q", status, first.calls.Load(), second.calls.Load(), body)
	}
}

// Nobody tries again for a client that has left while a retry waits, nor when the gateway ends.
func TestRetry_NotForAClientThatLeft(t *testing.T) {
	f := func(how act, leave func(g *testGateway, hangUp func()), want storage.Outcome) {
		t.Helper()
		waits := make(chan struct{}, 10)
		only := newStage(t, func(w http.ResponseWriter, r *http.Request, body string) {
			how(w, r, body)
			waits <- struct{}{}
		}, well)
		a := only.account(t, "one", "")
		a.Retry = policy.Retry{Max: 5, Backoff: 1 << 62, AfterMax: 2 * time.Hour, Floor: 60}
		g := newStagedGateway(t, &policy.Alias{Targets: targetsOf("one/m")}, []*Account{a})
		c := connect(t, g)
		say(t, c, strings.Replace(request(itWhole), testKey, keyNumber(0), 1))
		<-waits
		leave(g, func() { _ = c.Close() })
		rec := g.records.next(t)
		if rec.Outcome != want || len(rec.Attempts) != 1 || only.calls.Load() != 1 {
			t.Errorf("outcome %s after %d attempts, %d calls: %s", rec.Outcome, len(rec.Attempts), only.calls.Load(), rec.Err)
		}
	}
	leaves := func(_ *testGateway, hangUp func()) { hangUp() }
	f(says(500), leaves, storage.OutcomeClientGone)
	f(says(429, "retry-after", "3600"), leaves, storage.OutcomeClientGone)
	f(says(500), func(g *testGateway, _ func()) { g.Abort() }, storage.OutcomeRefused)
}

// A retry is one more attempt in the journal.
func TestRetry_IsJournaled(t *testing.T) {
	p := &pages{}
	only := newStage(t, failsFirst(1, says(500)), well)
	a := only.account(t, "one", "")
	a.Retry = policy.Retry{Max: 1, Floor: 60}
	g := newStagedGateway(t, &policy.Alias{Targets: targetsOf("one/m")}, []*Account{a}, journaled(p))
	g.as(t, 0, itWhole)
	if got := states(p.take()); got != "o1 s1+o2 S2" {
		t.Errorf("the journal has %q", got)
	}
}

func TestFallback_ByReason(t *testing.T) {
	rejects := func(status int, code string) act {
		return func(w http.ResponseWriter, _ *http.Request, _ string) {
			w.Header().Set("content-type", "application/json")
			w.WriteHeader(status)
			_, _ = fmt.Fprintf(w, `{"error":{"message":"no","type":"invalid_request_error","param":null,"code":%q}}`, code)
		}
	}
	f := func(how act, on []string, moves bool) {
		t.Helper()
		reasons, err := policy.ParseReasons(on)
		if err != nil {
			t.Fatal(err)
		}
		first, second := newStage(t, how, well), newStage(t, well, well)
		g := newStagedGateway(t, &policy.Alias{Targets: targetsOf("one/m", "two/m"), FallbackOn: reasons, FirstByte: 50 * time.Millisecond},
			[]*Account{first.account(t, "one", ""), second.account(t, "two", "")})
		status, h, body := g.as(t, 0, itWhole)
		if (status == 200) != moves || (h.Get("x-aistrale-attempts") == "2") != moves {
			t.Errorf("on %v: status %d after %s attempts: %s", on, status, h.Get("x-aistrale-attempts"), body)
		}
	}
	f(says(500), nil, true)
	f(says(500), []string{"error"}, true)
	f(says(500), []string{"timeout", "overloaded"}, false)
	f(says(529), []string{"overloaded"}, true)
	f(says(429), []string{"rate_limited"}, true)
	f(says(429), []string{"error"}, false)
	f(hangs, nil, true)
	f(hangs, []string{"timeout"}, true)
	f(says(401), []string{"auth"}, true)
	f(says(401), []string{"error"}, false)
	f(says(404), []string{"not_found"}, true)
	f(rejects(400, "context_length_exceeded"), nil, true)
	f(rejects(400, "context_length_exceeded"), []string{"error"}, false)
	f(rejects(400, "content_policy_violation"), nil, false)
	f(rejects(400, "content_policy_violation"), []string{"content_filter"}, true)
	f(rejects(400, "other"), []string{"content_filter", "error"}, false)
}

// Another credential of the same provider is no fallback: a limit of the one is tried with the
// other before any other provider, and what the model cannot do is not tried again.
func TestFallback_ToAnotherCredential(t *testing.T) {
	f := func(status int, calls int64, provider string) {
		t.Helper()
		first, second := newStage(t, says(status), well), newStage(t, well, well)
		g := newStagedGateway(t, &policy.Alias{Targets: targetsOf("one/m", "two/m")},
			[]*Account{first.account(t, "one", "a"), first.account(t, "one", "b"), second.account(t, "two", "")})
		_, h, body := g.as(t, 0, itWhole)
		if first.calls.Load() != calls || h.Get("x-aistrale-provider") != provider {
			t.Errorf("%d: %d calls, then %s: %s", status, first.calls.Load(), h.Get("x-aistrale-provider"), body)
		}
	}
	f(429, 2, "two")
	f(401, 2, "two")
	f(404, 1, "two")
	f(500, 1, "two") // another provider first
	f(400, 1, "one")
}

func TestTotal_EndsTheCall(t *testing.T) {
	f := func(how act, body string, retry policy.Retry) {
		t.Helper()
		first, second := newStage(t, how, well), newStage(t, well, well)
		a := first.account(t, "one", "")
		a.Retry = retry
		alias := &policy.Alias{Targets: targetsOf("one/m"), Total: 150 * time.Millisecond}
		if retry.Max == 0 {
			alias.Targets = targetsOf("one/m", "two/m")
		}
		g := newStagedGateway(t, alias, []*Account{a, second.account(t, "two", "")})
		status, h, text := g.as(t, 0, body)
		broken := status == 200 && strings.Contains(text, eventHi)
		if (status != 504 && !broken) || !strings.Contains(text, "upstream_timeout") || h.Get("x-aistrale-attempts") != "1" {
			t.Errorf("status %d after %s attempts: %s", status, h.Get("x-aistrale-attempts"), text)
		}
		if rec := g.records.next(t); rec.Outcome != storage.OutcomeTimeout || second.calls.Load() != 0 {
			t.Errorf("outcome %s, %s; %d calls to the second", rec.Outcome, rec.Err, second.calls.Load())
		}
		if list := g.options.Health.Ailing(time.Now()); len(list) > 0 {
			t.Errorf("%+v", list)
		}
	}
	f(hangs, itWhole, policy.Retry{})
	f(hangs, itStream, policy.Retry{})
	f(begins(eventRole+eventHi, hangs), itStream, policy.Retry{})
	f(says(500), itWhole, policy.Retry{Max: 3, Backoff: 1 << 62, Floor: 60})
}

// Where everything is broken one call at a time goes through, and the first that is served
// brings the others back.
func TestTrickle(t *testing.T) {
	enter, leave := make(chan struct{}), make(chan struct{})
	var up atomic.Bool
	only := newStage(t, func(w http.ResponseWriter, r *http.Request, body string) {
		if !up.Load() {
			says(500)(w, r, body)
			return
		}
		enter <- struct{}{}
		<-leave
		well(w, r, body)
	}, well)
	g := newStagedGateway(t, &policy.Alias{Targets: targetsOf("one/m")}, []*Account{only.account(t, "one", "")})
	for i := range 6 {
		g.as(t, i, itWhole)
	}
	up.Store(true)
	if _, body := getReady(t, g); body != "ok\none/m open for 1h0m0s\n" {
		t.Errorf("ready: %q", body)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if status, _, body := g.as(t, 7, itWhole); status != 200 {
			t.Errorf("the call that trickles: status %d: %s", status, body)
		}
	})
	<-enter
	status, h, body := g.as(t, 8, itWhole)
	if status != 503 || !strings.Contains(body, `"circuit_open"`) || h.Get("retry-after") == "" || h.Get("x-should-retry") != "false" {
		t.Errorf("status %d, %v: %s", status, h, body)
	}
	leave <- struct{}{}
	wg.Wait()
	if _, body := getReady(t, g); body != "ok\n" {
		t.Errorf("ready: %q", body)
	}
	wg.Go(func() { <-enter; leave <- struct{}{} })
	if status, _, body := g.as(t, 8, itWhole); status != 200 {
		t.Errorf("afterwards: status %d: %s", status, body)
	}
	wg.Wait()
}

func getReady(t *testing.T, g *testGateway) (int, string) {
	t.Helper()
	c := connect(t, g)
	say(t, c, "GET /readyz?verbose HTTP/1.1\r\nhost: x\r\n\r\n")
	return answer(t, bufio.NewReader(c))
}

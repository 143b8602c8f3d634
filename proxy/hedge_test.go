package proxy

import (
	"bytes"
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

// hedging is a gateway whose alias goes to two as well after a moment.
func hedging(t *testing.T, first, second *stage, rules policy.Hedge, p *pages) *testGateway {
	t.Helper()
	a, b := first.account(t, "one", ""), second.account(t, "two", "")
	b.Retry = policy.Retry{Floor: 1000}
	return newStagedGateway(t, &policy.Alias{Targets: targetsOf("one/m", "two/m"), Hedge: rules}, []*Account{a, b}, journaled(p))
}

const soon = time.Millisecond

func TestHedge_ServesTheFaster(t *testing.T) {
	p := &pages{}
	first, second := newStage(t, hangs, well), newStage(t, well, well)
	g := hedging(t, first, second, policy.Hedge{After: soon}, p)
	status, h, body := g.as(t, 0, itWhole)
	if status != 200 || body != wholeReply || h.Get("x-aistrale-provider") != "two" || h.Get("x-aistrale-attempts") != "2" {
		t.Errorf("status %d, %v: %s", status, h, body)
	}
	rec := g.records.next(t)
	if len(rec.Attempts) != 2 || rec.Attempts[0].Outcome != storage.OutcomeHedged || rec.Attempts[1].Outcome != storage.OutcomeOK || rec.Outcome != storage.OutcomeOK {
		t.Errorf("record %+v", rec)
	}
	finals, costs, outcomes := 0, int64(0), map[storage.Outcome]int{}
	for _, entries := range p.take() {
		for _, e := range entries {
			if e.State != storage.EntrySettled {
				continue
			}
			if outcomes[e.Outcome]++; e.Final {
				finals++
			}
			costs += e.CostNano
		}
	}
	// The one that was left is billed too: its upstream works on.
	if finals != 1 || outcomes[storage.OutcomeHedged] != 1 || outcomes[storage.OutcomeOK] != 1 || rec.CostNano == nil || *rec.CostNano != costs {
		t.Errorf("%d final entries, outcomes %v, %d nano-USD; the record says %s", finals, outcomes, costs, rec.CostText())
	}
	if list := g.options.Health.Ailing(time.Now()); len(list) > 0 {
		t.Errorf("%+v", list)
	}
}

func TestHedge_OfASlowSecond(t *testing.T) {
	p := &pages{}
	begun := make(chan struct{}, 1)
	first := newStage(t, func(w http.ResponseWriter, r *http.Request, body string) {
		<-begun // the second is under way
		well(w, r, body)
	}, well)
	second := newStage(t, func(w http.ResponseWriter, r *http.Request, body string) {
		begun <- struct{}{}
		hangs(w, r, body)
	}, well)
	g := hedging(t, first, second, policy.Hedge{After: soon}, p)
	status, h, body := g.as(t, 0, itWhole)
	if status != 200 || body != wholeReply || h.Get("x-aistrale-provider") != "one" || h.Get("x-aistrale-attempts") != "2" {
		t.Errorf("status %d, %v: %s", status, h, body)
	}
	rec := g.records.next(t)
	if len(rec.Attempts) != 2 || rec.Attempts[0].Provider != "two" || rec.Attempts[0].Outcome != storage.OutcomeHedged {
		t.Errorf("record %+v", rec.Attempts)
	}
}

func TestHedge_WhereOneFails(t *testing.T) {
	f := func(first, second act, status int, provider string) {
		t.Helper()
		g := hedging(t, newStage(t, first, well), newStage(t, second, well), policy.Hedge{After: soon}, &pages{})
		got, h, body := g.as(t, 0, itWhole)
		if got != status || h.Get("x-aistrale-provider") != provider {
			t.Errorf("status %d by %s, want %d by %s: %s", got, h.Get("x-aistrale-provider"), status, provider, body)
		}
		rec := g.records.next(t)
		sent := 0
		for _, a := range rec.Attempts {
			if a.Sent {
				sent++
			}
		}
		if sent > 2 {
			t.Errorf("%d attempts: %+v", sent, rec.Attempts)
		}
	}
	slowly := func(how act) act {
		return func(w http.ResponseWriter, r *http.Request, body string) {
			<-time.After(30 * soon)
			how(w, r, body)
		}
	}
	f(slowly(says(500)), slowly(well), 200, "two")
	f(slowly(well), says(500), 200, "one")
	f(slowly(says(500)), says(500), 502, "one")
	f(says(500), well, 200, "two") // at once: that is a fallback
}

// What is not to be hedged: streams, calls whose hedge costs too much or has no price, and calls
// past the provider's budget of retries.
func TestHedge_WhatItIsNotFor(t *testing.T) {
	f := func(body string, rules policy.Hedge, retry policy.Retry, change ...setting) {
		t.Helper()
		first := newStage(t, func(w http.ResponseWriter, r *http.Request, body string) {
			<-time.After(30 * soon)
			well(w, r, body)
		}, well)
		second := newStage(t, well, well)
		a, b := first.account(t, "one", ""), second.account(t, "two", "")
		b.Retry = retry
		g := newStagedGateway(t, &policy.Alias{Targets: targetsOf("one/m", "two/m"), Hedge: rules}, []*Account{a, b}, change...)
		if status, h, _ := g.as(t, 0, body); status != 200 || h.Get("x-aistrale-provider") != "one" || second.calls.Load() != 0 {
			t.Errorf("status %d by %s, %d calls to the second", status, h.Get("x-aistrale-provider"), second.calls.Load())
		}
	}
	free := policy.Retry{Floor: 1000}
	f(itStream, policy.Hedge{After: soon}, free)
	f(itWhole, policy.Hedge{}, free)
	f(itWhole, policy.Hedge{After: soon}, policy.Retry{})
	f(itWhole, policy.Hedge{After: soon, MaxNano: 1000}, free) // 500 tokens at 4 dollars a million
	f(itWhole, policy.Hedge{After: soon, MaxNano: 1 << 60}, free, func(_ *Options, s *Snapshot) { s.Prices = policy.NewPriceBook() })
}

// A client that leaves ends both.
func TestHedge_ClientThatLeaves(t *testing.T) {
	var under atomic.Int64
	both := make(chan struct{}, 2)
	wait := func(w http.ResponseWriter, r *http.Request, body string) {
		under.Add(1)
		both <- struct{}{}
		hangs(w, r, body)
		under.Add(-1)
	}
	g := hedging(t, newStage(t, wait, well), newStage(t, wait, well), policy.Hedge{After: soon}, &pages{})
	c := connect(t, g)
	say(t, c, string(bytes.Replace([]byte(request(itWhole)), []byte(testKey), []byte(keyNumber(0)), 1)))
	<-both
	<-both
	_ = c.Close()
	if rec := g.records.next(t); rec.Outcome != storage.OutcomeClientGone || len(rec.Attempts) != 2 {
		t.Errorf("outcome %s, %+v", rec.Outcome, rec.Attempts)
	}
	until(t, "both upstreams are let go", func() bool { return under.Load() == 0 })
}

// Many at once, each ending in its own way, for the race detector.
func TestHedge_Storm(t *testing.T) {
	var n atomic.Int64
	wild := func(w http.ResponseWriter, r *http.Request, body string) {
		switch n.Add(1) % 5 {
		case 0:
			says(500)(w, r, body)
		case 1:
			<-time.After(3 * soon)
			well(w, r, body)
		case 2:
			<-time.After(soon)
			cuts(w, r, body)
		default:
			<-time.After(soon)
			well(w, r, body)
		}
	}
	p := &pages{}
	g := hedging(t, newStage(t, wild, well), newStage(t, wild, well), policy.Hedge{After: soon}, p)
	const calls = 300
	served, attempts := storm(t, g, calls, 8)
	open, settled, finals := 0, 0, 0
	for _, entries := range p.take() {
		for _, e := range entries {
			switch {
			case e.State == storage.EntryOpened:
				open++
			case e.Final:
				finals++
				settled++
			default:
				settled++
			}
		}
	}
	if open != settled || int64(open) != attempts || finals > calls {
		t.Errorf("%d attempts opened, %d settled, %d final, %d in the records", open, settled, finals, attempts)
	}
	t.Logf("%d of %d calls were served by %d attempts", served, calls, attempts)
}

// An answer of the hedge's does not take the number of a later attempt: the ledger counts
// attempts of one number once.
func TestHedge_NumbersAttemptsApart(t *testing.T) {
	p := &pages{}
	held := make(chan struct{})
	first := newStage(t, well, well)
	second := newStage(t, func(w http.ResponseWriter, r *http.Request, body string) {
		says(500)(w, r, body)
		close(held)
	}, well)
	third := newStage(t, well, well)
	a, b, c := first.account(t, "one", ""), second.account(t, "two", ""), third.account(t, "three", "")
	b.Retry = policy.Retry{Floor: 1000}
	limit := storage.Limit{Scope: everyKey, Concurrent: 1, Models: []string{"one/*"}}
	g := newStagedGateway(t, &policy.Alias{Targets: targetsOf("one/m", "two/m", "three/m"), Hedge: policy.Hedge{After: soon}}, []*Account{a, b, c},
		journaled(p), limited(t, []storage.Limit{limit}), func(o *Options, s *Snapshot) {
			s.Patience.MaxWait, s.Patience.MaxDepth = 300*time.Millisecond, 8
			o.Counters = &slotless{Counters: policy.NewMeter(policy.MeterOptions{})}
		})
	status, h, body := g.as(t, 0, itWhole)
	<-held
	if status != 200 || h.Get("x-aistrale-provider") != "three" {
		t.Fatalf("status %d by %s: %s", status, h.Get("x-aistrale-provider"), body)
	}
	seen := map[int]string{}
	for _, entries := range p.take() {
		for _, e := range entries {
			if e.State != storage.EntrySettled {
				continue
			}
			if was, ok := seen[e.Attempt]; ok {
				t.Errorf("attempt %d is one of %s and one of %s", e.Attempt, was, e.Provider)
			}
			seen[e.Attempt] = e.Provider
		}
	}
	if len(seen) != 2 {
		t.Errorf("%v", seen)
	}
}

// slotless counters have no slot free.
type slotless struct{ policy.Counters }

func (b *slotless) Take(ctx context.Context, a *policy.Ask) (policy.Verdict, error) {
	if len(a.Slots) > 0 {
		return policy.Verdict{Refused: policy.Refused{Kind: policy.AskSlot, Wait: policy.SlotWait}}, nil
	}
	return b.Counters.Take(ctx, a)
}

// A hedged call is one request, and its client is told how all of its rates stand.
func TestHedge_IsOneRequest(t *testing.T) {
	a, b := newStage(t, hangs, well).account(t, "one", ""), newStage(t, well, well).account(t, "two", "")
	b.Retry = policy.Retry{Floor: 1000}
	g := newStagedGateway(t, &policy.Alias{Targets: targetsOf("one/m", "two/m"), Hedge: policy.Hedge{After: 50 * time.Millisecond}}, []*Account{a, b},
		limited(t, []storage.Limit{{Scope: everyKey, RequestsPerMinute: 10, TokensPerMinute: 100_000}}))
	for _, want := range []string{"9", "8"} {
		status, h, body := g.as(t, 0, itWhole)
		if status != 200 || h.Get("x-aistrale-provider") != "two" {
			t.Fatalf("status %d by %s: %s", status, h.Get("x-aistrale-provider"), body)
		}
		if got := h.Get("x-ratelimit-remaining-requests"); got != want || h.Get("x-ratelimit-remaining-tokens") == "" {
			t.Errorf("%q requests are left, want %s: %v", got, want, h)
		}
	}
}

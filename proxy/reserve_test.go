package proxy

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

func limited(t *testing.T, limits []storage.Limit, budgets ...storage.Budget) setting {
	t.Helper()
	l, err := policy.NewLimits(limits, budgets, policy.NewMeans())
	if err != nil {
		t.Fatal(err)
	}
	return func(_ *Options, s *Snapshot) {
		s.Limits = l
		s.Patience = policy.Patience{Held: 5 * time.Second}
	}
}

var everyKey = storage.Scope{Kind: storage.ScopeKey, Name: "*"}

// dollars is a budget in nano-USD that never ends.
func dollars(nano int64) storage.Budget {
	return storage.Budget{Scope: everyKey, Nano: nano, Per: storage.SpanTotal}
}

func TestReserve_Rates(t *testing.T) {
	g := newTestGateway(t, one(t, always(whole(wholeReply))), limited(t, []storage.Limit{{Scope: everyKey, RequestsPerMinute: 2, TokensPerMinute: 100_000}}))
	for left := 1; left >= 0; left-- {
		status, h, body := g.post(t, askWhole)
		if status != 200 || h.Get("x-ratelimit-limit-requests") != "2" || h.Get("x-ratelimit-remaining-requests") != fmt.Sprint(left) {
			t.Fatalf("status %d, %v: %s", status, h, body)
		}
		if h.Get("x-ratelimit-limit-tokens") != "100000" || h.Get("x-ratelimit-reset-requests") == "" {
			t.Errorf("headers %v", h)
		}
	}
	status, h, body := g.post(t, askWhole)
	if status != 429 || !strings.Contains(body, `"code":"rate_limit_exceeded"`) || !strings.Contains(body, `"type":"requests"`) || h.Get("retry-after") == "" || h.Get("x-ratelimit-remaining-requests") != "0" {
		t.Errorf("status %d, %v: %s", status, h, body)
	}
	g.records.next(t)
	g.records.next(t)
	if rec := g.records.next(t); len(rec.Attempts) != 0 || rec.Outcome != storage.OutcomeRefused || !strings.Contains(rec.Err, "requests_per_minute") {
		t.Errorf("record %+v", rec)
	}
}

func TestReserve_FailedAttemptsCountOnce(t *testing.T) {
	g := newTestGateway(t, map[string]*script{
		"one": newScript(t, always(rejection(503, `{"error":{"message":"busy"}}`))), "two": newScript(t, always(whole(wholeReply))),
	}, limited(t, []storage.Limit{{Scope: everyKey, RequestsPerMinute: 10, TokensPerMinute: 100_000, Concurrent: 1}}))
	for want := 9; want >= 8; want-- {
		_, h, body := g.post(t, strings.Replace(askWhole, "one/m", "pair", 1))
		if got := h.Get("x-ratelimit-remaining-requests"); got != fmt.Sprint(want) {
			t.Fatalf("%s are left, want %d: %s", got, want, body)
		}
	}
}

func TestReserve_Concurrent(t *testing.T) {
	g := newTestGateway(t, one(t, always(chunkHead, chunk(eventRole), chunk(eventHi), "<wait>")), limited(t, []storage.Limit{{Scope: everyKey, Concurrent: 1}}))
	c := connect(t, g)
	say(t, c, request(askStream))
	if _, err := bufio.NewReader(c).ReadString('\n'); err != nil { // it is under way
		t.Fatal(err)
	}
	if status, _, body := g.post(t, askStream); status != 429 || !strings.Contains(body, "concurrent") {
		t.Errorf("status %d: %s", status, body)
	}
	g.records.next(t)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	g.records.next(t)
	c = connect(t, g)
	say(t, c, request(askStream))
	if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || !strings.Contains(line, "200") {
		t.Errorf("after the first has left: %q, %v", line, err)
	}
}

// A call is billed 3 tokens of input and 2 of output, which is 7000 nano-USD.
func TestReserve_BudgetIsHard(t *testing.T) {
	const calls, pays = 60, 20
	g := newTestGateway(t, one(t, always(whole(wholeReply))), limited(t, nil, dollars(pays*7000+1_300_000)))
	ask := strings.Replace(askWhole, "{", `{"max_tokens":50,`, 1)
	var wg sync.WaitGroup
	for range calls {
		wg.Go(func() {
			status, _, body := g.post(t, ask)
			if status != 200 && (status != 429 || !strings.Contains(body, "insufficient_quota") && !strings.Contains(body, "reserved by requests under way")) {
				t.Errorf("status %d: %s", status, body)
			}
		})
	}
	wg.Wait()
	var spent, served int64
	for range calls {
		if rec := g.records.next(t); rec.Status == 200 {
			served++
			spent += *rec.CostNano
		}
	}
	if spent > pays*7000+1_300_000 || served < pays {
		t.Errorf("%d calls were served for %d", served, spent)
	}
	for {
		status, h, body := g.post(t, ask)
		g.records.next(t)
		if status == 200 {
			continue
		}
		if !strings.Contains(body, `"code":"insufficient_quota"`) || h.Get("x-should-retry") != "false" {
			t.Errorf("status %d, %v: %s", status, h, body)
		}
		break
	}
}

func TestReserve_ClampsTheOutput(t *testing.T) {
	g := newTestGateway(t, one(t, always(whole(wholeReply))), limited(t, nil, dollars(2_000_000)))
	_, h, _ := g.post(t, strings.Replace(askWhole, "{", `{"max_tokens":100,`, 1))
	if got := h.Get("x-aistrale-clamped"); got != "" {
		t.Errorf("clamped to %s though the budget pays for it", got)
	}
	_, h, body := g.post(t, strings.Replace(askWhole, "{", `{"max_tokens":100000,`, 1))
	name, value, _ := strings.Cut(h.Get("x-aistrale-clamped"), "=")
	var n int64
	if _, err := fmt.Sscan(value, &n); err != nil || name != "max_tokens" || n < leastOutput || n > 500 {
		t.Errorf("clamped to %q: %s", h.Get("x-aistrale-clamped"), body)
	}
}

func TestReserve_ACheaperTargetMayFit(t *testing.T) {
	g := newTestGateway(t, map[string]*script{"one": newScript(t, always(whole(wholeReply))), "two": newScript(t, always(whole(wholeReply)))},
		limited(t, nil, dollars(1_500_000)), func(_ *Options, s *Snapshot) {
			s.Router = policy.NewRouter(map[string][]string{"one": nil, "two": nil}, map[string]*policy.Alias{
				"pair": {Targets: []policy.Target{{Provider: "two", Model: "m"}, {Provider: "one", Model: "m"}}},
			}, func(string) (string, bool) { return "", false })
		})
	status, h, body := g.post(t, strings.Replace(askWhole, "one/m", "pair", 1))
	if status != 200 || h.Get("x-aistrale-provider") != "one" {
		t.Errorf("status %d from %s: %s", status, h.Get("x-aistrale-provider"), body)
	}
}

// unsure does not know what became of the first call that is asked of it.
type unsure struct {
	policy.Counters
	mu     sync.Mutex
	leases []string
}

func (c *unsure) Take(ctx context.Context, a *policy.Ask) (policy.Verdict, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.leases = append(c.leases, a.Lease); len(c.leases) == 1 {
		return policy.Verdict{}, errors.New("no answer")
	}
	return c.Counters.Take(ctx, a)
}

// What may have been granted is given back later: no other attempt has its lease's name then.
func TestReserve_ALeaseIsAskedOnce(t *testing.T) {
	counters := &unsure{Counters: policy.NewMeter(policy.MeterOptions{})}
	g := newTestGateway(t, map[string]*script{"one": newScript(t, always(whole(wholeReply))), "two": newScript(t, always(whole(wholeReply)))},
		limited(t, nil, dollars(1e9)), func(o *Options, _ *Snapshot) { o.Counters = counters })
	status, _, body := g.post(t, strings.Replace(askWhole, "one/m", "pair", 1))
	if status != 200 || len(counters.leases) != 2 || counters.leases[0] == counters.leases[1] {
		t.Errorf("status %d, leases %v: %s", status, counters.leases, body)
	}
}

func TestReserve_UnpricedModels(t *testing.T) {
	f := func(gap storage.BudgetGap, want int) {
		t.Helper()
		b := dollars(1e9)
		b.Unpriced = gap
		g := newTestGateway(t, one(t, always(whole(wholeReply))), limited(t, nil, b))
		status, _, body := g.post(t, strings.Replace(askWhole, "one/m", "one/unknown", 1))
		if status != want || status == 403 && !strings.Contains(body, "unpriced_model") {
			t.Errorf("%q: status %d: %s", gap, status, body)
		}
	}
	f("", 403)
	f(storage.GapDeny, 403)
	f(storage.GapAllow, 200)
}

// A stream whose cost has no bound goes as far as the budget pays, and ends as one that has
// reached its length.
func TestReserve_EndsAStreamCleanly(t *testing.T) {
	b := dollars(3_000_000)
	b.Unbounded = storage.GapCap
	parts := []string{chunkHead, chunk(eventRole)}
	long := strings.Replace(eventHi, `"hi"`, `"`+strings.Repeat("word ", 100)+`"`, 1)
	for range 100 {
		parts = append(parts, chunk(long))
	}
	parts = append(parts, "<wait>")
	p := &pages{}
	g := newTestGateway(t, one(t, always(parts...)), limited(t, nil, b), journaled(p))
	status, _, body := g.post(t, strings.Replace(askStream, "{", `{"web_search_options":{},`, 1))
	if status != 200 || !strings.HasSuffix(body, eventDone) || strings.Count(body, `"finish_reason":"length"`) != 1 {
		t.Fatalf("status %d: …%s", status, body[max(0, len(body)-600):])
	}
	rec := g.records.next(t)
	if rec.Outcome != storage.OutcomeOK || rec.Finish != "length" || !rec.Usage.Estimated || *rec.CostNano > 3_000_000 || *rec.CostNano == 0 {
		t.Errorf("record %+v, cost %s", rec, rec.CostText())
	}
	if n := strings.Count(body, "word word"); n == 0 || n >= 100*50 {
		t.Errorf("%d words", n)
	}
}

// A panic between a reservation and its attempt gives the reservation back.
func TestReserve_IsGivenBackAfterADefect(t *testing.T) {
	p := &panics{}
	g := newTestGateway(t, one(t, always(whole(wholeReply))), limited(t, []storage.Limit{{Scope: everyKey, Concurrent: 1}}), func(o *Options, _ *Snapshot) { o.Journal = p })
	if status, _, body := g.post(t, askWhole); status != 500 {
		t.Fatalf("status %d: %s", status, body)
	}
	p.over = true
	if status, _, body := g.post(t, askWhole); status != 200 {
		t.Errorf("status %d: %s", status, body)
	}
}

type panics struct{ over bool }

func (p *panics) Append(...*storage.Entry) error {
	if !p.over {
		panic("staged")
	}
	return nil
}

// Each of several choices may make as much as the model makes at most.
func TestReserve_CountsEachChoice(t *testing.T) {
	f := func(ask string, want int64) {
		t.Helper()
		counters := &lastAsk{Counters: policy.NewMeter(policy.MeterOptions{})}
		g := newTestGateway(t, one(t, always(whole(wholeReply))), limited(t, nil, dollars(1e12)), func(o *Options, s *Snapshot) {
			o.Counters = counters
			s.Accounts["one"][0].Can = func(string) providers.Capabilities { return providers.Capabilities{MaxOutput: 1000} }
		})
		if status, _, body := g.post(t, ask); status != 200 {
			t.Fatalf("status %d: %s", status, body)
		}
		if counters.output != want {
			t.Errorf("%s reserves %d tokens of output, want %d", ask, counters.output, want)
		}
	}
	f(askWhole, 1000)
	f(strings.Replace(askWhole, "{", `{"n":8,`, 1), 8000)
	f(strings.Replace(askWhole, "{", `{"n":8,"max_tokens":10,`, 1), 80)
}

type lastAsk struct {
	policy.Counters
	output int64
}

func (c *lastAsk) Take(ctx context.Context, a *policy.Ask) (policy.Verdict, error) {
	c.output = a.Output
	return c.Counters.Take(ctx, a)
}

// A limit that is narrowed to one provider leaves the others free.
func TestReserve_ANarrowLimitMovesOn(t *testing.T) {
	g := newTestGateway(t, map[string]*script{"one": newScript(t, always(whole(wholeReply))), "two": newScript(t, always(whole(wholeReply)))},
		limited(t, []storage.Limit{{Scope: everyKey, RequestsPerMinute: 1, Models: []string{"one/*"}}}))
	for _, want := range []string{"one", "two"} {
		status, h, body := g.post(t, strings.Replace(askWhole, "one/m", "pair", 1))
		if status != 200 || h.Get("x-aistrale-provider") != want {
			t.Errorf("status %d by %q, want %q: %s", status, h.Get("x-aistrale-provider"), want, body)
		}
	}
	if status, _, body := g.post(t, askWhole); status != 429 {
		t.Errorf("status %d: %s", status, body)
	}
}

// "max_tokens": null says nothing: what the model makes at most is then no estimate.
func TestReserve_NullIsNoBound(t *testing.T) {
	g := newTestGateway(t, one(t, always(whole(wholeReply))), limited(t, []storage.Limit{{Scope: everyKey, TokensPerMinute: 1000}}), func(_ *Options, s *Snapshot) {
		s.Accounts["one"][0].Can = func(string) providers.Capabilities { return providers.Capabilities{MaxOutput: 128_000} }
	})
	if status, _, body := g.post(t, strings.Replace(askWhole, "{", `{"max_tokens":null,`, 1)); status != 200 {
		t.Errorf("status %d: %s", status, body)
	}
}

// A faster tier is reserved for, whatever service_tier says beside it.
func TestReserve_Tiers(t *testing.T) {
	fast, usual := int64(60e9), int64(1e9)
	f := func(fields string, want int64) {
		t.Helper()
		counters := &lastBudget{Counters: policy.NewMeter(policy.MeterOptions{})}
		g := newTestGateway(t, one(t, always(whole(wholeReply))), limited(t, nil, dollars(1e12)), func(o *Options, s *Snapshot) {
			o.Counters = counters
			o.Watch = providers.NewWatch([]providers.Governed{{Path: "speed", Effect: providers.ChangesPrice}, {Path: "service_tier", Effect: providers.ChangesPrice, Except: []string{"default"}}})
			s.Prices = policy.NewPriceBook([]storage.Price{{ID: "one", Provider: "one", Model: "m", Rates: []storage.Rate{
				{Input: &usual, Output: &usual}, {Tier: "fast", Input: &fast, Output: &fast},
			}}})
			key, err := storage.KeyOf("test", testKey)
			if err != nil {
				t.Fatal(err)
			}
			key.Models, key.Allow = []string{"*"}, []string{"speed", "service_tier"}
			s.Keys = policy.NewKeyring([]storage.Key{key})
		})
		if status, _, body := g.post(t, strings.Replace(askWhole, "{", "{"+fields, 1)); status != 200 {
			t.Fatalf("status %d: %s", status, body)
		}
		if counters.perMillion != want {
			t.Errorf("%s reserves at %d, want %d", fields, counters.perMillion, want)
		}
	}
	f(`"service_tier":"default",`, usual)
	f(`"service_tier":"default","speed":"fast",`, fast)
	f(`"service_tier":"flex","speed":"fast",`, fast)
	f(``, fast)
}

type lastBudget struct {
	policy.Counters
	perMillion int64
}

func (c *lastBudget) Take(ctx context.Context, a *policy.Ask) (policy.Verdict, error) {
	c.perMillion = a.Budgets[0].PerMillion
	return c.Counters.Take(ctx, a)
}

// What a call has waited for one target it does not wait for the next one again.
func TestReserve_WaitsOnceOverAllTargets(t *testing.T) {
	f := &flight{state: &Snapshot{Patience: policy.Patience{MaxWait: 3 * time.Second, MaxDepth: 8, Held: time.Second}}, key: &storage.Key{ID: "k", Priority: 2}}
	want := policy.Patience{Key: "k", Priority: 2, MaxWait: 3 * time.Second, MaxDepth: 8, Held: time.Second, Leases: f.patience().Leases}
	if got := f.patience(); got != want {
		t.Errorf("%+v", got)
	}
	f.bill.lease.waited = 2 * time.Second
	want.MaxWait, want.Held = time.Second, 0
	if got := f.patience(); got != want {
		t.Errorf("%+v", got)
	}
	f.bill.reset()
	if got := f.patience(); got.Held != time.Second {
		t.Errorf("the next call has %+v", got)
	}

	g := newTestGateway(t, map[string]*script{"one": newScript(t, always(whole(wholeReply))), "two": newScript(t, always(whole(wholeReply)))},
		limited(t, nil, dollars(1e9)), func(o *Options, s *Snapshot) {
			o.Counters, s.Patience.Held = &spoken{policy.NewMeter(policy.MeterOptions{})}, 50*time.Millisecond
		})
	if status, _, body := g.post(t, strings.Replace(askWhole, "one/m", "pair", 1)); status != 429 || !strings.Contains(body, "reserved by requests under way") {
		t.Errorf("status %d: %s", status, body)
	}
}

// spoken counters have all that is left of each budget reserved.
type spoken struct{ policy.Counters }

func (c *spoken) Take(context.Context, *policy.Ask) (policy.Verdict, error) {
	return policy.Verdict{Refused: policy.Refused{Kind: policy.AskBudget, Held: true}}, nil
}

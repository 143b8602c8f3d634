package proxy

import (
	"bufio"
	"context"
	"errors"
	"io"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/redis"
	"github.com/aistrale/aistrale/storage/storagetest"
)

// get asks the gateway's own address as the test key.
func (g *testGateway) get(t *testing.T, path string, headers ...string) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, g.url+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("authorization", "Bearer "+testKey)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(text)
}

func (g *testGateway) me(t *testing.T, headers ...string) (said me) {
	t.Helper()
	status, _, body := g.get(t, "/v1/me", headers...)
	if status != 200 {
		t.Fatalf("status %d: %s", status, body)
	}
	if err := json.Unmarshal([]byte(body), &said, json.RejectUnknownMembers(true)); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return said
}

func counting(c policy.Counters) setting { return func(o *Options, _ *Snapshot) { o.Counters = c } }

// owned has the test key be of somebody, and adds one of the same workspace.
func owned(_ *Options, s *Snapshot) {
	key := *s.Keys.ByID("testkey1")
	key.Owner, key.Project, key.Tags = "ada", "web", []string{"team=a"}
	s.Keys = policy.NewKeyring([]storage.Key{key})
}

// boundsOfAll has a limit and a budget on every scope.
func boundsOfAll(t *testing.T) setting {
	t.Helper()
	var limits []storage.Limit
	var budgets []storage.Budget
	for _, s := range []storage.Scope{
		{Kind: storage.ScopeKey, Name: "*"}, {Kind: storage.ScopeUser, Name: "ada"}, {Kind: storage.ScopeProject, Name: "*"},
		{Kind: storage.ScopeWorkspace, Name: "default"}, {Kind: storage.ScopeSession, Name: "*"}, {Kind: storage.ScopeAll},
		{Kind: storage.ScopeKey, Name: "another"},
	} {
		limits = append(limits, storage.Limit{Scope: s, RequestsPerMinute: 1, Burst: 100, RequestsPerDay: 50, TokensPerMinute: 1, BurstTokens: 100_000, Concurrent: 7})
		budgets = append(budgets, storage.Budget{Scope: s, Nano: 9_876_543_210, Per: storage.SpanMonth, TimeZone: "Europe/Berlin"},
			storage.Budget{Scope: s, Tokens: 100_000, Per: storage.SpanRolling, Rolling: time.Hour, Advisory: true})
	}
	return limited(t, limits, budgets...)
}

// meModes are the counters that a gateway may have.
func meModes(t *testing.T, test func(t *testing.T, c policy.Counters)) {
	t.Run("memory", func(t *testing.T) { test(t, policy.NewMeter(policy.MeterOptions{})) })
	t.Run("redis", func(t *testing.T) {
		c, err := redis.Open(redis.Options{URL: storage.NewSecret(storagetest.Redis(t)), Timeout: 5 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close(context.WithoutCancel(t.Context())) })
		test(t, flushing{c})
	})
	t.Run("degraded", func(t *testing.T) {
		f := policy.NewFallbackCounters(policy.FallbackOptions{Shared: lostCounters{}, History: func(context.Context, *policy.BudgetAsk, time.Time) ([]policy.Amount, error) {
			return nil, nil
		}})
		t.Cleanup(f.Close)
		test(t, f)
	})
}

// flushing settles before it says how things stand.
type flushing struct{ *redis.Counters }

func (f flushing) Gauge(ctx context.Context, a *policy.Ask) (policy.Gauge, error) {
	if err := f.Flush(ctx); err != nil {
		return policy.Gauge{}, err
	}
	return f.Counters.Gauge(ctx, a)
}

// lostCounters are shared counters that nobody can reach.
type lostCounters struct{}

var errLostCounters = errors.New("gone")

func (lostCounters) Take(context.Context, *policy.Ask) (policy.Verdict, error) {
	return policy.Verdict{}, errLostCounters
}
func (lostCounters) Extend(context.Context, *policy.Grant, int64) (bool, error) {
	return false, errLostCounters
}
func (lostCounters) Settle(*policy.Grant, policy.Spent)                   {}
func (lostCounters) Load(context.Context, *policy.BudgetAsk, int64) error { return errLostCounters }
func (lostCounters) Gauge(context.Context, *policy.Ask) (policy.Gauge, error) {
	return policy.Gauge{}, errLostCounters
}
func (lostCounters) Nodes() int { return 1 }
func (lostCounters) Seen(string) (policy.BudgetState, time.Time) {
	return policy.BudgetState{}, time.Time{}
}

// What a key is told is what the counters have, on every scope that binds it and on no other.
func TestMe(t *testing.T) {
	meModes(t, func(t *testing.T, counters policy.Counters) {
		g := newTestGateway(t, one(t, always(whole(wholeReply))), boundsOfAll(t), owned, counting(counters))
		const session = "s-1"
		for range 3 {
			if status, _, body := g.post(t, askWhole, "x-aistrale-session", session); status != 200 {
				t.Fatalf("status %d: %s", status, body)
			}
		}
		said := g.me(t, "x-aistrale-session", session)
		if said.ID != "testkey1" || said.Owner != "ada" || said.Project != "web" || said.Workspace != "default" || len(said.Tags) != 1 || said.Models[0] != "*" || said.ExpiresAt != nil {
			t.Errorf("%+v", said)
		}
		if want := map[bool]string{true: countersDegraded, false: countersOK}[t.Name() == "TestMe/degraded"]; said.Counters != want {
			t.Errorf("counters %q, want %q", said.Counters, want)
		}
		if len(said.Limits) != 5*4 || len(said.Budgets) != 5*2 {
			t.Fatalf("%d limits, %d budgets", len(said.Limits), len(said.Budgets))
		}
		seen := map[string]int{}
		for _, l := range said.Limits {
			seen[l.Scope]++
			if l.Left == nil {
				t.Errorf("%+v", l)
				continue
			}
			switch used := max(l.Burst, l.Limit) - *l.Left; {
			case l.Counts == "concurrent" && used != 0, l.Counts == "requests" && used != 3, l.Counts == "tokens" && used != 15:
				t.Errorf("%s %s: %d of %d used", l.Scope, l.Counts, used, l.Limit)
			}
		}
		for _, b := range said.Budgets {
			seen[b.Scope]++
			want := map[string]string{"usd": "0.000021", "tokens": "15"}[b.Counts]
			if b.Spent == nil || *b.Spent != want || *b.Reserved != "0" || b.Hard != (b.Counts == "usd") {
				t.Fatalf("%+v, want %s spent", b, want)
			}
			sum := new(big.Rat)
			for _, part := range []string{*b.Spent, *b.Reserved, *b.Left} {
				n, ok := new(big.Rat).SetString(part)
				if !ok {
					t.Fatalf("%q is no number", part)
				}
				sum.Add(sum, n)
			}
			if limit, _ := new(big.Rat).SetString(b.Limit); sum.Cmp(limit) != 0 {
				t.Errorf("%+v: the parts make %s", b, sum.FloatString(9))
			}
			if b.Counts == "usd" && (b.TimeZone != "Europe/Berlin" || b.Resets == nil || !b.Resets.After(time.Now())) || b.Counts == "tokens" && b.Per != "1h0m0s" {
				t.Errorf("%+v", b)
			}
		}
		for _, scope := range []string{"key/test", "user/ada", "project/web", "workspace/default", "session/" + session} {
			if seen[scope] != 6 {
				t.Errorf("%s: %d", scope, seen[scope])
			}
		}
		if without := g.me(t); len(without.Limits) != 4*4 || len(without.Budgets) != 4*2 {
			t.Errorf("without a session %d limits, %d budgets", len(without.Limits), len(without.Budgets))
		}
	})
}

// What calls under way hold is told as reserved.
func TestMe_UnderWay(t *testing.T) {
	g := newTestGateway(t, one(t, always(chunkHead, chunk(eventRole), chunk(eventHi), "<wait>")),
		limited(t, []storage.Limit{{Scope: everyKey, Concurrent: 2}}, dollars(1_000_000_000)))
	c := connect(t, g)
	say(t, c, request(strings.Replace(askStream, "{", `{"max_tokens":50,`, 1)))
	if _, err := bufio.NewReader(c).ReadString('\n'); err != nil { // it is under way
		t.Fatal(err)
	}
	said := g.me(t)
	if *said.Limits[0].Left != 1 || *said.Budgets[0].Reserved == "0" || *said.Budgets[0].Spent != "0" {
		t.Errorf("%+v %+v", said.Limits, said.Budgets)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestMe_NobodyCounts(t *testing.T) {
	g := newTestGateway(t, one(t, always(whole(wholeReply))), limited(t, []storage.Limit{{Scope: everyKey, RequestsPerMinute: 10}}, dollars(1000)), counting(lostCounters{}))
	said := g.me(t)
	if said.Counters != countersUnknown || said.Limits[0].Left != nil || said.Budgets[0].Spent != nil || said.Budgets[0].Limit != "0.000001" {
		t.Errorf("%+v", said)
	}
	if status, _, body := g.get(t, "/v1/me", "authorization", "Bearer sk-ais-testkey1-"+strings.Repeat("x", 43)); status != 401 || !strings.Contains(body, `"invalid_api_key"`) {
		t.Errorf("status %d: %s", status, body)
	}
	if status, _, body := g.get(t, "/v1/me/usage"); status != 503 || !strings.Contains(body, "keeps no usage") {
		t.Errorf("status %d: %s", status, body)
	}
}

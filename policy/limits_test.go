package policy_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// caller is a key with every holder.
func caller() *storage.Key {
	return &storage.Key{ID: "abcdefgh", Name: "ci", Workspace: "default", Project: "web", Owner: "ann@example.org"}
}

func limits(t testing.TB, l []storage.Limit, b []storage.Budget) *policy.Limits {
	t.Helper()
	out, err := policy.NewLimits(l, b, policy.NewMeans())
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// noon of a Monday.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func wanted() *policy.Wanted {
	return &policy.Wanted{
		Lease: "l/1", Now: noon, Alive: time.Minute, Asked: "fast", Target: policy.Target{Provider: "groq", Model: "llama-3.3"},
		Input: 900, Estimate: 200, Output: 1000, Least: 1, Said: true,
		Upper: policy.Upper{Fixed: 5000, PerMillion: 2_000_000_000},
	}
}

// names lists the counters that are asked.
func names(a *policy.Ask) []string {
	var out []string
	for i := range a.Rates {
		out = append(out, a.Rates[i].Counter)
	}
	for i := range a.Slots {
		out = append(out, a.Slots[i].Counter)
	}
	for i := range a.Budgets {
		out = append(out, a.Budgets[i].Counter)
	}
	return out
}

func TestLimitsNames(t *testing.T) {
	f := func(l []storage.Limit, b []storage.Budget, want ...string) {
		t.Helper()
		var a policy.Ask
		if err := limits(t, l, b).For(caller()).Ask(&a, wanted()); err != nil {
			t.Fatal(err)
		}
		if got := names(&a); !slices.Equal(got, want) {
			t.Errorf("asked %q\n want %q", got, want)
		}
	}
	rpm := func(kind storage.ScopeKind, name string, models ...string) []storage.Limit {
		return []storage.Limit{{Scope: storage.Scope{Kind: kind, Name: name}, Models: models, RequestsPerMinute: 60}}
	}
	f(nil, nil)
	f(rpm("key", "ci"), nil, "rate:{default}key/ci:requests_per_minute:")
	f(rpm("key", "*"), nil, "rate:{default}key/ci:requests_per_minute*:")
	f(rpm("key", "other"), nil)
	f(rpm("user", "*"), nil, "rate:{default}user/ann@example.org:requests_per_minute*:")
	f(rpm("project", "web"), nil, "rate:{default}project/web:requests_per_minute:")
	f(rpm("workspace", "default"), nil, "rate:{default}workspace/default:requests_per_minute:")
	f(rpm("all", ""), nil, "rate:{*}all:requests_per_minute:")
	f(rpm("key", "ci", "groq/*", "b"), nil, "rate:{default}key/ci:requests_per_minute:b,groq/*")
	f(rpm("key", "ci", "fast"), nil, "rate:{default}key/ci:requests_per_minute:fast")
	f(rpm("key", "ci", "groq/llama-3.3"), nil, "rate:{default}key/ci:requests_per_minute:groq/llama-3.3")
	f(rpm("key", "ci", "groq/llama*"), nil, "rate:{default}key/ci:requests_per_minute:groq/llama*")
	f(rpm("key", "ci", "gr*"), nil, "rate:{default}key/ci:requests_per_minute:gr*")
	f(rpm("key", "ci", "groq/llama-3.3-*"), nil)
	f(rpm("key", "ci", "groqs/*"), nil)
	f(rpm("key", "ci", "openai/*"), nil)
	f([]storage.Limit{{Scope: storage.Scope{Kind: "key", Name: "ci"}, RequestsPerMinute: 1, RequestsPerDay: 2, TokensPerMinute: 300, Count: "output", Concurrent: 4}}, nil,
		"rate:{default}key/ci:requests_per_minute:", "rate:{default}key/ci:requests_per_day:",
		"rate:{default}key/ci:output_tokens_per_minute:", "slot:{default}key/ci:concurrent:")
	usd := func(per storage.BudgetSpan, zone string) []storage.Budget {
		return []storage.Budget{{Scope: storage.Scope{Kind: "key", Name: "ci"}, Nano: 1e9, Per: per, TimeZone: zone}}
	}
	f(nil, usd("month", ""), "budget:{default}key/ci:usd:month::2026-11-01")
	f(nil, usd("week", ""), "budget:{default}key/ci:usd:week::2026-11-23")
	f(nil, usd("day", "Pacific/Auckland"), "budget:{default}key/ci:usd:day@Pacific/Auckland::2026-11-24")
	f(nil, usd("total", ""), "budget:{default}key/ci:usd:total:")
	rolling := []storage.Budget{{Scope: storage.Scope{Kind: "all"}, Tokens: 5000, Count: "input", Per: "rolling", Rolling: 24 * time.Hour}}
	f(nil, rolling, "budget:{*}all:input_tokens:24h0m0s:")
}

// A key without an owner has no user's limits.
func TestLimitsNoOwner(t *testing.T) {
	key := caller()
	key.Owner = ""
	l := limits(t, []storage.Limit{{Scope: storage.Scope{Kind: "user", Name: "*"}, Concurrent: 1}}, nil)
	if l.For(key).Bounded() || !l.For(caller()).Bounded() {
		t.Error("a user's limit stands on a key without one, or on no key")
	}
}

func TestNewLimitsRefuses(t *testing.T) {
	f := func(l []storage.Limit, b []storage.Budget, want string) {
		t.Helper()
		if _, err := policy.NewLimits(l, b, policy.NewMeans()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %q", err, want)
		}
	}
	key := storage.Scope{Kind: "key", Name: "ci"}
	f([]storage.Limit{{Scope: key}}, nil, "it limits nothing")
	f([]storage.Limit{{Scope: key, Concurrent: 1, Models: []string{"a", "b"}}, {Scope: key, Concurrent: 2, Models: []string{"b", "a"}}}, nil, "limit of key/ci: concurrent is limited twice")
	f(nil, []storage.Budget{{Scope: key, Nano: 1, Per: "day"}, {Scope: key, Nano: 2, Per: "day"}}, "two budgets per day")
	f(nil, []storage.Budget{{Scope: key, Nano: 1, Per: "day", TimeZone: "Mars/Phobos"}}, "time_zone")
	f(nil, []storage.Budget{{Scope: key, Per: "day"}}, "set usd or tokens")
	_ = limits(t, []storage.Limit{{Scope: key, Concurrent: 1}, {Scope: key, RequestsPerMinute: 1}},
		[]storage.Budget{{Scope: key, Nano: 1, Per: "day"}, {Scope: key, Nano: 1, Per: "month"}, {Scope: key, Tokens: 1, Per: "day"}})
}

func TestAskUnits(t *testing.T) {
	scope := storage.Scope{Kind: "key", Name: "ci"}
	l := limits(t, []storage.Limit{
		{Scope: scope, RequestsPerMinute: 7, Burst: 3, TokensPerMinute: 10_000, BurstTokens: 500},
		{Scope: scope, TokensPerMinute: 10_000, Count: "input"},
		{Scope: scope, TokensPerMinute: 10_000, Count: "output"},
	}, []storage.Budget{
		{Scope: scope, Nano: 25e9, Per: "month", Soft: []int{50}},
		{Scope: scope, Tokens: 10_000, Per: "day"},
		{Scope: scope, Tokens: 10_000, Count: "input", Per: "day"},
		{Scope: scope, Tokens: 10_000, Count: "output", Per: "day", Advisory: true},
	})
	k := l.For(caller())
	ask := func(change func(*policy.Wanted)) *policy.Ask {
		t.Helper()
		var a policy.Ask
		w := wanted()
		change(w)
		if err := k.Ask(&a, w); err != nil {
			t.Fatal(err)
		}
		return &a
	}
	costs := func(a *policy.Ask, want ...int64) {
		t.Helper()
		var got []int64
		for i := range a.Rates {
			got = append(got, a.Rates[i].Cost)
		}
		if !slices.Equal(got, want) {
			t.Errorf("costs %d, want %d", got, want)
		}
	}
	a := ask(func(*policy.Wanted) {})
	costs(a, 1, 1200, 200, 1000)
	if r := a.Rates[0]; r.Interval != 8571428572 || r.Burst != 3 { // a seventh of a minute, rounded up
		t.Errorf("%+v", r)
	}
	if r := a.Rates[1]; r.Interval != 6*time.Millisecond || r.Burst != 500 {
		t.Errorf("%+v", r)
	}
	if a.Lease != "l/1" || a.Output != 1000 || a.Least != 1 || !a.Now.Equal(noon) || a.Alive != time.Minute {
		t.Errorf("%+v", a)
	}
	var got []string
	for _, b := range a.Budgets {
		got = append(got, fmt.Sprintf("%d %d %d %v %v %s %s", b.Limit, b.Fixed, b.PerMillion, b.Soft, b.Advisory, b.Window.Start.Format("0102"), b.Window.End.Format("0102")))
	}
	if want := []string{
		"25000000000 5000 2000000000 [50] false 1101 1201", "10000 900 1000000 [] false 1123 1124",
		"10000 900 0 [] false 1123 1124", "10000 0 1000000 [] true 1123 1124",
	}; !slices.Equal(got, want) {
		t.Errorf("budgets %q", got)
	}

	unsaid := func(w *policy.Wanted) { w.Said, w.Output = false, 100_000 }
	costs(ask(unsaid), 1, 500, 200, 500) // nothing is known of the key yet; a guess is no reason that a call never fits
	k.Learn([]providers.Normal{{Output: 30}, {Output: 10}})
	costs(ask(unsaid), 1, 240, 200, 40)
	for range 200 {
		k.Learn([]providers.Normal{{Output: 8000}})
	}
	costs(ask(unsaid), 1, 500, 200, 8000)
	costs(ask(func(w *policy.Wanted) { unsaid(w); w.Estimate = 600 }), 1, 600, 600, 8000)
	costs(ask(func(w *policy.Wanted) { w.Said, w.Output = false, 9 }), 1, 209, 200, 9)

	// Requests are charged once for a request, tokens for each attempt.
	var charged policy.Charged
	once := func(w *policy.Wanted) { w.Charged = &charged }
	costs(ask(once), 1, 1200, 200, 1000)
	charged.Note(ask(once))
	costs(ask(once), 1200, 200, 1000)
	charged.Reset()
	costs(ask(once), 1, 1200, 200, 1000)
}

func TestSpent(t *testing.T) {
	scope := storage.Scope{Kind: "key", Name: "ci"}
	k := limits(t, []storage.Limit{
		{Scope: scope, RequestsPerMinute: 7, TokensPerMinute: 10_000},
		{Scope: scope, TokensPerMinute: 10_000, Count: "input"},
		{Scope: scope, TokensPerMinute: 10_000, Count: "output"},
	}, []storage.Budget{
		{Scope: scope, Nano: 25e9, Per: "month"}, {Scope: scope, Tokens: 10_000, Per: "day"},
		{Scope: scope, Tokens: 10_000, Count: "input", Per: "day"}, {Scope: scope, Tokens: 10_000, Count: "output", Per: "day"},
	}).For(caller())
	f := func(m policy.Made, rates, budgets []int64) {
		t.Helper()
		var a policy.Ask
		if err := k.Ask(&a, wanted()); err != nil {
			t.Fatal(err)
		}
		var s policy.Spent
		g := policy.Grant{Ask: &a, Output: 500}
		g.Spent(&s, m)
		if !slices.Equal(s.Rates, rates) || !slices.Equal(s.Budgets, budgets) {
			t.Errorf("%+v", s)
		}
	}
	lines := []providers.Normal{{InputUncached: 10, CacheRead: 20, Output: 5}, {InputUncached: 100, Output: 2}}
	f(policy.Made{Lines: lines, Charge: storage.Charge{CostNano: 77}}, []int64{1, 137, 130, 7}, []int64{77, 137, 130, 7})
	// A cost that nobody knows is what was reserved: 5000 and 500 tokens at 2 USD a million.
	f(policy.Made{Lines: lines, Charge: storage.Charge{Unpriced: "unknown tier"}}, []int64{1, 137, 130, 7}, []int64{1_005_000, 137, 130, 7})
	f(policy.Made{}, []int64{1, 0, 0, 0}, []int64{0, 0, 0, 0}) // never sent
}

func TestAskGaps(t *testing.T) {
	f := func(change func(*storage.Budget, *policy.Wanted), want string) {
		t.Helper()
		b := storage.Budget{Scope: storage.Scope{Kind: "key", Name: "ci"}, Nano: 1e9, Per: "day"}
		w := wanted()
		change(&b, w)
		var a policy.Ask
		err := limits(t, nil, []storage.Budget{b}).For(caller()).Ask(&a, w)
		var fault *providers.Fault
		switch {
		case want == "" && (err != nil || len(a.Budgets) != 1):
			t.Errorf("%v, %d budgets", err, len(a.Budgets))
		case want != "" && (!errors.As(err, &fault) || fault.Code != want || fault.Kind != providers.FaultForbidden || !fault.NoRetry || !strings.Contains(fault.Error(), "set its `un")):
			t.Errorf("%v; want %s", err, want)
		}
	}
	free := policy.Upper{Unpriced: "no price"}
	f(func(*storage.Budget, *policy.Wanted) {}, "")
	f(func(_ *storage.Budget, w *policy.Wanted) { w.Upper = free }, "unpriced_model")
	f(func(b *storage.Budget, w *policy.Wanted) { w.Upper, b.Unpriced = free, "allow" }, "")
	f(func(b *storage.Budget, w *policy.Wanted) { w.Upper, b.Unpriced = free, "deny" }, "unpriced_model")
	f(func(b *storage.Budget, w *policy.Wanted) { w.Upper, b.Advisory = free, true }, "")
	f(func(b *storage.Budget, w *policy.Wanted) { w.Upper, b.Nano, b.Tokens = free, 0, 5 }, "")
	f(func(_ *storage.Budget, w *policy.Wanted) { w.Unbounded = "previous_response_id" }, "unbounded_call")
	f(func(b *storage.Budget, w *policy.Wanted) { w.Unbounded, b.Unbounded = "x", "allow" }, "")
	f(func(b *storage.Budget, w *policy.Wanted) { w.Unbounded, b.Unbounded = "x", "cap" }, "unbounded_call")
	f(func(b *storage.Budget, w *policy.Wanted) { w.Unbounded, b.Unbounded, w.Stream = "x", "cap", true }, "")
	f(func(b *storage.Budget, w *policy.Wanted) { w.Unbounded, b.Advisory = "x", true }, "")
}

// A budget's spans open by the calendar, and nothing of the ended one is asked again.
func TestBudgetSpans(t *testing.T) {
	k := limits(t, nil, []storage.Budget{{Scope: storage.Scope{Kind: "key", Name: "*"}, Nano: 1, Per: "day", TimeZone: "Europe/Berlin"}}).For(caller())
	f := func(now time.Time, want string) {
		t.Helper()
		got := k.Budgets(now)
		if name := got[0].Counter; !strings.HasSuffix(name, want) || now.Before(got[0].Window.Start) || !now.Before(got[0].Window.End) {
			t.Errorf("%s: %s %v", now, name, got[0].Window)
		}
	}
	f(noon, "::2026-11-23")
	f(noon.Add(11*time.Hour-1), "::2026-11-23")
	f(noon.Add(11*time.Hour), "::2026-11-24")
	f(noon, "::2026-11-23") // a clock that was set back, or a call that began before
}

var wantedOnce = wanted()

func BenchmarkAsk(b *testing.B) {
	scope := storage.Scope{Kind: "key", Name: "ci"}
	l := limits(b, []storage.Limit{{Scope: scope, RequestsPerMinute: 600, TokensPerMinute: 1e6, Concurrent: 50}},
		[]storage.Budget{{Scope: scope, Nano: 25e9, Per: "month"}})
	key := caller()
	var a policy.Ask
	b.ReportAllocs()
	for b.Loop() {
		_ = l.For(key).Ask(&a, wantedOnce)
	}
}

// Entries that mean one holder in several ways hold each by itself: none is counted in another.
func TestLimitsEachHolds(t *testing.T) {
	key := caller()
	slots := func(s storage.Scope, n int64) storage.Limit { return storage.Limit{Scope: s, Concurrent: n} }
	month := func(s storage.Scope) storage.Budget {
		return storage.Budget{Scope: s, Nano: 1e12, Per: storage.SpanMonth}
	}
	other := *caller()
	other.ID, other.Name = "other234", "other"
	scopes := []storage.Scope{
		{Kind: "key", Name: "*"}, {Kind: "key", Name: "ci"}, key.Scope(), {Kind: "key", Name: "*", Workspace: "default"},
		{Kind: "project", Name: "web", Workspace: "default"}, {Kind: "workspace", Name: "default", Workspace: "default"}, {Kind: "user", Name: "*", Workspace: "default"},
		{Kind: "key", Name: "*", Workspace: "elsewhere"}, {Kind: "workspace", Name: "elsewhere", Workspace: "elsewhere"}, other.Scope(),
	}
	const mean = 7 // the first so many
	var l []storage.Limit
	var b []storage.Budget
	for i, s := range scopes {
		l, b = append(l, slots(s, int64(10+i))), append(b, month(s))
	}
	all := limits(t, l, b)
	m := policy.NewMeter(policy.MeterOptions{Now: func() time.Time { return noon }})
	granted := 0
	for range 20 {
		var a policy.Ask
		if err := all.For(key).Ask(&a, wanted()); err != nil {
			t.Fatal(err)
		}
		if len(a.Slots) != mean || len(a.Budgets) != mean {
			t.Fatalf("asked %q", names(&a))
		}
		if v, err := m.Take(t.Context(), &a); err != nil {
			t.Fatal(err)
		} else if v.Grant != nil {
			granted++
		}
	}
	if granted != 10 {
		t.Errorf("%d calls at once where the strictest lets 10 through", granted)
	}
}

package storage

import (
	"strings"
	"testing"
	"time"
)

func TestLimitCheck(t *testing.T) {
	f := func(change func(*Limit), want string) {
		t.Helper()
		l := Limit{Scope: Scope{Kind: ScopeKey, Name: "ci"}, RequestsPerMinute: 60}
		change(&l)
		told(t, l.Check(), want)
	}
	f(func(*Limit) {}, "")
	f(func(l *Limit) { l.Scope.Name = "*" }, "")
	f(func(l *Limit) { l.Scope = Scope{Kind: ScopeAll} }, "")
	f(func(l *Limit) { l.Models = []string{"anthropic/*", "fast", "*"} }, "")
	f(func(l *Limit) { *l = Limit{Scope: l.Scope, TokensPerMinute: 5, BurstTokens: 50, Count: CountInput} }, "")
	f(func(l *Limit) { *l = Limit{Scope: l.Scope, Concurrent: 1} }, "")

	f(func(l *Limit) { l.RequestsPerMinute = 0 }, "limit of key/ci: it limits nothing")
	f(func(l *Limit) { l.RequestsPerMinute = -1 }, "requests_per_minute is -1")
	f(func(l *Limit) { l.TokensPerMinute = 60_000_000_001 }, "tokens_per_minute")
	f(func(l *Limit) { l.BurstTokens = 5 }, "burst_tokens goes with tokens_per_minute")
	f(func(l *Limit) { *l = Limit{Scope: l.Scope, RequestsPerDay: 5, Burst: 1} }, "burst goes with requests_per_minute")
	f(func(l *Limit) { l.Count = "words" }, `count: "words" is not all, input or output`)
	f(func(l *Limit) { l.Scope.Kind = "team" }, `scope "team/ci"`)
	f(func(l *Limit) { l.Scope.Name = "a b" }, "key")
	f(func(l *Limit) { l.Scope.Name = "" }, "the name is empty")
	f(func(l *Limit) { l.Scope.Kind = ScopeAll }, "has no name")
	f(func(l *Limit) { l.Models = []string{"a*b"} }, `"a*b" is no pattern`)
	f(func(l *Limit) { l.Models = []string{"a,b"} }, `"a,b" is no pattern`)
	f(func(l *Limit) { l.Models = []string{"a", "a"} }, "twice")
}

func TestBudgetCheck(t *testing.T) {
	f := func(change func(*Budget), want string) {
		t.Helper()
		b := Budget{Scope: Scope{Kind: ScopeProject, Name: "*"}, Nano: 25_000_000_000, Per: SpanMonth}
		change(&b)
		told(t, b.Check(), want)
	}
	f(func(*Budget) {}, "")
	f(func(b *Budget) { b.TimeZone, b.Soft = "Europe/Berlin", []int{50, 80, 100, 200} }, "")
	f(func(b *Budget) { b.Nano, b.Tokens, b.Count = 0, 5, CountOutput }, "")
	f(func(b *Budget) { b.Per, b.Rolling = SpanRolling, time.Hour }, "")
	f(func(b *Budget) { b.Per, b.Unpriced, b.Unbounded = SpanTotal, GapAllow, GapCap }, "")

	f(func(b *Budget) { b.Nano = 0 }, "budget of project/*: set usd or tokens")
	f(func(b *Budget) { b.Tokens = 5 }, "set usd or tokens, one of them")
	f(func(b *Budget) { b.Nano = -1 }, "usd: it must be")
	f(func(b *Budget) { b.Nano = 9_000_000_000_000_001 }, "usd: it must be from 0 to 9000000")
	f(func(b *Budget) { b.Nano, b.Tokens = 0, -5 }, "tokens: it must be")
	f(func(b *Budget) { b.Count = CountAll }, "count goes with tokens")
	f(func(b *Budget) { b.Per = "year" }, `per: "year"`)
	f(func(b *Budget) { b.Per = "" }, `per: ""`)
	f(func(b *Budget) { b.Per = SpanRolling }, "rolling window")
	f(func(b *Budget) { b.Rolling = time.Hour }, "does not go with")
	f(func(b *Budget) { b.Per, b.TimeZone = SpanTotal, "UTC" }, "time_zone goes with")
	f(func(b *Budget) { b.Soft = []int{80, 50} }, "soft")
	f(func(b *Budget) { b.Soft = []int{0} }, "soft")
	f(func(b *Budget) { b.Unpriced = GapCap }, "unpriced")
	f(func(b *Budget) { b.Unpriced = "maybe" }, `unpriced: "maybe"`)
	f(func(b *Budget) { b.Unbounded = "maybe" }, `unbounded: "maybe"`)
	f(func(b *Budget) { b.Scope = Scope{Kind: "team"} }, "scope")
}

// told holds an error to the words it must have; "" is no error.
func told(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Error(err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("%v; want %q", err, want)
	}
}

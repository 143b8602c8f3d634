package main

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

func TestLimitConfig_limit(t *testing.T) {
	f := func(text string, want storage.Limit) {
		t.Helper()
		c := mustLoad(t, "providers: [{name: mock}]\naliases: {fast: [mock/gpt]}\nlimits:\n  - "+text)
		got, err := c.Limits[0].limit()
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n got %+v, %v\nwant %+v", text, got, err, want)
		}
		if _, err := c.limits(policy.NewMeans(), &stock{}, nil); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	scope := func(kind storage.ScopeKind, name string) storage.Scope { return storage.Scope{Kind: kind, Name: name} }
	f("{scope: key/ci, requests_per_minute: 600, tokens_per_minute: 200000, concurrent: 50}",
		storage.Limit{Scope: scope(storage.ScopeKey, "ci"), RequestsPerMinute: 600, TokensPerMinute: 200_000, Concurrent: 50})
	f(`{scope: "*", concurrent: 1}`, storage.Limit{Scope: scope(storage.ScopeKey, "*"), Concurrent: 1})
	f(`{scope: all, requests_per_day: 60000000000}`, storage.Limit{Scope: scope(storage.ScopeAll, ""), RequestsPerDay: 60_000_000_000})
	f(`{scope: "user/*", concurrent: 1}`, storage.Limit{Scope: scope(storage.ScopeUser, "*"), Concurrent: 1})
	f(`{scope: user/ada@example.com, concurrent: 1}`, storage.Limit{Scope: scope(storage.ScopeUser, "ada@example.com"), Concurrent: 1})
	f(`{scope: workspace/w, models: ["mock/*", fast, "f*", "m*"], requests_per_minute: 6, burst: 2, tokens_per_minute: 9, burst_tokens: 3, count: output}`,
		storage.Limit{Scope: scope(storage.ScopeWorkspace, "w"), Models: []string{"mock/*", "fast", "f*", "m*"}, RequestsPerMinute: 6, Burst: 2,
			TokensPerMinute: 9, BurstTokens: 3, Count: storage.CountOutput})
}

func TestBudgetConfig_budget(t *testing.T) {
	f := func(text string, want storage.Budget) {
		t.Helper()
		c := mustLoad(t, "providers: [{name: mock}]\nbudgets:\n  - "+text)
		got, err := c.Budgets[0].budget()
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n got %+v, %v\nwant %+v", text, got, err, want)
		}
		if _, err := c.limits(policy.NewMeans(), &stock{}, nil); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	hard := storage.Budget{
		Scope: storage.Scope{Kind: storage.ScopeKey, Name: "ci"}, Nano: 25_000_000_000, Per: storage.SpanMonth,
		Soft: []int{50, 80, 100}, Unpriced: storage.GapDeny, Unbounded: storage.GapDeny,
	}
	f("{scope: key/ci, usd: 25, per: month}", hard)
	f("{scope: key/ci, usd: 25.000, per: month, hard: true}", hard)

	want := hard
	want.Nano = 100_000_001 // what binary floating point would not keep
	f("{scope: key/ci, usd: 0.100000001, per: month}", want)
	want.Nano = 9_000_000_000_000_000
	f("{scope: key/ci, usd: 9e6, per: month}", want)

	want = hard
	want.Per, want.Rolling = storage.SpanRolling, 36*time.Hour
	f("{scope: key/ci, usd: 25, per: 1d12h}", want)

	want = hard
	want.Nano, want.Tokens, want.Count, want.Per, want.TimeZone = 0, 5, storage.CountInput, storage.SpanWeek, "Europe/Berlin"
	want.Soft, want.Advisory, want.Unpriced, want.Unbounded = []int{}, true, storage.GapAllow, storage.GapCap
	f("{scope: key/ci, tokens: 5, count: input, per: week, time_zone: Europe/Berlin, soft: [], hard: false, unpriced: allow, unbounded: cap}", want)
}

func TestLimits_mistakes(t *testing.T) {
	t.Parallel()
	f := func(text string, want ...string) {
		t.Helper()
		file := writeConfig(t, "providers: [{name: mock}, {name: openai}]\naliases: {fast: [mock/gpt]}\n"+text)
		_, err := loadConfig(file, variables())
		if err == nil {
			t.Errorf("%q is accepted", text)
			return
		}
		lines := strings.Split(strings.ReplaceAll(err.Error(), file, "f"), "\n")
		if len(want) > 1 {
			lines = lines[1:]
		}
		if !reflect.DeepEqual(lines, want) {
			t.Errorf("%q\n got %s\nwant %s", text, strings.Join(lines, "\n     "), strings.Join(want, "\n     "))
		}
	}
	const forms = `key/NAME, user/NAME, project/NAME, workspace/NAME, session/*, "*" (each key) or all`
	f("limits: [{concurrent: 1}]", "f:3: limits[0]: scope: is missing; name "+forms)
	for _, bad := range []string{"ci", "team/x", "key", "all/x", "*/x", "'key/'", "key/a b"} {
		said := strings.Trim(bad, "'")
		want := `f:3: limits[0]: scope: "` + said + `" is not ` + forms
		switch said {
		case "key/":
			want = "f:3: limits[0]: scope: key: the name is empty"
		case "key/a b":
			want = `f:3: limits[0]: scope: key "a b": a name is letters, digits and . _ @ + - and begins with a letter or digit`
		}
		f("limits: [{scope: '"+said+"', concurrent: 1}]", want)
	}
	f("limits: [{scope: all}]", "f:3: limits[0]: limit of all: it limits nothing; set requests_per_minute, requests_per_day, tokens_per_minute or concurrent")
	f("limits: [{scope: all, concurrent: -1}]", "f:3: limits[0]: limit of all: concurrent is -1; it must be from 0 to 60000000000")
	f("limits: [{scope: all, concurrent: 1.5}]", `f:3: limits[0].concurrent: "1.5" is not a whole number`,
		"f:3: limits[0]: limit of all: it limits nothing; set requests_per_minute, requests_per_day, tokens_per_minute or concurrent")
	f("limits: [{scope: all, rpm: 1, concurrent: 1}]", "f:3: limits[0].rpm: unknown key; known are scope, models, requests_per_minute, requests_per_day, tokens_per_minute, count, concurrent, burst, burst_tokens")
	f("limits: [{scope: all, tokens_per_minute: 1, count: both}]", `f:3: limits[0]: limit of all: count: "both" is not all, input or output`)
	f("limits:\n  - {scope: '*', concurrent: 1, models: ['opanai/*']}", `f:4: limits[0].models[0]: "opanai/*" means no model: no provider "opanai" is configured, did you mean "openai"?`)
	f("limits:\n  - {scope: '*', concurrent: 1, models: [gpt-4o]}", `f:4: limits[0].models[0]: "gpt-4o" is neither provider/model nor an alias; known are fast`)
	f("limits:\n  - {scope: '*', concurrent: 1, models: [fsat, 'x*']}", `f:4: limits[0].models[0]: "fsat" is neither provider/model nor an alias, did you mean "fast"?`,
		`f:4: limits[0].models[1]: "x*" is neither provider/model nor an alias; known are fast`)
	f("limits:\n  - {scope: key/a, concurrent: 1}\n  - {scope: key/b, concurrent: 1}\n  - {scope: key/a, requests_per_minute: 1, concurrent: 2}\n  - {scope: key/a, concurrent: 1}",
		"f:6: limits[2]: limit of key/a: concurrent is limited twice for the same models")

	f("budgets: [{scope: key/a, per: day}]", "f:3: budgets[0]: budget of key/a: set usd or tokens, one of them, above 0")
	f("budgets: [{scope: key/a, usd: 1, tokens: 1, per: day}]", "f:3: budgets[0]: budget of key/a: set usd or tokens, one of them, above 0")
	f("budgets: [{scope: key/a, usd: much, per: day}]", `f:3: budgets[0]: usd: "much" is no decimal number`)
	f("budgets: [{scope: key/a, usd: 1e-10, per: day}]", `f:3: budgets[0]: usd: "1e-10" is finer than a nano-USD`)
	f("budgets: [{scope: key/a, usd: 1}]", `f:3: budgets[0]: per: "" is not day, week, month, total or a duration such as 24h or 30d`)
	f("budgets: [{scope: key/a, usd: 1, per: year}]", `f:3: budgets[0]: per: "year" is not day, week, month, total or a duration such as 24h or 30d`)
	f("budgets: [{scope: key/a, usd: 1, per: 1s}]", "f:3: budgets[0]: budget of key/a: per: a rolling window is from 1m0s to 9600h0m0s long")
	f("budgets: [{scope: key/a, usd: 1, per: day, time_zone: Mars/Base}]", `f:3: budgets[0]: time_zone: "Mars/Base" is not known; it is named such as Europe/Berlin`)
	f("budgets: [{scope: key/a, usd: 1, per: day, time_zone: Local}]", "f:3: budgets[0]: time_zone: name it, such as Europe/Berlin: the machines' own may differ")
	f("budgets: [{scope: key/a, usd: 1, per: day, unpriced: cap}]", "f:3: budgets[0]: budget of key/a: unpriced: what has no price cannot be counted up to a cap; choose deny or allow")
	f("budgets: [{scope: key/a, usd: 1, per: day, soft: [80, 50]}]", "f:3: budgets[0]: budget of key/a: soft: percentages from 1 to 1000, the lowest first, each once")
	f("budgets:\n  - {scope: key/a, usd: 1, per: day}\n  - {scope: key/a, usd: 2, per: day}", "f:5: budgets[1]: budget of key/a: two budgets per day for the same models")

	f("storage: {redis: 'http://u:canary@h'}", "f:3: storage.redis: is not a URL such as redis://user@host:6379/0, or rediss:// for TLS")
	f("storage: {redis_mode: open}", `f:3: storage.redis_mode: is "open"; known are local, deny, allow`)
	f("queue: {max_wait: 2m, max_depth: 0}", "f:3: queue.max_wait: must be from 0s, where no call waits, to 1m, which clients wait for",
		"f:3: queue.max_depth: must be at least 1; with max_wait: 0s no call waits")
}

// A key of the configuration may bring limits and budgets along; the scope is its own.
func TestKeyConfig_bounds(t *testing.T) {
	c := mustLoad(t, "providers: [{name: mock}]\nkeys: [{name: ci, key: "+goodKey+", limits: [{requests_per_minute: 6, models: [mock/gpt]}], budgets: [{usd: 5, per: 7d, hard: false}]}]")
	key, err := c.Keys[0].key()
	if err != nil {
		t.Fatal(err)
	}
	limits, budgets, err := key.Bounds.Of(key.Scope())
	if err != nil || limits[0].Scope != key.Scope() || limits[0].RequestsPerMinute != 6 || budgets[0].Nano != 5e9 || !budgets[0].Advisory {
		t.Errorf("%+v, %+v, %v", limits, budgets, err)
	}
	l, err := c.limits(policy.NewMeans(), &stock{}, []*storage.Key{&key})
	if err != nil || !l.For(&key).Budgeted() || !l.Budgeted() {
		t.Errorf("%v, %v", l, err)
	}
	revoked := key
	revoked.RevokedAt = &time.Time{}
	if l, err := c.limits(policy.NewMeans(), &stock{}, []*storage.Key{&revoked}); err != nil || l.Budgeted() {
		t.Errorf("what a revoked key brings along holds: %v", err)
	}
}

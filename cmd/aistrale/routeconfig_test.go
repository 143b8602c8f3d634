package main

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

func TestInherit(t *testing.T) {
	c := mustLoad(t, `
providers:
  - {name: mock}
  - {name: openai, retry: {max: 0, backoff: ~}, breaker: {failures: 0, requests: 0}}
  - {name: groq, retry: {budget_floor: 3}, breaker: {open_for: 1m}}
retry: {max: 5, max_backoff: 1s}
breaker: {failures: 7}
`)
	retry := RetryConfig{Max: 5, Backoff: 100 * time.Millisecond, MaxBackoff: time.Second, AfterMax: time.Second, BudgetPercent: 10, Floor: 10}
	breaker := BreakerConfig{Failures: 7, Requests: 20, Percent: 50, Window: 30 * time.Second, OpenFor: 10 * time.Second}
	f := func(i int, retry RetryConfig, breaker policy.Breaker) {
		t.Helper()
		p := &c.Providers[i]
		if p.Retry != retry || p.Breaker.rules() != breaker {
			t.Errorf("%s: %+v %+v", p.Name, p.Retry, p.Breaker)
		}
	}
	f(0, retry, policy.Breaker(breaker))
	none, few := retry, retry
	none.Max, few.Floor = 0, 3
	f(1, none, policy.Breaker{})
	breaker.OpenFor = time.Minute
	f(2, few, policy.Breaker(breaker))
}

func TestAliasConfig_alias(t *testing.T) {
	f := func(text string, want *policy.Alias) {
		t.Helper()
		c := mustLoad(t, "providers: [{name: mock}]\naliases:\n  a:\n"+text)
		got, err := c.Aliases[0].alias()
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n got %+v, %v\nwant %+v", text, got, err, want)
		}
	}
	gpt, claude := policy.Target{Provider: "mock", Model: "gpt"}, policy.Target{Provider: "mock", Model: "claude"}
	f("    targets: [mock/gpt, mock/claude]", &policy.Alias{Targets: []policy.Target{gpt, claude}})
	f(`
    targets: [mock/gpt, mock/claude]
    strategy: cheapest
    sticky: prefix
    fallback_on: [timeout, content_filter]
    timeouts: {first_byte: 2s, total: 1m}
    defaults: {temperature: 0.20, stop: ["a<b", "c"]}
    force: {user: null}
    hedge: {after: 3s, max_usd: 0.02}`,
		&policy.Alias{
			Targets: []policy.Target{gpt, claude}, Strategy: policy.StrategyCheapest, Sticky: policy.StickyPrefix,
			FallbackOn: 1<<policy.ReasonNone | 1<<policy.ReasonTimeout | 1<<policy.ReasonContentFilter,
			FirstByte:  2 * time.Second, Total: time.Minute, Hedge: policy.Hedge{After: 3 * time.Second, MaxNano: 20_000_000},
			Parameters: storage.Parameters{
				Defaults: []storage.Parameter{{Name: "temperature", Value: []byte("0.20")}, {Name: "stop", Value: []byte(`["a<b","c"]`)}},
				Force:    []storage.Parameter{{Name: "user", Value: []byte("null")}},
			},
		})
	gpt.Weight = 2
	f("    {targets: [{target: mock/gpt, weight: 2}], strategy: weighted}", &policy.Alias{Targets: []policy.Target{gpt}, Strategy: policy.StrategyWeighted})
}

// An alias that never falls back is not one that falls back as usual.
func TestAliasConfig_never(t *testing.T) {
	f := func(text string, want bool) {
		t.Helper()
		c := mustLoad(t, "providers: [{name: mock}]\naliases: {a: {targets: [mock/gpt]"+text+"}}")
		alias, err := c.Aliases[0].alias()
		if err != nil || alias.FallbackOn.Has(policy.ReasonOverloaded) != want {
			t.Errorf("%q: %v, %v", text, alias.FallbackOn, err)
		}
	}
	f("", true)
	f(", fallback_on: [overloaded]", true)
	f(", fallback_on: [timeout]", false)
	f(", fallback_on: []", false)
}

func TestKeyConfig_key(t *testing.T) {
	c := mustLoad(t, `
providers: [{name: mock}, {name: openai}]
keys:
  - name: ci
    key: `+goodKey+`
    deny_models: ["openai/o1*"]
    allow_providers: [openai]
    deny_providers: [mock]
    deny: [service_tier, tools]
    timeouts: {first_byte: 1s, stream_idle: 2s, total: 3s}
    defaults: {temperature: 1}
    force: {seed: 7}
    priority: -3
    sticky: session
workspaces: [{name: default, regions: [""]}, {name: w}]
`)
	got, err := c.Keys[0].key()
	want, wantErr := storage.KeyOf("ci", goodKey)
	want.DenyModels, want.AllowProviders, want.DenyProviders, want.Deny = []string{"openai/o1*"}, []string{"openai"}, []string{"mock"}, []string{"service_tier", "tools"}
	want.Timeouts = storage.KeyTimeouts{FirstByte: time.Second, StreamIdle: 2 * time.Second, Total: 3 * time.Second}
	want.Parameters = storage.Parameters{
		Defaults: []storage.Parameter{{Name: "temperature", Value: []byte("1")}}, Force: []storage.Parameter{{Name: "seed", Value: []byte("7")}},
	}
	want.Priority, want.Sticky = -3, "session"
	if err != nil || wantErr != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v, %v", got, err, wantErr)
	}
	stored := []storage.Tenant{
		{Name: "default", Settings: []byte(`{"regions":["eu"]}`)}, {Name: "team", Settings: []byte(`{"regions":["us"]}`)}, {Name: "free", Settings: []byte(`{}`)},
	}
	if r, err := c.regions(stored); err != nil || len(r) != 2 || !r.Allow("team", "us") || r.Allow("team", "eu") || !r.Allow("free", "us") || !r.Allow("default", "") || r.Allow("default", "eu") || !r.Allow("w", "eu") {
		t.Errorf("%v", r)
	}
}

func TestRouting_mistakes(t *testing.T) {
	const names = "providers: [{name: mock}, {name: openai, region: eu}]\n"
	f := func(text string, want ...string) {
		t.Helper()
		file := writeConfig(t, text)
		_, err := loadConfig(file, variables("SET", "x"))
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
	f(names+"retry:\n  max: 11\n  backoff: 3s\n  budget_percent: 101\n  budget_floor: -1",
		"f:3: retry.max: must be from 0, which is never, to 10", "f:3: retry.max_backoff: is less than backoff, 3s",
		"f:5: retry.budget_percent: must be from 0 to 100 retries for a hundred calls",
		"f:6: retry.budget_floor: is negative")
	f("providers:\n  - {name: mock, retry: {backoff: -1s}}", "f:2: providers[0].retry: a wait is negative")
	f(names+"breaker: {failures: -1, percent: 0, window: 1ms, open_for: 0s}", "f:2: breaker: failures or requests is negative; with 0 of both nothing breaks",
		"f:2: breaker.percent: must be from 1 to 100", "f:2: breaker.window: must be at least 1s", "f:2: breaker.open_for: must be at least 1s")
	f("providers: [{name: openai, api_key: a, api_keys: [{name: b, key: c}]}]", "f:1: providers[0]: api_key, api_keys and credentials: give one of them")
	f("providers: [{name: openai, api_keys: [{name: a, key: b, weight: 1}, {name: a, key: none}, {name: 'a b', weight: -1}]}]",
		`f:1: providers[0].api_keys[1].name: credential "a" stands twice, first at providers[0].api_keys[0].name`, "f:1: providers[0].api_keys[1].key: is missing",
		`f:1: providers[0].api_keys[2].name: credential "a b": a name is letters, digits and . _ @ + - and begins with a letter or digit`,
		"f:1: providers[0].api_keys[2].key: is missing", "f:1: providers[0].api_keys[2].weight: must be from 1 to 1000000",
		"f:1: providers[0].api_keys: some keys have a weight and some have none; give one to each, or to none")
	f("providers: [{name: openai, credentials: []}]", "f:1: providers[0].credentials: is empty; leave it out for the stored credential of the provider")
	f("providers: [{name: openai, credentials: [a, {name: a, weight: 1}], sticky: always}]",
		`f:1: providers[0].credentials[1]: credential "a" stands twice, first at providers[0].credentials[0]`,
		"f:1: providers[0].credentials: some credentials have a weight and some have none; give one to each, or to none",
		`f:1: providers[0].sticky: is "always"; known are session, prefix`)
	f(names+"workspaces:\n  - {name: w, regions: [ue]}\n  - {name: w, regions: []}\n  - {regions: [eu]}", `f:3: workspaces[0].regions[0]: no provider has the region "ue", did you mean "eu"?`,
		`f:4: workspaces[1].name: workspace "w" stands twice, first at workspaces[0].name`,
		"f:4: workspaces[1].regions: is empty, so that the workspace may use nothing; leave it out for every region", "f:5: workspaces[2].name: is missing")

	key := names + "keys:\n  - {name: a, key: " + goodKey + ", "
	f(key+"deny_models: [gpt-4o], allow_providers: [opnai], deny_providers: [groq]}", `f:3: keys[0].deny_models[0]: "gpt-4o" is neither provider/model nor an alias`,
		`f:3: keys[0].allow_providers[0]: no provider "opnai" is configured, did you mean "openai"?`,
		`f:3: keys[0].deny_providers[0]: no provider "groq" is configured; known are mock, openai`)
	f(key+"deny: [service_teir]}", `f:3: keys[0].deny[0]: "service_teir" is no governed field, did you mean "service_tier"?; a field that is not governed is set by force`)
	f(key+"force: {model: x}}", `f:3: keys[0]: key "a": force: model is the client's and the gateway's to set`)
	f(key+"defaults: {seed: null}}", `f:3: keys[0]: key "a": defaults: seed: null is what it is without a default`)
	f(key+"timeouts: {total: -1s}, sticky: x}", `f:3: keys[0]: key "a": timeouts: one is negative`)

	alias := names + "aliases:\n  a:\n    targets: [mock/gpt]\n    "
	f(alias+"strategy: fastest", `f:5: aliases.a.strategy: is "fastest"; known are ordered, weighted, least-latency, cheapest`)
	f(alias+"strategy: weighted", "f:5: aliases.a.strategy: is weighted, and the targets have no weights")
	f(names+"aliases: {a: {targets: [{target: mock/gpt, weight: 1}], strategy: cheapest}}",
		`f:2: aliases.a.strategy: is "cheapest", and the targets have weights, which only weighted looks at`)
	f(alias+"fallback_on: [timeuot]", `f:5: aliases.a.fallback_on: "timeuot" is no reason to fall back; known are rate_limited, overloaded, timeout, context_length, content_filter, auth, not_found, error`)
	f(alias+"timeouts: {total: -1s}", "f:5: aliases.a.timeouts: a timeout is negative; 0 is no bound of the alias' own")
	f(alias+"hedge: {max_usd: 1}", "f:5: aliases.a.hedge.after: is missing: without it no call is sent twice")
	f(alias+"hedge: {after: 1s, max_usd: 0}", "f:5: aliases.a.hedge.max_usd: must be more than 0; leave it out where a second call may cost what it will")
	f(alias+"force: {stream: true}", "f:4: aliases.a: force: stream is the client's and the gateway's to set")
	f(alias+"stiky: prefix", `f:5: aliases.a.stiky: unknown key, did you mean "sticky"?`)
	f(alias+"sticky: prefix\n  b: [a]", `f:6: aliases.b[0]: "a" is an alias with rules of its own, which would not hold here; name its targets`)
	f(names+"aliases: {a: {targets: [mock/gtp]}}", `f:2: aliases.a.targets[0]: provider mock does not serve "gtp", did you mean "gpt"?`)
	f(names+"aliases: {a: {strategy: ordered}}", "f:2: aliases.a: has no targets")
}

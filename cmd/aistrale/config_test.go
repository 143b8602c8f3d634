package main

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers/catalog"
	"github.com/aistrale/aistrale/storage"
)

// variables is an environment of a test's own.
func variables(pairs ...string) func(string) string {
	env := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		env[pairs[i]] = pairs[i+1]
	}
	return func(name string) string { return env[name] }
}

func writeConfig(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func mustLoad(t *testing.T, text string, env ...string) *Config {
	t.Helper()
	c, err := loadConfig(writeConfig(t, text), variables(env...))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const exampleFile = "../../config.example.yaml"

func TestExample_isDefaults(t *testing.T) {
	got, err := loadConfig(exampleFile, variables())
	if err != nil {
		t.Fatal(err)
	}
	want := defaults()
	got.places = nil // the defaults have none
	want.File, want.Keys, want.Prices = exampleFile, []KeyConfig{}, []PriceConfig{}
	want.TrustedProxies, want.AdminAllow = storage.Networks{}, storage.Networks{}
	want.Limits, want.Budgets, want.Workspaces = []LimitConfig{}, []BudgetConfig{}, []WorkspaceConfig{}
	want.Providers, want.Payloads.Rules = developerDefaults().Providers, []RedactionConfig{}
	want.inherit(func(string) bool { return false })
	if err := want.finish(); err != nil {
		t.Fatal(err)
	}
	// The order of the providers has no meaning.
	if !reflect.DeepEqual(got, want) {
		t.Errorf("config.example.yaml says\n%+v\nthe defaults are\n%+v", got, want)
	}
}

// Every key that a file may say must stand in the example, if only in a comment.
func TestExample_isComplete(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	var walk func(of reflect.Type)
	walk = func(of reflect.Type) {
		for of.Kind() == reflect.Slice {
			of = of.Elem()
		}
		if of.Kind() != reflect.Struct || isScalar(of) {
			return
		}
		for i := range of.NumField() {
			if key, ok := keyOf(of.Field(i)); ok {
				if !regexp.MustCompile(`(?m)(^|[ {])`+key+`: `).Match(text) && !regexp.MustCompile(`(?m)^[ #]*`+key+`:$`).Match(text) {
					t.Errorf("%s of %s is not in config.example.yaml", key, of.Name())
				}
				walk(of.Field(i).Type)
			}
		}
	}
	walk(reflect.TypeFor[Config]())
}

// The commented parts of the example must hold too, once their comments are taken away.
func TestExample_comments(t *testing.T) {
	text, err := os.ReadFile(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	c := mustLoad(t, uncommented(string(text)), "MINE_API_KEY", "m", "GROQ_KEY_A", "a", "GROQ_KEY_B", "b", "AISTRALE_CI_KEY", "sk-ais-ci000000-"+strings.Repeat("x", 32),
		"AZURE_OPENAI_API_KEY", "a", "AWS_KEY", "id:secret", "VERTEX_CREDENTIALS", "ya29.x", "OIDC_SECRET", "s")
	if len(c.Aliases) != 3 || len(c.Keys) != 1 || len(c.Providers) != 14 || c.Providers[6].Quirks.Rename["max_completion_tokens"] != "max_tokens" {
		t.Errorf("%+v", c)
	}
	if len(c.Prices) != 7 || len(c.Limits) != 2 || len(c.Budgets) != 2 || len(c.Workspaces) != 1 {
		t.Errorf("%+v", c)
	}
}

// uncommented takes the comments from the example's settings.
func uncommented(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if after, ok := strings.CutPrefix(line, "  # "); ok {
			line = "  " + after
		}
		for _, empty := range []string{"keys: []", "aliases: {}", "prices: []", "workspaces: []", "limits: []", "budgets: []"} {
			line = strings.Replace(line, empty, empty[:len(empty)-3], 1)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "")
}

func TestLoadConfig_developer(t *testing.T) {
	c, err := loadConfig("", variables("OPENAI_API_KEY", "sk-x"))
	if err != nil {
		t.Fatal(err)
	}
	if !c.Developer || c.Listen != "127.0.0.1:8080" || c.AdminListen != "127.0.0.1:8081" || c.DataDir != "./data" || c.Node == "" {
		t.Errorf("%+v", c)
	}
	var names []string
	for _, p := range c.Providers {
		names = append(names, p.Name)
		if !p.APIKey.Empty() || p.NoKey || p.Timeouts.FirstByte != 600*time.Second {
			t.Errorf("%+v", p)
		}
	}
	if want := append(catalog.First(), "mock"); !reflect.DeepEqual(names, want) {
		t.Errorf("providers %v", names)
	}
}

// The example of the public contract, word for word where this release keeps it.
func TestLoadConfig_contract(t *testing.T) {
	c := mustLoad(t, `
listen: ":8080"
admin_listen: "127.0.0.1:8081"
data_dir: ./data
providers:
  - name: anthropic
    base_url: https://api.anthropic.com/
    api_key: ${ANTHROPIC_API_KEY}
  - {name: groq}
  - {name: openai}
  - {name: mine, dialect: openai, base_url: "http://10.0.0.7:8000/v1", api_key: none}
  - {name: mock}
keys:
  - {name: ci, key: "${AISTRALE_CI_KEY}", models: ["anthropic/*", "fast"]}
aliases:
  fast: [groq/llama-3.3-70b-versatile, openai/gpt-4o-mini]
limits:
  - {scope: key/ci, requests_per_minute: 600, tokens_per_minute: 200000, concurrent: 50}
budgets:
  - {scope: key/ci, usd: 25, per: month}
storage:
  postgres: ""
  redis: ""
`, "ANTHROPIC_API_KEY", "sk-ant-1", "AISTRALE_CI_KEY", "sk-ais-abcd1234-"+strings.Repeat("s", 32))
	p := c.Providers
	if c.Developer || p[0].BaseURL != "https://api.anthropic.com" || p[0].APIKey.Reveal() != "sk-ant-1" || p[0].NoKey {
		t.Errorf("%+v", p[0])
	}
	if !p[3].NoKey || !p[3].APIKey.Empty() || p[3].Dialect != "openai" {
		t.Errorf("%+v", p[3])
	}
	want := []AliasConfig{{Name: "fast", Targets: []TargetConfig{
		{Target: "groq/llama-3.3-70b-versatile", Provider: "groq", Model: "llama-3.3-70b-versatile"},
		{Target: "openai/gpt-4o-mini", Provider: "openai", Model: "gpt-4o-mini"},
	}}}
	if !reflect.DeepEqual(c.Aliases, want) {
		t.Errorf("%+v", c.Aliases)
	}
	key, err := c.Keys[0].key()
	if err != nil || key.ID != "abcd1234" || !key.Matches([]byte("sk-ais-abcd1234-"+strings.Repeat("s", 32)), time.Time{}) ||
		!reflect.DeepEqual(key.Models, []string{"anthropic/*", "fast"}) || key.ExpiresAt != nil {
		t.Errorf("%+v, %v", key, err)
	}
}

func TestLoadConfig_values(t *testing.T) {
	c := mustLoad(t, `
max_body: 1MiB
body_memory: "2097152"
timeouts: {first_byte: 90s, connect: 1.5s}
drain_timeout: 0s
metrics_token: 0123
concurrency: 7
providers:
  - &mine
    name: mine
    dialect: gemini
    base_url: http://127.0.0.1:1
    forward: [x-a]
    timeouts: {connect: 250ms}
    quirks: {strip: [a], rename: {b: c}, no_stream_usage: true, call_id: 9}
    region: eu
  - {name: anthropic, dialect: anthropic, base_url: https://proxy.example.com}
keys:
  - name: k
    key: sk-ais-abcd1234-`+strings.Repeat("s", 32)+`
    allow: [tools]
    project: p
    workspace: w
    owner: o
    tags: [t]
    expires: 2027-01-31
`)
	if c.MaxBody != 1<<20 || c.BodyMemory != 2<<20 || c.DrainTimeout != 0 || c.Concurrency != 7 || c.MetricsToken.Reveal() != "0123" {
		t.Errorf("%+v", c)
	}
	if c.Timeouts.FirstByte != 90*time.Second || c.Timeouts.Connect != 1500*time.Millisecond || c.Timeouts.StreamIdle != 300*time.Second {
		t.Errorf("%+v", c.Timeouts)
	}
	want := ProviderConfig{
		Name: "mine", Dialect: "gemini", BaseURL: "http://127.0.0.1:1", Forward: []string{"x-a"}, Region: "eu",
		Timeouts: UpstreamTimeouts{Connect: 250 * time.Millisecond, FirstByte: 90 * time.Second, StreamIdle: 300 * time.Second},
		Retry:    defaults().Retry, Breaker: defaults().Breaker,
		Quirks: QuirksConfig{Strip: []string{"a"}, Rename: map[string]string{"b": "c"}, NoStreamUsage: true, CallID: 9},
	}
	if !reflect.DeepEqual(c.Providers[0], want) {
		t.Errorf("%+v", c.Providers[0])
	}
	key, err := c.Keys[0].key()
	if err != nil || key.Project != "p" || key.Workspace != "w" || key.Owner != "o" || key.Allow[0] != "tools" || key.Tags[0] != "t" ||
		key.Models[0] != "*" || !key.ExpiresAt.Equal(time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v, %v", key, err)
	}
}

func TestLoadConfig_noFile(t *testing.T) {
	if _, err := loadConfig(filepath.Join(t.TempDir(), "none.yaml"), variables()); !errors.Is(err, os.ErrNotExist) || !strings.HasPrefix(err.Error(), "--config: ") {
		t.Errorf("error %v", err)
	}
}

// Whatever a file says, reading it ends in a mistake, or in a configuration that the gateway can
// serve by; and it is the same each time.
func FuzzConfig(f *testing.F) {
	const mock = "providers: [{name: mock}]\n"
	for _, seed := range []string{
		mock + "limits: [{scope: '*', requests_per_minute: 600, burst: 1, models: ['mock/*']}]\n",
		mock + "budgets: [{scope: user/ada, usd: 1e-3, per: 1d12h, soft: [1], unbounded: cap}, {scope: all, tokens: 5, per: week, time_zone: Asia/Tokyo}]\n",
		mock + "aliases: {a: {targets: &t [mock/gpt], force: {x: [&n {k: 0.10}, *n, ~, 'a']}, hedge: {after: 1s, max_usd: 1}}, b: *t}\n",
		mock + "keys: [{name: k, key: " + goodKey + ", deny: [tools], defaults: {temperature: ${A:-1}}, timeouts: {total: 1m}, sticky: session}]\n",
		"providers: [{name: openai, api_keys: [{name: a, key: ${A}, weight: 1}, {name: b, key: '${file:/x}', weight: 2}], retry: {max: 0}}, {name: groq, credentials: [a, {name: b}]}]\n",
		mock + "storage: {redis: 'rediss://u:p@h/1?cluster=true', redis_mode: deny}\nqueue: {max_wait: 1s}\nworkspaces: [{name: w, regions: ['']}]\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		read := func() (*Config, error) {
			root, err := parseYAML(strings.NewReader(text), "f")
			if err != nil {
				return nil, err
			}
			d := &decoder{
				found: &mistakes{file: "f"}, places: map[string]place{}, getenv: variables("A", "1"),
				readFile: func(string) ([]byte, error) { return []byte("content\n"), nil },
			}
			return d.config(defaults(), root)
		}
		c, err := read()
		again, errAgain := read()
		if !reflect.DeepEqual(c, again) || (err == nil) != (errAgain == nil) || err != nil && err.Error() != errAgain.Error() {
			t.Fatalf("%+v, %v\nand then\n%+v, %v", c, err, again, errAgain)
		}
		if err != nil {
			return
		}
		s := newState()
		s.means = policy.NewMeans()
		defer s.close()
		if _, err := s.build(c, &stock{}, "http://127.0.0.1:1"); err != nil {
			t.Errorf("what is accepted cannot be served by: %v", err)
		}
		_ = c.warnings(nil, "")
	})
}

// No way of printing a configuration, or a mistake in it, shows a secret.
func TestConfig_secrets(t *testing.T) {
	const canary = "canary-7f3a"
	key := "sk-ais-abcd1234-" + canary + strings.Repeat("s", 32)
	c := mustLoad(t, "providers: [{name: openai, api_key: "+canary+"}, {name: groq, api_keys: [{name: a, key: "+canary+"}]}]\nmetrics_token: "+canary+
		"\nkeys: [{name: k, key: "+key+"}]\nstorage: {redis: 'redis://u:"+canary+"@h'}")
	for _, text := range []string{fmtAll(c), fmtAll(*c), fmtAll(c.Providers), fmtAll(c.Keys), fmtAll(c.Storage)} {
		if strings.Contains(text, canary) || !strings.Contains(text, storage.Redacted) {
			t.Errorf("printed %s", text)
		}
	}
	_, err := loadConfig(writeConfig(t, `
providers:
  - {name: openai, api_key: [`+canary+`]}
  - {name: mine, dialect: openai, base_url: "http://u:`+canary+`@h/v1"}
  - {name: bare, dialect: openai, base_url: "`+canary+`"}
  - {name: file, dialect: openai, base_url: http://h, api_key: "${`+`MISSING}`+canary+`"}
keys:
  - {name: k, key: sk-ais-`+canary+`}
metrics_token: {a: `+canary+`}
storage: {redis: "redis://u:`+canary+`@h:%zz"}
`), variables())
	if err == nil || strings.Contains(err.Error(), canary) || !strings.HasPrefix(err.Error(), "7 mistakes:\n") {
		t.Errorf("error %v", err)
	}
}

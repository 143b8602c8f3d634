package main

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestOverride_precedence(t *testing.T) {
	t.Parallel()
	const file = "listen: ':1'\nmax_body: 1MiB\ntimeouts: {first_byte: 1s, idle: 1s}\nproviders: [{name: openai}, {name: groq}]\n"
	c := mustLoad(t, file,
		"AISTRALE_LISTEN", ":2",
		"AISTRALE_DATA_DIR", "/data/${VAR}", // taken as it stands
		"AISTRALE_METRICS_TOKEN", "a: ${b",
		"AISTRALE_TIMEOUTS_FIRST_BYTE", "2s",
		"AISTRALE_CONCURRENCY", "9",
		"AISTRALE_MAX_BODY", "2MiB",
		"AISTRALE_PROVIDERS", `[{name: mock}, {name: openai, api_key: "${KEY}"}]`,
		"AISTRALE_ALIASES", "{b: [mock/gpt], a: [mock/claude]}",
		"KEY", "k")
	if c.Listen != ":2" || c.DataDir != "/data/${VAR}" || c.MetricsToken.Reveal() != "a: ${b" || c.Concurrency != 9 || c.MaxBody != 2<<20 {
		t.Errorf("%+v", c)
	}
	if c.AdminListen != "127.0.0.1:8081" || c.Timeouts.FirstByte != 2*time.Second || c.Timeouts.Idle != time.Second || c.Timeouts.Read != 30*time.Second {
		t.Errorf("%+v", c.Timeouts)
	}
	if len(c.Providers) != 2 || c.Providers[1].APIKey.Reveal() != "k" || c.Aliases[0].Name != "b" || c.Aliases[1].Name != "a" {
		t.Errorf("%+v %+v", c.Providers, c.Aliases)
	}
}

func TestOverride_developer(t *testing.T) {
	t.Parallel()
	c, err := loadConfig("", variables("AISTRALE_LISTEN", "127.0.0.1:0", "AISTRALE_ADMIN_LISTEN", "127.0.0.1:0", "AISTRALE_TIMEOUTS", "{read: 1s}"))
	if err != nil || !c.Developer || c.Listen != "127.0.0.1:0" || c.Timeouts.Read != time.Second || c.Timeouts.Idle != 75*time.Second {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestOverride_journal(t *testing.T) {
	t.Parallel()
	f := func(want JournalConfig, env ...string) {
		t.Helper()
		if c := mustLoad(t, "providers: [{name: mock}]\njournal: {store: off, fsync: never}\n", env...); c.Journal != want {
			t.Errorf("%q: %+v", env, c.Journal)
		}
	}
	f(JournalConfig{"off", "never", "deny"})
	f(JournalConfig{"file", "never", "deny"}, "AISTRALE_JOURNAL", "file")
	f(JournalConfig{"off", "always", "continue"}, "AISTRALE_JOURNAL_FSYNC", "always", "AISTRALE_JOURNAL", "{on_error: continue}")
	f(JournalConfig{"postgres", "never", "deny"}, "AISTRALE_JOURNAL", "postgres", "AISTRALE_STORAGE_POSTGRES", "postgres://u:p$@h/db")
}

func TestOverride_mistakes(t *testing.T) {
	t.Parallel()
	f := func(want string, env ...string) {
		t.Helper()
		_, err := loadConfig("", variables(env...))
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: error %v, want %s", env, err, want)
		}
	}
	f(`AISTRALE_LISTEN: listen: "8080" is not an address`, "AISTRALE_LISTEN", "8080")
	f(`AISTRALE_TIMEOUTS_FIRST_BYTE: timeouts.first_byte: "5" is not a duration`, "AISTRALE_TIMEOUTS_FIRST_BYTE", "5")
	f(`AISTRALE_PROVIDERS: providers: is not YAML: did not`, "AISTRALE_PROVIDERS", "[")
	f(`AISTRALE_PROVIDERS: providers[0].model: unknown key, did you mean "models"?`, "AISTRALE_PROVIDERS", "[{name: mock, model: []}]")
	f(`AISTRALE_PROVIDERS: providers: want a list`, "AISTRALE_PROVIDERS", "mock")
	f(`AISTRALE_PROVIDERS: providers[0].base_url: is not a URL`, "AISTRALE_PROVIDERS", "[{name: openai, base_url: x}]")
	f(`AISTRALE_TIMEOUTS: timeouts.red: unknown key`, "AISTRALE_TIMEOUTS", "{red: 1s}")
	f(`AISTRALE_STORAGE_POSTGRES: storage.postgres: is not a URL`, "AISTRALE_STORAGE_POSTGRES", "mysql://h/db")
	f(`AISTRALE_JOURNAL: journal.store: is postgres, and storage.postgres is not set`, "AISTRALE_JOURNAL", "postgres")
	f(`AISTRALE_STORAGE_REDIS: storage.redis: is not a URL`, "AISTRALE_STORAGE_REDIS", "http://h")
	f(`AISTRALE_STORAGE_REDIS_MODE: storage.redis_mode: is "lokal", did you mean "local"?`, "AISTRALE_STORAGE_REDIS_MODE", "lokal")
	f(`AISTRALE_LIMITS: limits[0]: limit of key/*: it limits nothing`, "AISTRALE_LIMITS", "[{scope: '*'}]")
	f(`AISTRALE_QUEUE_MAX_DEPTH: queue.max_depth: must be at least 1`, "AISTRALE_QUEUE_MAX_DEPTH", "0")
}

// Every setting can be given as an environment variable.
func TestOverride_every(t *testing.T) {
	t.Parallel()
	var walk func(of reflect.Type, path string)
	walk = func(of reflect.Type, path string) {
		for i := range of.NumField() {
			key, ok := keyOf(of.Field(i))
			if !ok {
				continue
			}
			at := member(path, key)
			asked := false
			_, _ = loadConfig("", func(name string) string {
				asked = asked || name == envName(at)
				return ""
			})
			if !asked {
				t.Errorf("%s does not listen to %s", at, envName(at))
			}
			if isGroup(of.Field(i).Type) {
				walk(of.Field(i).Type, at)
			}
		}
	}
	walk(reflect.TypeFor[Config](), "")
}

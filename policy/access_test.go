package policy

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

func TestAllows(t *testing.T) {
	f := func(patterns, name string, want bool) {
		t.Helper()
		if got := Allows(strings.Fields(patterns), name); got != want {
			t.Errorf("Allows(%s, %s) = %v", patterns, name, got)
		}
	}
	f("", "openai/gpt-5", false)
	f("*", "openai/gpt-5", true)
	f("fast openai/*", "openai/gpt-5", true)
	f("openai/*", "openai", false)
	f("openai/*", "openai2/gpt-5", false)
	f("openai/gpt-5", "openai/gpt-5-mini", false)
	f("openai/gpt-5*", "openai/gpt-5-mini", true)
	f("gpt-5", "openai/gpt-5", false)
	f("openai/*-mini", "openai/gpt-5-mini", false) // a star stands at the end only
	f("OpenAI/*", "openai/gpt-5", false)
}

func TestAdmitModel(t *testing.T) {
	f := func(patterns, asked string, want bool, targets ...Target) {
		t.Helper()
		key := &storage.Key{Name: "team", Models: strings.Fields(patterns)}
		err := AdmitModel(key, asked, targets)
		if want {
			if err != nil {
				t.Errorf("%s with %s: %v", asked, patterns, err)
			}
			return
		}
		var fault *providers.Fault
		if !errors.As(err, &fault) || fault.Kind != providers.FaultForbidden || !fault.NoRetry || fault.Code != "model_not_found" ||
			fault.Message != "The key \"team\" does not have access to the model `"+asked+"`." {
			t.Errorf("%s with %s: %#v", asked, patterns, err)
		}
	}
	gpt, claude := Target{Provider: "openai", Model: "gpt-5"}, Target{Provider: "anthropic", Model: "claude"}
	f("*", "gpt-5", true, gpt)
	f("openai/*", "openai/gpt-5", true, gpt)
	f("openai/*", "gpt-5", true, gpt)
	f("anthropic/*", "gpt-5", false, gpt)
	f("gpt-5", "gpt-5", true, gpt)
	f("", "gpt-5", false, gpt)
	// An alias is granted by its own name: its targets may change behind it.
	f("fast", "fast", true, gpt, claude)
	f("openai/*", "fast", false, gpt, claude)
	f("openai/* anthropic/*", "fast", false, gpt, claude)
}

func TestAdmitFields(t *testing.T) {
	watch := providers.NewWatch([]providers.Governed{
		{Path: "models", Effect: providers.NamesModel},
		{Path: "fallback", Effect: providers.NamesModel},
		{Path: "service_tier", Effect: providers.ChangesPrice},
		{Path: "tools.#.type", Effect: providers.ReachesNetwork, Except: []string{"function"}},
		{Path: "previous", Effect: providers.NamesObject},
	})
	// models and allow are the key's lists (a "!" in allow begins one of deny), want what the refusal says; "" is none.
	f := func(models, allow, body, want string) {
		t.Helper()
		var doc providers.Document
		if err := doc.Scan([]byte(body), watch); err != nil {
			t.Fatal(err)
		}
		allowed, deny, _ := strings.Cut(allow, "!")
		key := &storage.Key{Name: "team", Models: strings.Fields(models), Allow: strings.Fields(allowed), Deny: strings.Fields(deny)}
		err := AdmitFields(key, doc.Hits, []Target{{Provider: "openrouter", Model: "a"}, {Provider: "second", Model: "a"}}[:1+strings.Count(models, "second/")])
		if want == "" {
			if err != nil {
				t.Errorf("%s: %v", body, err)
			}
			return
		}
		var fault *providers.Fault
		if !errors.As(err, &fault) || fault.Kind != providers.FaultForbidden || !fault.NoRetry || fault.Message != want {
			t.Errorf("%s: %v, not %s", body, err, want)
			return
		}
		if !strings.HasPrefix(fault.Message, "The field '"+fault.Param+"' ") {
			t.Errorf("%s: the refusal is about %s", body, fault.Param)
		}
	}
	f("openrouter/a", "", `{"model":"a"}`, "")
	f("*", "", `{"models":["b"],"fallback":"c","previous":"r","tools":[{"type":"web_search"}]}`, "")
	f("openrouter/a openrouter/b", "", `{"models":["a","b"]}`, "")
	f("openrouter/a fast", "", `{"fallback":"fast"}`, "")
	f("openrouter/a", "", `{"models":["a","b"]}`,
		`The field 'models' names the model "b", which the key may not use; the key "team" is not allowed to use it.`)
	f("openrouter/a", "", `{"fallback":{"of":["a",{"or":"b"}]}}`, // whatever its shape
		`The field 'fallback' names the model "b", which the key may not use; the key "team" is not allowed to use it.`)
	f("openrouter/a", "models", `{"models":["b"]}`, "")
	f("openrouter/a", "models", `{"models":["b"],"fallback":"b"}`,
		`The field 'fallback' names the model "b", which the key may not use; the key "team" is not allowed to use it.`)
	f("openrouter/a", "", `{"service_tier":"priority"}`, "")
	f("openrouter/*", "", `{"tools":[{"type":"function"},{"type":"web_search"}]}`,
		`The field 'tools.#.type' reaches a network; the key "team" is not allowed to use it.`)
	f("openrouter/*", "tools.#.type", `{"tools":[{"type":"web_search"}]}`, "")
	f("openrouter/*", "tools", `{"tools":[{"type":"web_search"}]}`, "")
	f("openrouter/*", "tool", `{"tools":[{"type":"web_search"}]}`,
		`The field 'tools.#.type' reaches a network; the key "team" is not allowed to use it.`)
	// A name is the provider's that reads it, and each target's provider may.
	f("openai/* openrouter/a", "", `{"models":["openai/gpt-5"]}`,
		`The field 'models' names the model "openai/gpt-5", which the key may not use; the key "team" is not allowed to use it.`)
	f("openrouter/openai/*", "", `{"models":["openai/gpt-5"]}`, "")
	f("openrouter/b second/a", "", `{"models":["b"]}`,
		`The field 'models' names the model "b", which the key may not use; the key "team" is not allowed to use it.`)
	// What is denied stays so, whatever else allows it.
	f("*", "tools ! tools", `{"tools":[{"type":"web_search"}]}`, `The field 'tools.#.type' is denied; the key "team" is not allowed to use it.`)
	f("*", "! service_tier", `{"service_tier":"priority"}`, `The field 'service_tier' is denied; the key "team" is not allowed to use it.`)
	f("*", "! service_tier", `{"previous":"r"}`, "")
	f("openrouter/*", "", `{"previous":"r"}`, `The field 'previous' names a stored object; the key "team" is not allowed to use it.`)
}

func TestAdmitTargets(t *testing.T) {
	claude, gpt, llama := Target{Provider: "anthropic", Model: "claude-x"}, Target{Provider: "openai", Model: "gpt-5"}, Target{Provider: "groq", Model: "llama"}
	// want are the targets that are left, "" is a refusal.
	f := func(key storage.Key, asked string, targets []Target, want ...string) {
		t.Helper()
		key.Name = "team"
		if key.Models == nil {
			key.Models = []string{"*"}
		}
		got, err := AdmitTargets(&key, asked, targets)
		var fault *providers.Fault
		if len(want) == 0 {
			if !errors.As(err, &fault) || fault.Kind != providers.FaultForbidden || fault.Code != "model_not_found" || !strings.Contains(fault.Message, asked) {
				t.Errorf("%+v: %v, %v", key, got, err)
			}
			return
		}
		names := make([]string, len(got))
		for i := range got {
			names[i] = got[i].Name()
		}
		if err != nil || !slices.Equal(names, want) {
			t.Errorf("%+v: %q (%v), want %q", key, names, err, want)
		}
	}
	all := []Target{claude, gpt, llama}
	f(storage.Key{}, "fast", all, "anthropic/claude-x", "openai/gpt-5", "groq/llama")
	f(storage.Key{Models: []string{"fast"}}, "fast", all, "anthropic/claude-x", "openai/gpt-5", "groq/llama")
	f(storage.Key{Models: []string{"slow"}}, "fast", all)
	f(storage.Key{DenyModels: []string{"fast"}}, "fast", all)
	f(storage.Key{DenyModels: []string{"openai/*"}}, "fast", all, "anthropic/claude-x", "groq/llama")
	f(storage.Key{DenyModels: []string{"OpenAI/GPT-5"}}, "fast", all, "anthropic/claude-x", "groq/llama")
	f(storage.Key{DenyModels: []string{"openai/gpt-5"}}, "openai/GPT-5", []Target{{Provider: "openai", Model: "GPT-5"}})
	f(storage.Key{DenyModels: []string{"openai/gpt-5"}}, "gpt-5", []Target{gpt})
	f(storage.Key{AllowProviders: []string{"groq", "openai"}}, "fast", all, "openai/gpt-5", "groq/llama")
	f(storage.Key{AllowProviders: []string{"mistral"}}, "fast", all)
	f(storage.Key{DenyProviders: []string{"groq"}, AllowProviders: []string{"groq", "openai"}}, "fast", all, "openai/gpt-5")
	f(storage.Key{DenyProviders: []string{"anthropic", "openai", "groq"}}, "fast", all)
}

// A body may not name, for the provider to read, what the key is denied.
func TestAdmitFields_deniedModel(t *testing.T) {
	watch := providers.NewWatch([]providers.Governed{{Path: "models", Effect: providers.NamesModel}})
	var doc providers.Document
	if err := doc.Scan([]byte(`{"models":["anthropic/claude-x"]}`), watch); err != nil {
		t.Fatal(err)
	}
	targets := []Target{{Provider: "openrouter", Model: "a"}}
	for _, deny := range []string{"openrouter/anthropic/*", "openrouter/Anthropic/Claude-X"} {
		key := &storage.Key{Name: "team", Models: []string{"*"}, DenyModels: []string{deny}}
		if err := AdmitFields(key, doc.Hits, targets); err == nil {
			t.Errorf("denied %s, but let through", deny)
		}
	}
	if err := AdmitFields(&storage.Key{Models: []string{"*"}, DenyModels: []string{"openai/*"}}, doc.Hits, targets); err != nil {
		t.Error(err)
	}
}

func TestLists(t *testing.T) {
	router := NewRouter(map[string][]string{"anthropic": nil, "openai": nil}, map[string]*Alias{
		"fast": {Targets: []Target{{Provider: "anthropic", Model: "c"}, {Provider: "openai", Model: "g"}}},
	}, func(string) (string, bool) { return "", false })
	f := func(key storage.Key, name string, want bool) {
		t.Helper()
		key.Models = append(key.Models, "fast", "anthropic/*", "other")
		if got := Lists(&key, name, router); got != want {
			t.Errorf("%+v: %s listed is %v", key, name, got)
		}
	}
	f(storage.Key{}, "fast", true)
	f(storage.Key{}, "openai/g", false)
	f(storage.Key{DenyProviders: []string{"openai"}}, "fast", true)
	f(storage.Key{DenyProviders: []string{"openai", "anthropic"}}, "fast", false)
	f(storage.Key{DenyProviders: []string{"anthropic"}}, "anthropic/c", false)
	f(storage.Key{DenyModels: []string{"anthropic/c"}}, "anthropic/c", false)
	f(storage.Key{DenyModels: []string{"anthropic/c"}}, "anthropic/d", true)
	f(storage.Key{DenyModels: []string{"x"}}, "other", true)
}

func TestAdmitAddress(t *testing.T) {
	only, err := storage.ParseNetwork("10.1.0.0/16")
	if err != nil {
		t.Fatal(err)
	}
	f := func(allow storage.Networks, client netip.Addr, want bool) {
		t.Helper()
		err := AdmitAddress(&storage.Key{Name: "k", AllowAddresses: allow}, client)
		var fault *providers.Fault
		if want != (err == nil) || err != nil && (!errors.As(err, &fault) || fault.Kind != providers.FaultForbidden || strings.Contains(fault.Message, "10.")) {
			t.Errorf("%s from %s: %v", allow, client, err)
		}
	}
	f(nil, netip.MustParseAddr("10.2.0.1"), true)
	f(nil, netip.Addr{}, true)
	f(storage.Networks{only}, netip.MustParseAddr("10.1.0.1"), true)
	f(storage.Networks{only}, netip.MustParseAddr("10.2.0.1"), false)
	f(storage.Networks{only}, netip.Addr{}, false)
}

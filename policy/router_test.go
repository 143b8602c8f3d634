package policy

import (
	"errors"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/providers"
)

func TestRouter_Resolve(t *testing.T) {
	served := map[string][]string{"openai": nil, "anthropic": {"claude"}, "openrouter": nil}
	aliases := map[string]*Alias{
		"fast":         {Targets: []Target{{Provider: "openai", Model: "gpt-5-mini"}, {Provider: "anthropic", Model: "claude"}}},
		"openai/gpt-5": {Targets: []Target{{Provider: "openrouter", Model: "openai/gpt-5"}}},
	}
	r := NewRouter(served, aliases, owner)
	f := func(name, want string) {
		t.Helper()
		alias, err := r.Resolve(name)
		if err != nil {
			t.Errorf("Resolve(%s): %v", name, err)
			return
		}
		if got := names(alias.Targets); got != want {
			t.Errorf("Resolve(%s) = %s, not %s", name, got, want)
		}
	}
	f("fast", "openai/gpt-5-mini anthropic/claude")
	f("openai/gpt-5", "openrouter/openai/gpt-5") // an alias goes before a provider
	f("openai/gpt-5.1", "openai/gpt-5.1")
	f("openrouter/meta/llama-4", "openrouter/meta/llama-4")
	f("gpt-5", "openai/gpt-5")
	f("anthropic/claude", "anthropic/claude")
}

func names(targets []Target) string {
	words := make([]string, len(targets))
	for i := range targets {
		words[i] = targets[i].Name()
	}
	return strings.Join(words, " ")
}

func TestRouter_ResolveRefuses(t *testing.T) {
	served := map[string][]string{"openai": nil, "anthropic": {"claude"}}
	r := NewRouter(served, nil, owner)
	none := func(name string, kind providers.FaultKind) {
		t.Helper()
		alias, err := r.Resolve(name)
		var fault *providers.Fault
		if alias != nil || !errors.As(err, &fault) || fault.Kind != kind || fault.Param != "model" {
			t.Errorf("Resolve(%q) = %v, %v", name, alias, err)
		}
	}
	none("nobody-knows", providers.FaultNoModel)
	none("claude-2", providers.FaultNoModel)           // the provider serves only what is listed
	none("anthropic/claude-2", providers.FaultNoModel) // likewise by its full name
	none("gemini-3", providers.FaultNoModel)           // its owner is not configured
	none("mistral/large", providers.FaultNoModel)
	none("", providers.FaultInvalid)
	none("openai/../admin", providers.FaultInvalid)
}

// owner stands for the catalogue.
func owner(model string) (string, bool) {
	switch {
	case strings.HasPrefix(model, "gpt-"):
		return "openai", true
	case strings.HasPrefix(model, "claude"):
		return "anthropic", true
	case strings.HasPrefix(model, "gemini-"):
		return "gemini", true
	}
	return "", false
}

func TestCheckModelName(t *testing.T) {
	f := func(name string, want bool) {
		t.Helper()
		if err := CheckModelName(name); (err == nil) != want {
			t.Errorf("CheckModelName(%q) = %v", name, err)
		}
	}
	f("gpt-5", true)
	f("ft:gpt-4o-mini:acme::abc123", true)
	f("@cf/meta/llama-3.1-8b-instruct", true)
	f("accounts/fireworks/models/deepseek-v3", true)
	f("a+b", true)
	f("..a", true)
	f(strings.Repeat("m", MaxModelName), true)
	f(strings.Repeat("m", MaxModelName+1), false)
	f("", false)
	f("/gpt", false)
	f("gpt/", false)
	f("a//b", false)
	f("a/./b", false)
	f("a/../b", false)
	f("..", false)
	f("a b", false)
	f("a?key=1", false)
	f("a%2fb", false)
	f("a#b", false)
	f("a\r\nb", false)
	f("modèle", false)
	for name, want := range map[string]string{"café": "'é'", "a b": "' '", "a\nb": `'\n'`, "a\xff": "'\ufffd'"} {
		if err := CheckModelName(name); err == nil || !strings.Contains(err.Error(), "the character "+want+";") {
			t.Errorf("CheckModelName(%q) = %v, want %s", name, err, want)
		}
	}
}

func TestTarget_Is(t *testing.T) {
	f := func(name string, want bool) {
		t.Helper()
		target := Target{Provider: "groq", Model: "openai/oss"}
		if got := target.Is(name); got != want || got != (target.Name() == name) {
			t.Errorf("Is(%s) = %v", name, got)
		}
	}
	f("groq/openai/oss", true)
	f("groq", false)
	f("groq/", false)
	f("", false)
	f("groq.openai/oss", false)
	f("groq/openai/osa", false)
	f("grop/openai/oss", false)
}

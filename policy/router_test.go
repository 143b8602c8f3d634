package policy

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/providers"
)

func TestRouter_Resolve(t *testing.T) {
	served := map[string][]string{"openai": nil, "anthropic": {"claude"}, "openrouter": nil}
	aliases := map[string][]Target{
		"fast":         {{Provider: "openai", Model: "gpt-5-mini"}, {Provider: "anthropic", Model: "claude"}},
		"openai/gpt-5": {{Provider: "openrouter", Model: "openai/gpt-5"}},
		"split": {
			{Provider: "openai", Model: "a", Weight: 1}, {Provider: "openai", Model: "b", Weight: 2}, {Provider: "openai", Model: "c", Weight: 1},
		},
	}
	before := append([]Target(nil), aliases["split"]...)
	r := NewRouter(served, aliases, owner)
	f := func(name string, pick float64, want string) {
		t.Helper()
		targets, err := r.Resolve(name, pick)
		var names []string
		for _, target := range targets {
			names = append(names, target.Name())
		}
		if got := strings.Join(names, " "); err != nil || got != want {
			t.Errorf("Resolve(%s, %v) = %s, %v, not %s", name, pick, got, err, want)
		}
	}
	f("fast", 0.9, "openai/gpt-5-mini anthropic/claude") // no weights: in their order
	f("openai/gpt-5", 0, "openrouter/openai/gpt-5")      // an alias goes before a provider
	f("openai/gpt-5.1", 0, "openai/gpt-5.1")
	f("openrouter/meta/llama-4", 0, "openrouter/meta/llama-4")
	f("gpt-5", 0, "openai/gpt-5")
	f("anthropic/claude", 0, "anthropic/claude")
	f("split", 0, "openai/a openai/b openai/c")
	f("split", 0.2499, "openai/a openai/b openai/c")
	f("split", 0.25, "openai/b openai/a openai/c")
	f("split", 0.7499, "openai/b openai/a openai/c")
	f("split", 0.75, "openai/c openai/a openai/b")
	f("split", 0.9999, "openai/c openai/a openai/b")
	if !reflect.DeepEqual(aliases["split"], before) {
		t.Errorf("the alias itself was put in order: %v", aliases["split"])
	}
}

func TestRouter_ResolveRefuses(t *testing.T) {
	served := map[string][]string{"openai": nil, "anthropic": {"claude"}}
	r := NewRouter(served, nil, owner)
	none := func(name string, kind providers.FaultKind) {
		t.Helper()
		targets, err := r.Resolve(name, 0)
		var fault *providers.Fault
		if targets != nil || !errors.As(err, &fault) || fault.Kind != kind || fault.Param != "model" {
			t.Errorf("Resolve(%q) = %v, %v", name, targets, err)
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

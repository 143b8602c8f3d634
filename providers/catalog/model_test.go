package catalog

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/providers"
)

func TestCapabilities(t *testing.T) {
	f := func(provider, model string, check func(providers.Capabilities) bool, says string) {
		t.Helper()
		can := Capabilities(provider, model)
		if !can.Known || !check(can) {
			t.Errorf("%s/%s: want %s, got %+v", provider, model, says, can)
		}
	}
	budget := func(c providers.Capabilities) bool {
		return c.BudgetMin == 1024 && c.BudgetMax > 1024 && !c.AdaptiveThinking && !c.NoSampling && !c.NoThinking
	}
	f("anthropic", "claude-sonnet-4-5", budget, "a thinking budget and sampling")
	f("anthropic", "claude-sonnet-4-5-20250929", budget, "a thinking budget and sampling")
	f("anthropic", "claude-haiku-4-5", func(c providers.Capabilities) bool { return budget(c) && !c.NoStructuredOutput }, "structured output")
	f("anthropic", "claude-opus-4-1", func(c providers.Capabilities) bool { return budget(c) && c.NoStructuredOutput }, "no structured output")
	f("anthropic", "claude-3-5-sonnet-latest", func(c providers.Capabilities) bool {
		return c.NoThinking && c.NoStructuredOutput && c.MaxOutput == 8192
	}, "an old model")
	f("anthropic", "claude-opus-4-5", func(c providers.Capabilities) bool { return budget(c) && slices.Contains(c.Efforts, "high") }, "efforts and a budget")
	f("anthropic", "claude-opus-4-6", func(c providers.Capabilities) bool { return c.AdaptiveThinking && c.BudgetMax > 0 && !c.NoSampling },
		"efforts, a budget, sampling")
	effort := func(c providers.Capabilities) bool {
		return c.AdaptiveThinking && c.BudgetMax == 0 && c.NoSampling && slices.Contains(c.Efforts, "xhigh") && c.MaxOutput == 128_000
	}
	for _, model := range []string{"claude-opus-4-7", "claude-opus-4-7-20260416", "claude-opus-4-8", "claude-opus-5", "claude-sonnet-5"} {
		f("anthropic", model, func(c providers.Capabilities) bool { return effort(c) && !c.ThinkingAlways }, "effort alone, no sampling")
	}
	for _, model := range []string{"claude-fable-5", "claude-mythos-5"} {
		f("anthropic", model, func(c providers.Capabilities) bool { return effort(c) && c.ThinkingAlways }, "effort alone, always")
	}
	f("gemini", "gemini-2.0-flash-001", func(c providers.Capabilities) bool { return c.LegacySchema && c.NoThinking }, "the old schema subset")
	f("gemini", "gemini-2.5-flash", func(c providers.Capabilities) bool {
		return !c.LegacySchema && c.BudgetMax == 24576 && c.BudgetMin == 0 && !c.ThinkingAlways
	}, "a budget that may be 0")
	f("gemini", "models/gemini-2.5-pro", func(c providers.Capabilities) bool { return c.BudgetMin == 128 && c.ThinkingAlways }, "a budget from 128")
	f("gemini", "gemini-2.5-flash-lite-preview-09-2025", func(c providers.Capabilities) bool { return c.BudgetMin == 512 }, "Lite's budget")
	f("gemini", "gemini-3-flash-preview", func(c providers.Capabilities) bool {
		return reflect.DeepEqual(c.Efforts, []string{"minimal", "low", "medium", "high"}) && c.ThinkingAlways && c.BudgetMax == 0
	}, "levels, lowest first")
	f("openai", "gpt-4o-mini-2024-07-18", func(c providers.Capabilities) bool { return c.MaxOutput == 16384 && c.NoThinking && !c.NoSampling }, "gpt-4o-mini")
	f("openai", "gpt-5", func(c providers.Capabilities) bool { return c.NoSampling && c.ThinkingAlways }, "always thinks")
	f("openai", "gpt-5.1", func(c providers.Capabilities) bool { return c.NoSampling && !c.ThinkingAlways }, "may be told not to think")
	f("groq", "llama-3.3-70b-versatile", func(c providers.Capabilities) bool { return c.NoThinking && c.NoImages }, "text alone")
	f("huggingface", "meta-llama/Llama-3.3-70B-Instruct:fastest", func(c providers.Capabilities) bool { return c.Context == 131072 }, "the model under its suffix")
	f("mock", "gemini", func(c providers.Capabilities) bool { return c.ThinkingAlways }, "a current Gemini")

	unknown := func(provider, model string) {
		t.Helper()
		if can := Capabilities(provider, model); !reflect.DeepEqual(can, providers.Capabilities{}) {
			t.Errorf("%s/%s: want nothing known, got %+v", provider, model, can)
		}
	}
	unknown("anthropic", "claude-opus-4-9")
	unknown("anthropic", "claude-opus-4-9-20261101")
	unknown("openai", "gpt-5.9")
	unknown("openai", "gpt-4omni")
	unknown("openai", "claude-sonnet-4-5")
	unknown("nobody", "gpt-4o")
	unknown("openai", "")
}

func TestOwner(t *testing.T) {
	f := func(model, want string) {
		t.Helper()
		got, ok := Owner(model)
		if got != want || ok != (want != "") {
			t.Errorf("Owner(%q) = %q, %v, want %q", model, got, ok, want)
		}
	}
	f("gpt-4o-mini", "openai")
	f("gpt-4o-mini-2024-07-18", "openai")
	f("gpt-4-0613", "openai")
	f("claude-sonnet-4-5", "anthropic")
	f("claude-3-5-sonnet-latest", "anthropic")
	f("gemini-2.5-flash", "gemini")
	f("gemini-2.0-flash-001", "gemini")
	f("llama-3.3-70b-versatile", "groq")
	f("meta-llama/Llama-3.3-70B-Instruct", "huggingface")
	f("openai/gpt-oss-120b", "") // Groq and HuggingFace both serve it
	f("gpt-4o-evil", "")
	f("gpt", "")
	f("claude", "")
	f("", "")
	f("-2024-08-06", "")
}

func TestUndated(t *testing.T) {
	f := func(name, want string) {
		t.Helper()
		if got := undated(name); got != want {
			t.Errorf("undated(%q) = %q, want %q", name, got, want)
		}
	}
	f("claude-sonnet-4-5-20250929", "claude-sonnet-4-5")
	f("gpt-4o-2024-08-06", "gpt-4o")
	f("gpt-4-0613", "gpt-4")
	f("gemini-2.0-flash-001", "gemini-2.0-flash")
	f("claude-3-5-sonnet-latest", "claude-3-5-sonnet")
	f("claude-opus-4-1", "claude-opus-4-1")
	f("gpt-4o", "gpt-4o")
	f("20250929", "20250929")
	f("-20250929", "-20250929")
	f("-", "-")
	f("", "")
}

func TestModels(t *testing.T) {
	for _, name := range append(First(), "mock") {
		list := Models(name)
		if len(list) == 0 {
			t.Errorf("%s has no models", name)
		}
		for i, m := range list {
			if m.Provider != name || m.Deprecated || i > 0 && list[i-1].ID >= m.ID {
				t.Errorf("%s: %s is of another provider, deprecated, or out of order", name, m.ID)
			}
		}
	}
}

// Every fact of the embedded file must be well-formed, since nothing checks it at run time.
func TestModelsFile(t *testing.T) {
	known := []string{"none", "default", "minimal", "low", "medium", "high", "xhigh", "max"}
	seen := map[string]bool{}
	for _, m := range stock().models {
		name := m.Provider + "/" + m.ID
		switch can := m.Can; {
		case seen[name]:
			t.Errorf("%s stands twice", name)
		case m.Source == "" || m.Provider != "mock" && m.Checked == "":
			t.Errorf("%s has no source or date", name)
		case can.MaxOutput < 0 || can.Context < 0 || can.BudgetMin > can.BudgetMax:
			t.Errorf("%s has limits out of order: %+v", name, can)
		case can.NoThinking && (len(can.Efforts) > 0 || can.BudgetMax > 0 || can.AdaptiveThinking || can.ThinkingAlways):
			t.Errorf("%s does not think, and does: %+v", name, can)
		case slices.ContainsFunc(can.Efforts, func(e string) bool { return !slices.Contains(known, e) }):
			t.Errorf("%s has an unknown effort: %v", name, can.Efforts)
		case m.Provider != "mock" && !strings.Contains(string(modelsJSON), `"name":"`+m.Source+`"`):
			t.Errorf("%s names the source %q, which the file does not", name, m.Source)
		}
		seen[name] = true
	}
	for _, name := range First() {
		if len(stock().named[name]) == 0 {
			t.Errorf("no model of %s", name)
		}
	}
}

func TestCapabilities_allocations(t *testing.T) {
	stock()
	if n := testing.AllocsPerRun(100, func() { Capabilities("openai", "gpt-4o-mini-2024-07-18") }); n > 0 {
		t.Errorf("a look-up allocates %v times", n)
	}
}

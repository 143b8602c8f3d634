package catalog

import (
	"reflect"
	"testing"
)

func TestCandidates(t *testing.T) {
	f := func(provider, model string, want ...string) {
		t.Helper()
		if got := Candidates(provider, model); !reflect.DeepEqual(got, want) {
			t.Errorf("%s/%s: got %q, want %q", provider, model, got, want)
		}
	}
	f("openai", "gpt-4o", "gpt-4o")
	f("openai", "gpt-4o-2024-05-13", "gpt-4o-2024-05-13", "gpt-4o")
	f("openai", "gpt-4-0613", "gpt-4-0613", "gpt-4")
	f("anthropic", "claude-sonnet-4-5-20250929", "claude-sonnet-4-5-20250929", "claude-sonnet-4-5")
	f("anthropic", "claude-3-7-sonnet-latest", "claude-3-7-sonnet-latest", "claude-3-7-sonnet", "claude-3-7-sonnet-20250219")
	f("gemini", "models/gemini-2.5-pro", "gemini-2.5-pro")
	f("gemini", "gemini-2.0-flash-001", "gemini-2.0-flash-001", "gemini-2.0-flash")
	f("huggingface", "meta-llama/Llama-3.3-70B-Instruct:groq", "meta-llama/Llama-3.3-70B-Instruct:groq", "meta-llama/Llama-3.3-70B-Instruct")
	f("openrouter", "a/b:free", "a/b:free", "a/b")
	f("mine", "m@2026-01-02", "m@2026-01-02", "m")
	f("mine", "m-v1:0", "m-v1:0")
	f("mine", "", []string(nil)...)
	f("mine", ":", ":")

	// Another model's price is worse than none.
	f("openai", "gpt-5.6-pro", "gpt-5.6-pro")
	f("anthropic", "claude-opus-4-9", "claude-opus-4-9")
	f("openai", "ft:gpt-4o-mini:org::id", "ft:gpt-4o-mini:org::id", "ft:gpt-4o-mini:org:", "ft:gpt-4o-mini:org", "ft:gpt-4o-mini", "ft")
}

func TestTier(t *testing.T) {
	f := func(provider, word, want string, wantKnown bool) {
		t.Helper()
		if got, known := Tier(provider, word); got != want || known != wantKnown {
			t.Errorf("Tier(%s, %q) = %q, %v, want %q, %v", provider, word, got, known, want, wantKnown)
		}
	}
	for _, word := range []string{"", "default", "auto", "standard"} {
		f("openai", word, "", true)
	}
	f("openai", "flex", "flex", true)
	f("openai", "priority", "priority", true)
	f("openai", "fast", "priority", true)
	f("openai", "scale", "scale", true)
	f("anthropic", "standard", "", true)
	f("anthropic", "priority", "priority", true)
	f("anthropic", "batch", "batch", true)
	f("anthropic", "fast", "fast", true)
	f("groq", "on_demand", "", true)
	f("groq", "flex", "flex", true)
	f("groq", "performance", "performance", true)
	f("gemini", "flex", "flex", true)
	f("mock", "default", "", true)
	f("openai", "ultra", "", false)
}

func TestPrices_mock(t *testing.T) {
	seen := 0
	for _, p := range Prices() {
		if p.Provider != "mock" {
			continue
		}
		seen++
		r := p.Rates[0]
		if *r.Input != 1_000_000_000 || *r.CacheRead != 1_000_000_000 || *r.CacheWrite1h != 1_000_000_000 || *r.Output != 2_000_000_000 || !p.From.IsZero() {
			t.Errorf("%s: %+v, want 1 and 2 USD a million, always", p.ID, r)
		}
	}
	if seen != 3 {
		t.Errorf("%d prices of the emulator, want gpt, claude, gemini", seen)
	}
}

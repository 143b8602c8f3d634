package catalog

import (
	"reflect"
	"slices"
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
	f("vertex", "provisioned_throughput", "provisioned_throughput", true)
	f("mock", "default", "", true)
	f("openai", "ultra", "", false)
}

func TestPrices_mock(t *testing.T) {
	seen := 0
	for _, p := range Prices() {
		if p.Provider != "mock" {
			continue
		}
		r := p.Rates[0]
		if r.Input == nil || r.CacheRead == nil {
			continue // of sounds and images
		}
		seen++
		if *r.Input != 1_000_000_000 || *r.CacheRead != 1_000_000_000 || *r.CacheWrite1h != 1_000_000_000 || *r.Output != 2_000_000_000 || !p.From.IsZero() {
			t.Errorf("%s: %+v, want 1 and 2 USD a million, always", p.ID, r)
		}
	}
	if seen != 3 {
		t.Errorf("%d prices of the emulator, want gpt, claude, gemini", seen)
	}
}

// A cloud's model is priced under the name of its maker's, and nothing else's.
func TestCandidates_clouds(t *testing.T) {
	f := func(provider, model, want string) {
		t.Helper()
		for _, name := range Candidates(provider, model) {
			for _, p := range Prices() {
				if p.Provider == provider && p.Model == name {
					if name != want {
						t.Errorf("%s/%s is priced as %s, want %q", provider, model, name, want)
					}
					return
				}
			}
		}
		if want != "" {
			t.Errorf("%s/%s has no price among %q", provider, model, Candidates(provider, model))
		}
	}
	f("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic.claude-sonnet-4-5")
	f("bedrock", "eu.anthropic.claude-opus-4-6-v1", "anthropic.claude-opus-4-6")
	f("bedrock", "jp.anthropic.claude-sonnet-4-6", "anthropic.claude-sonnet-4-6")
	f("bedrock", "global.anthropic.claude-haiku-4-5-20251001-v1:0", "global.anthropic.claude-haiku-4-5")
	f("bedrock", "arn:aws:bedrock:us-east-1:123456789012:inference-profile/global.anthropic.claude-opus-4-5-20251101-v1:0", "global.anthropic.claude-opus-4-5")
	f("bedrock", "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0")
	f("bedrock", "anthropic.claude-3-haiku-20240307-v1:0", "anthropic.claude-3-haiku")
	f("bedrock", "us.meta.llama4-scout-17b-instruct-v1:0", "meta.llama4-scout-17b-instruct-v1:0")
	f("bedrock", "amazon.titan-embed-text-v2:0", "amazon.titan-embed-text-v2:0")
	f("bedrock", "us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0", "")
	f("bedrock", "global.anthropic.claude-opus-4-1-20250805-v1:0", "")
	f("bedrock", "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3", "")
	f("bedrock", "anthropic.claude-opus-9-v1:0", "")
	f("vertex", "claude-sonnet-4-5@20250929", "claude-sonnet-4-5")
	f("vertex", "claude-opus-4@20250514", "claude-opus-4")
	f("vertex", "claude-opus-4-6", "claude-opus-4-6")
	f("vertex", "gemini-2.5-flash", "gemini-2.5-flash")
	f("vertex", "meta/llama-3.3-70b-instruct-maas", "meta/llama-3.3-70b-instruct-maas")
	f("azure", "gpt-4o-2024-08-06", "gpt-4o")
	f("azure", "gpt-5.1-chat", "gpt-5.1-chat")
	f("azure", "my-deployment", "")
	f("azure", "Cohere-embed-v3-english", "cohere-embed-v3-english")
	if got := Candidates("azure", "GPT-4o-2024-08-06"); !slices.Equal(got, []string{"GPT-4o-2024-08-06", "gpt-4o-2024-08-06", "gpt-4o"}) {
		t.Errorf("%q", got)
	}
}

// Clouds ask what the makers do, and a tenth more where a call stays in a part of the world.
func TestPrices_clouds(t *testing.T) {
	f := func(provider, model, as, makers string, thousandths int64) {
		t.Helper()
		cloud, maker := priceOf(t, provider, model), priceOf(t, as, makers)
		for _, f := range maker.Rates[0].Figures() {
			got := cloud.Rates[0].Figure(f.Name)
			switch {
			case *f.Nano == nil && *got == nil:
			case *f.Nano == nil || *got == nil:
				t.Errorf("%s: %s is known to one only", cloud.ID, f.Name)
			case f.Each && **got != **f.Nano, !f.Each && **got != (**f.Nano*thousandths+500)/1000:
				t.Errorf("%s: %s is %d, the maker's %d", cloud.ID, f.Name, **got, **f.Nano)
			}
		}
	}
	f("bedrock", "global.anthropic.claude-opus-4-5", "anthropic", "claude-opus-4-5", 1000)
	f("bedrock", "anthropic.claude-opus-4-5", "anthropic", "claude-opus-4-5", 1100)
	f("bedrock", "anthropic.claude-opus-4-1", "anthropic", "claude-opus-4-1", 1000)
	f("vertex", "claude-sonnet-4-6", "anthropic", "claude-sonnet-4-6", 1000)
	f("vertex", "gemini-2.5-pro", "gemini", "gemini-2.5-pro", 1000)
	f("azure", "gpt-5.1", "openai", "gpt-5.1", 1000)
	if vertex := priceOf(t, "vertex", "claude-sonnet-4-6"); vertex.Regions[Regional] != 1100 {
		t.Errorf("%s costs %v in a region", vertex.ID, vertex.Regions)
	}
	if azure := priceOf(t, "azure", "gpt-5.1"); azure.Regions["eu"] != 1100 || len(azure.Rates) != 2 {
		t.Errorf("%s has regions %v and %d rates", azure.ID, azure.Regions, len(azure.Rates))
	}
}

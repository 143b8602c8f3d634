// Package catalog knows providers and models: names, addresses, signers, quirks, capabilities.
// It is data; it must never speak to a network or hold a credential.
package catalog

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/aistrale/aistrale/providers"
)

// Languages lists the wire formats that a provider may speak, as configuration names them.
func Languages() []string { return []string{"openai", "anthropic", "gemini"} }

// Names lists the known providers: the five the gateway is tested with, then the compatible
// ones, then those that stand at an address of each customer's own; sorted within each group.
func Names() []string {
	names := First()
	for _, p := range compatible() {
		names = append(names, p.Name)
	}
	for _, c := range clouds() {
		names = append(names, c.name)
	}
	return names
}

// First lists the providers whose keys are looked for in the environment of a first start.
func First() []string { return []string{"anthropic", "gemini", "groq", "huggingface", "openai"} }

// Known gives a known provider by its name, without what Missing says of it. The emulator is not
// one provider but three: see Mock.
func Known(name string) (providers.Provider, bool) { return At(name, Settings{}) }

// At gives a known provider where the settings say that its account stands.
func At(name string, at Settings) (providers.Provider, bool) {
	if c, ok := cloudNamed(name); ok {
		return c.make(at), true
	}
	for _, list := range [...]func() []providers.Provider{first, compatible} {
		for _, p := range list() {
			if p.Name == name {
				if at.BaseURL != "" {
					p.BaseURL = at.BaseURL
				}
				return p, true
			}
		}
	}
	return providers.Provider{}, false
}

// Compatible gives a provider that only the configuration knows. Its error names the dialect.
func Compatible(name, dialect, baseURL string, quirks providers.Quirks) (providers.Provider, error) {
	p := providers.Provider{Name: name, BaseURL: baseURL, Quirks: quirks, OwnedBy: name}
	switch dialect {
	case "openai":
		p.Routes, p.Sign, p.Forward = openaiRoutes(openaiOps()...), providers.Bearer, openaiForward()
	case "anthropic":
		p.Routes, p.Sign, p.Forward = anthropicRoutes(), providers.HeaderKey("x-api-key"), anthropicForward()
		p.ForwardExact = anthropicVersion()
	case "gemini":
		p.Routes, p.Sign = geminiRoutes(), providers.HeaderKey("x-goog-api-key")
	default:
		return providers.Provider{}, fmt.Errorf("catalog: provider %q: unknown dialect %q, want one of %v", name, dialect, Languages())
	}
	return p, nil
}

// With gives a provider with the configuration's quirks added.
func With(p providers.Provider, quirks providers.Quirks) providers.Provider {
	for _, field := range quirks.Strip {
		if !slices.Contains(p.Quirks.Strip, field) {
			p.Quirks.Strip = append(p.Quirks.Strip, field)
		}
	}
	if len(quirks.Rename) > 0 {
		rename := maps.Clone(quirks.Rename)
		for from, to := range p.Quirks.Rename {
			if _, ok := rename[from]; !ok {
				rename[from] = to
			}
		}
		p.Quirks.Rename = rename
	}
	p.Quirks.NoStreamUsage = p.Quirks.NoStreamUsage || quirks.NoStreamUsage
	p.Quirks.CallID = cmp.Or(quirks.CallID, p.Quirks.CallID)
	return p
}

// Keeping gives a provider of OpenAI's language that keeps files, batches and the like as OpenAI
// does.
func Keeping(p providers.Provider) providers.Provider {
	p.Routes = maps.Clone(p.Routes)
	maps.Copy(p.Routes, openaiRoutes(keeping()...))
	return p
}

func first() []providers.Provider {
	return []providers.Provider{
		{
			Name: "anthropic", OwnedBy: "anthropic", BaseURL: "https://api.anthropic.com",
			Routes: anthropicKeeping(), Sign: providers.HeaderKey("x-api-key"), Forward: anthropicForward(), ForwardExact: anthropicVersion(),
			Env: []string{"ANTHROPIC_API_KEY"},
		},
		{
			Name: "gemini", OwnedBy: "google", BaseURL: "https://generativelanguage.googleapis.com/v1beta",
			Routes: geminiKeeping(), Sign: providers.HeaderKey("x-goog-api-key"),
			Env: []string{"GEMINI_API_KEY", "GOOGLE_API_KEY"},
		},
		groq(),
		huggingFace(),
		WithResponses(providers.Provider{
			Name: "openai", OwnedBy: "openai", BaseURL: "https://api.openai.com/v1",
			Routes: openaiRoutes(ownOps()...), Sign: providers.Bearer, Forward: openaiForward(),
			Env: []string{"OPENAI_API_KEY"},
		}),
	}
}

func groq() providers.Provider {
	return providers.Provider{
		Name: "groq", OwnedBy: "groq", BaseURL: "https://api.groq.com/openai/v1",
		// Source of files and batches: https://console.groq.com/docs/batch
		Routes: openaiRoutes(
			providers.OpChat, providers.OpEmbeddings, providers.OpFiles, providers.OpBatches,
			providers.OpSpeech, providers.OpTranscription, providers.OpTranslation,
		),
		Sign: providers.Bearer,
		Env:  []string{"GROQ_API_KEY"},
		Quirks: providers.Quirks{
			// "property 'store' is unsupported" (fanenr/chatbot#21, Gitlawb/openclaude#983) and
			// "metadata is not supported" (skye-harris/hass_local_openai_llm#59). Neither changes
			// the answer. Some models refuse prompt_cache_key too (eigent-ai/eigent#1827); it stays,
			// as it bears on what the provider caches: an operator may strip it by quirks.
			Strip: []string{"metadata", "store"},
		},
	}
}

func huggingFace() providers.Provider {
	return providers.Provider{
		Name: "huggingface", OwnedBy: "huggingface", BaseURL: "https://router.huggingface.co/v1",
		Routes: huggingFaceRoutes(), Sign: providers.Bearer,
		Env: []string{"HF_TOKEN"},
		Quirks: providers.Quirks{
			// Its chat schema knows none of these but logit_bias, "UNUSED" there, and the engines
			// behind the router differ: Groq and Cerebras answer 400 to some.
			// Source: https://github.com/huggingface/huggingface.js
			// packages/tasks/src/tasks/chat-completion/spec/input.json. Its own engine overlooks
			// max_completion_tokens (huggingface/text-generation-inference#2844).
			Strip: []string{
				"logit_bias", "metadata", "moderation", "prediction", "prompt_cache_key",
				"prompt_cache_retention", "safety_identifier", "service_tier", "store", "verbosity",
			},
			Rename: map[string]string{"max_completion_tokens": "max_tokens"},
		},
	}
}

func openaiForward() []string    { return []string{"openai-beta"} }
func anthropicForward() []string { return []string{"anthropic-beta"} }
func anthropicVersion() []string { return []string{"anthropic-version"} }

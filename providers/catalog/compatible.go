package catalog

import "github.com/aistrale/aistrale/providers"

// compatible lists providers that speak OpenAI's language: an address, the operations they
// serve, and what they refuse.
func compatible() []providers.Provider {
	const chat, completions, embeddings = providers.OpChat, providers.OpCompletions, providers.OpEmbeddings
	return []providers.Provider{
		{
			Name: "cerebras", OwnedBy: "cerebras", BaseURL: "https://api.cerebras.ai/v1",
			Routes: openaiRoutes(chat, completions), Sign: providers.Bearer,
			Env: []string{"CEREBRAS_API_KEY"},
			// "property 'body.store' is unsupported" (Gitlawb/openclaude#740).
			Quirks: providers.Quirks{Strip: []string{"metadata", "store"}},
		},
		{
			Name: "deepseek", OwnedBy: "deepseek", BaseURL: "https://api.deepseek.com/v1",
			Routes: openaiRoutes(chat), Sign: providers.Bearer,
			Env:    []string{"DEEPSEEK_API_KEY"},
			Quirks: providers.Quirks{Rename: map[string]string{"max_completion_tokens": "max_tokens"}},
		},
		{
			Name: "fireworks", OwnedBy: "fireworks", BaseURL: "https://api.fireworks.ai/inference/v1",
			Routes: openaiRoutes(chat, completions, embeddings), Sign: providers.Bearer,
			Env: []string{"FIREWORKS_API_KEY"},
		},
		{
			Name: "mistral", OwnedBy: "mistral", BaseURL: "https://api.mistral.ai/v1",
			Routes: openaiRoutes(chat, embeddings), Sign: providers.Bearer,
			Env: []string{"MISTRAL_API_KEY"},
			// 422 extra_forbidden for what it does not know; usage comes unasked
			// (openai/openai-agents-python#442, editor-code-assistant/eca#231).
			Quirks: providers.Quirks{
				Strip: []string{
					"logit_bias", "metadata", "prompt_cache_key", "prompt_cache_retention",
					"safety_identifier", "service_tier", "store", "user", "verbosity",
				},
				Rename:        map[string]string{"max_completion_tokens": "max_tokens", "seed": "random_seed"},
				NoStreamUsage: true,
			},
		},
		{
			Name: "openrouter", OwnedBy: "openrouter", BaseURL: "https://openrouter.ai/api/v1",
			Routes: openaiRoutes(chat, completions, embeddings), Sign: providers.Bearer,
			Env: []string{"OPENROUTER_API_KEY"},
		},
		{
			Name: "perplexity", OwnedBy: "perplexity", BaseURL: "https://api.perplexity.ai",
			Routes: openaiRoutes(chat), Sign: providers.Bearer,
			Env:    []string{"PERPLEXITY_API_KEY"},
			Quirks: providers.Quirks{Rename: map[string]string{"max_completion_tokens": "max_tokens"}},
		},
		{
			Name: "together", OwnedBy: "together", BaseURL: "https://api.together.xyz/v1",
			Routes: openaiRoutes(chat, completions, embeddings), Sign: providers.Bearer,
			Env:    []string{"TOGETHER_API_KEY"},
			Quirks: providers.Quirks{Rename: map[string]string{"max_completion_tokens": "max_tokens"}},
		},
		{
			Name: "xai", OwnedBy: "xai", BaseURL: "https://api.x.ai/v1",
			Routes: openaiRoutes(chat, completions), Sign: providers.Bearer,
			Env: []string{"XAI_API_KEY"},
		},
	}
}

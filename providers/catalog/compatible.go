package catalog

import (
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/mistral"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/providers/openrouter"
)

// compatible lists providers that speak OpenAI's language: an address, the operations they
// serve, and what they refuse.
//
// A limit under a name that a provider overlooks is no limit, and a budget counts on it: hence
// the renames. Other fields are left to the provider's own answer unless its refusal is known.
func compatible() []providers.Provider {
	const chat, completions, embeddings = providers.OpChat, providers.OpCompletions, providers.OpEmbeddings
	const speech, transcription, translation = providers.OpSpeech, providers.OpTranscription, providers.OpTranslation
	const images, moderations = providers.OpImages, providers.OpModerations
	return []providers.Provider{
		{
			Name: "cerebras", OwnedBy: "cerebras", BaseURL: "https://api.cerebras.ai/v1",
			Routes: openaiRoutes(chat, completions), Sign: providers.Bearer,
			Env: []string{"CEREBRAS_API_KEY"},
			// "property 'body.store' is unsupported" (Gitlawb/openclaude#740), and so is metadata
			// (livekit/agents#1274).
			Quirks: providers.Quirks{Strip: []string{"metadata", "store"}},
		},
		{
			Name: "deepseek", OwnedBy: "deepseek", BaseURL: "https://api.deepseek.com/v1",
			Routes: openaiRoutes(chat), Sign: providers.Bearer,
			Env: []string{"DEEPSEEK_API_KEY"},
			// It has max_tokens only: https://api-docs.deepseek.com/api/create-chat-completion.
			Quirks: providers.Quirks{Rename: map[string]string{"max_completion_tokens": "max_tokens"}},
		},
		{
			Name: "fireworks", OwnedBy: "fireworks", BaseURL: "https://api.fireworks.ai/inference/v1",
			Routes: openaiRoutes(chat, completions, embeddings), Sign: providers.Bearer,
			// It hears at a host of its own, https://audio-prod.api.fireworks.ai/v1: a provider of the
			// dialect openai, for who wants that.
			Env: []string{"FIREWORKS_API_KEY"},
		},
		{
			Name: "mistral", OwnedBy: "mistral", BaseURL: "https://api.mistral.ai/v1",
			// Source of moderations and sounds: https://docs.mistral.ai/api.
			Routes: with(openaiRoutes(chat, embeddings, moderations, transcription), speech, "mistral", "/audio/speech", mistral.Speech()),
			Sign:   providers.Bearer,
			Env:    []string{"MISTRAL_API_KEY"},
			// 422 extra_forbidden for whatever it does not know (mistralai/platform-docs-public#7,
			// metadata: OpenHands/OpenHands#11699, store: Gitlawb/openclaude#739, max_completion_tokens:
			// editor-code-assistant/eca#231); usage comes unasked (openai/openai-agents-python#442); ids
			// of calls of another form are a 400 (anomalyco/opencode#1680).
			Quirks: providers.Quirks{
				Strip: []string{
					"logit_bias", "metadata", "prompt_cache_key", "prompt_cache_retention",
					"safety_identifier", "service_tier", "store", "user", "verbosity",
				},
				Rename:        map[string]string{"max_completion_tokens": "max_tokens", "seed": "random_seed"},
				NoStreamUsage: true, CallID: 9,
			},
		},
		{
			Name: "openrouter", OwnedBy: "openrouter", BaseURL: "https://openrouter.ai/api/v1",
			// Source of sounds: https://openrouter.ai/docs/guides/overview/multimodal/tts and …/stt.
			Routes: with(openaiRoutes(chat, completions, embeddings, speech), transcription, "openrouter", "/audio/transcriptions", openrouter.Transcriptions()),
			Sign:   providers.Bearer,
			Env:    []string{"OPENROUTER_API_KEY"},
		},
		{
			Name: "perplexity", OwnedBy: "perplexity", BaseURL: "https://api.perplexity.ai",
			Routes: openaiRoutes(chat), Sign: providers.Bearer,
			Env: []string{"PERPLEXITY_API_KEY"},
			// It has max_tokens only: https://docs.perplexity.ai/api-reference/chat-completions-post.
			Quirks: providers.Quirks{Rename: map[string]string{"max_completion_tokens": "max_tokens"}},
		},
		{
			Name: "together", OwnedBy: "together", BaseURL: "https://api.together.xyz/v1",
			// Source of sounds and images: https://docs.together.ai/reference, where base64 is what
			// OpenAI calls b64_json.
			Routes: openaiRoutes(chat, completions, embeddings, speech, transcription, translation, images), Sign: providers.Bearer,
			Env: []string{"TOGETHER_API_KEY"},
			// It has max_tokens only: https://docs.together.ai/reference/chat-completions-1.
			Quirks: providers.Quirks{Rename: map[string]string{"max_completion_tokens": "max_tokens"}},
		},
		{
			Name: "xai", OwnedBy: "xai", BaseURL: "https://api.x.ai/v1",
			// Source of images: https://docs.x.ai/docs/guides/image-generations. Its sounds (/tts, /stt)
			// have words of their own, and its edits take no form.
			Routes: openaiRoutes(chat, completions, images), Sign: providers.Bearer,
			Env: []string{"XAI_API_KEY"},
		},
	}
}

// with adds an operation that the provider serves in words of its own.
func with(routes map[providers.Op][]providers.Route, op providers.Op, language, path string, pair *providers.Pair) map[providers.Op][]providers.Route {
	routes[op] = []providers.Route{{Language: language, Dialect: openai.Dialect{}, Path: path, Governed: openai.Governed(), Pair: pair}}
	return routes
}

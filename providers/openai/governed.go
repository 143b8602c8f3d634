package openai

import (
	"slices"
	"sync"

	"github.com/aistrale/aistrale/providers"
)

// Governed lists the fields of OpenAI's, Groq's and OpenRouter's bodies that name another
// model, change the price, reach a network or name a stored object. store is not among them:
// it keeps a copy at the account's own provider, and what is kept can be named by no field
// that is not governed itself.
//
// Sources: https://platform.openai.com/docs/api-reference/chat/create,
// https://console.groq.com/docs/api-reference, https://openrouter.ai/docs/api-reference.
func Governed() []providers.Governed { return slices.Clip(governed()) }

// governed is made once: every reload wants it for each route.
var governed = sync.OnceValue(listGoverned)

func listGoverned() []providers.Governed {
	return slices.Concat(stored(), []providers.Governed{
		// OpenAI
		{Path: "web_search_options", Effect: providers.ReachesNetwork},
		{Path: "tools.#.type", Effect: providers.ReachesNetwork, Except: []string{"function", "custom"}},
		{Path: "tools.#.server_url", Effect: providers.ReachesNetwork},
		{Path: "messages.#.content.#.file.file_id", Effect: providers.NamesObject},
		{Path: "messages.#.content.#.image_url.file_id", Effect: providers.NamesObject},
		{Path: "messages.#.audio.id", Effect: providers.NamesObject, Shared: true},
		{Path: "audio.voice.id", Effect: providers.NamesObject, Shared: true},
		{Path: "previous_response_id", Effect: providers.NamesObject},
		{Path: "conversation", Effect: providers.NamesObject, Members: []string{"id"}},
		{Path: "prompt.id", Effect: providers.NamesObject, Shared: true},
		{Path: "service_tier", Effect: providers.ChangesPrice, Except: []string{"auto", "default", "on_demand"}},
		{Path: "prompt_cache_retention", Effect: providers.ChangesPrice, Except: []string{"in-memory", "in_memory"}},
		{Path: "prompt_cache_options.ttl", Effect: providers.ChangesPrice},
		{Path: "moderation.model", Effect: providers.NamesModel},
		{Path: "images.#.file_id", Effect: providers.NamesObject},
		{Path: "mask.file_id", Effect: providers.NamesObject},
		{Path: "voice.id", Effect: providers.NamesObject},
		// Groq
		{Path: "compound_custom.models.*", Effect: providers.NamesModel},
		{Path: "compound_custom.tools", Effect: providers.ReachesNetwork},
		{Path: "search_settings", Effect: providers.ReachesNetwork},
		{Path: "url", Effect: providers.ReachesNetwork},       // of a sound, in place of its file
		{Path: "file", Effect: providers.ReachesNetwork},      // Together's: an address in place of the bytes
		{Path: "file_url", Effect: providers.ReachesNetwork},  // Mistral's
		{Path: "image_url", Effect: providers.ReachesNetwork}, // Together's, of images
		{Path: "reference_images", Effect: providers.ReachesNetwork},
		{Path: "image_loras", Effect: providers.ReachesNetwork},
		{Path: "documents.#.source.url", Effect: providers.ReachesNetwork},
		// OpenRouter and gateways that took its fields over
		{Path: "models", Effect: providers.NamesModel},
		{Path: "fallbacks", Effect: providers.NamesModel},
		{Path: "route", Effect: providers.ChangesPrice},
		{Path: "preset", Effect: providers.NamesObject, Shared: true},
		{Path: "provider", Effect: providers.ChangesPrice},
		{Path: "plugins", Effect: providers.ReachesNetwork},
		{Path: "safety_model", Effect: providers.NamesModel},
		// Perplexity and xAI
		{Path: "search_parameters", Effect: providers.ReachesNetwork},
		{Path: "web_search", Effect: providers.ReachesNetwork},
	})
}

// stored lists the fields that name what the account keeps, in calls about that and in calls of
// a model. The ids of a conversation's items, of a container's files and of an upload's parts
// stand only beside what they belong to.
func stored() []providers.Governed {
	var rules []providers.Governed
	for _, path := range []string{
		"file_id", "file_ids", "files.#.file_id", // of vector stores and containers
		"input_file_id",                                                            // of batches
		"input.#.content.#.file_id", "input.#.output.#.file_id", "input.#.file_id", // of responses
		"items.#.content.#.file_id", "items.#.output.#.file_id", // of conversations
		"tools.#.vector_store_ids", "tools.#.input_image_mask.file_id",
	} {
		rules = append(rules, providers.Governed{Path: path, Effect: providers.NamesObject})
	}
	return append(rules, providers.Governed{Path: "tools.#.container", Effect: providers.NamesObject, Members: []string{"file_ids"}})
}

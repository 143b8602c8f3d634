package responses

import "github.com/aistrale/aistrale/providers"

// Governed lists the fields that name another model, change the price, reach a network or name
// a stored object. A response made in the background is billed after its call has ended.
//
// Source: https://platform.openai.com/docs/api-reference/responses/create
func Governed() []providers.Governed {
	offered := []string{"function", "custom"}
	return []providers.Governed{
		{Path: "previous_response_id", Effect: providers.NamesObject},
		{Path: "conversation", Effect: providers.NamesObject, Members: []string{"id"}},
		{Path: "prompt.id", Effect: providers.NamesObject, Shared: true},
		{Path: "background", Effect: providers.ChangesPrice},
		{Path: "service_tier", Effect: providers.ChangesPrice, Except: []string{"auto", "default", "on_demand"}},
		{Path: "prompt_cache_retention", Effect: providers.ChangesPrice, Except: []string{"in-memory", "in_memory"}},
		{Path: "prompt_cache_options.ttl", Effect: providers.ChangesPrice},
		{Path: "moderation.model", Effect: providers.NamesModel},
		{Path: "input.#.type", Effect: providers.NamesObject, Prefix: []string{"item_reference"}},
		{Path: "input.#.container_id", Effect: providers.NamesObject},
		{Path: "input.#.content.#.file_id", Effect: providers.NamesObject},
		{Path: "input.#.output.#.file_id", Effect: providers.NamesObject},
		{Path: "input.#.tools.#.type", Effect: providers.ReachesNetwork, Except: offered},
		{Path: "input.#.tools.#.server_url", Effect: providers.ReachesNetwork},
		{Path: "tools.#.type", Effect: providers.ReachesNetwork, Except: offered},
		{Path: "tools.#.tools.#.type", Effect: providers.ReachesNetwork, Except: offered},
		{Path: "tools.#.server_url", Effect: providers.ReachesNetwork},
		{Path: "tools.#.connector_id", Effect: providers.ReachesNetwork},
		{Path: "tools.#.vector_store_ids", Effect: providers.NamesObject},
		{Path: "tools.#.container", Effect: providers.NamesObject, Members: []string{"file_ids"}},
		{Path: "tools.#.environment", Effect: providers.NamesObject, Members: []string{"file_ids", "container_id"}},
		{Path: "tools.#.input_image_mask.file_id", Effect: providers.NamesObject},
		{Path: "tools.#.model", Effect: providers.NamesModel},
	}
}

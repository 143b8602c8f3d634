package responses

import "github.com/aistrale/aistrale/providers"

// Governed lists the fields that name another model, change the price, reach a network or name
// a stored object, beyond those that OpenAI's other bodies have too. A response made in the
// background is billed after its call has ended.
//
// Source: https://platform.openai.com/docs/api-reference/responses/create
func Governed() []providers.Governed {
	offered := []string{"function", "custom"}
	return []providers.Governed{
		{Path: "background", Effect: providers.ChangesPrice},
		{Path: "service_tier", Effect: providers.ChangesPrice, Except: []string{"auto", "default", "on_demand"}},
		{Path: itemField, Effect: providers.NamesObject, Where: isReference, ID: keptElsewhere},
		{Path: "items.#.id", Effect: providers.NamesObject, Where: isReference, ID: keptElsewhere}, // of conversations
		{Path: "input.#.tools.#.type", Effect: providers.ReachesNetwork, Except: offered},
		{Path: "input.#.tools.#.server_url", Effect: providers.ReachesNetwork},
		{Path: "tools.#.type", Effect: providers.ReachesNetwork, Except: offered},
		{Path: "tools.#.tools.#.type", Effect: providers.ReachesNetwork, Except: offered},
		{Path: "tools.#.server_url", Effect: providers.ReachesNetwork},
		{Path: "tools.#.connector_id", Effect: providers.ReachesNetwork},
		{Path: "tools.#.environment", Effect: providers.NamesObject, Members: []string{"file_ids", "container_id"}},
		{Path: "tools.#.model", Effect: providers.NamesModel},
	}
}

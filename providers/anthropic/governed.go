package anthropic

import (
	"slices"
	"sync"

	"github.com/aistrale/aistrale/providers"
)

// Governed lists the request fields of the Messages API that name another model, change the
// price, reach a network or name a stored object, also where a client of another language may
// write them.
func Governed() []providers.Governed { return slices.Clip(governed()) }

// governed is made once: every reload wants it for each route.
var governed = sync.OnceValue(listGoverned)

func listGoverned() []providers.Governed {
	rules := []providers.Governed{
		{Path: "tools.#.type", Effect: providers.ReachesNetwork, Except: harmlessTools()},
		{Path: "tools.#.model", Effect: providers.NamesModel}, // an advisor
		{Path: "messages.#.content.#.source.file_id", Effect: providers.NamesObject},
		{Path: "messages.#.content.#.content.#.source.file_id", Effect: providers.NamesObject},  // in a tool's result
		{Path: "messages.#.content.#.file_id", Effect: providers.NamesObject},                   // container_upload
		{Path: "messages.#.content.#.content.content.#.file_id", Effect: providers.NamesObject}, // made by code, as replies tell of it
		{Path: "system.#.source.file_id", Effect: providers.NamesObject},
		// In OpenAI's words
		{Path: "messages.#.content.#.file.file_id", Effect: providers.NamesObject},
		{Path: "web_search_options", Effect: providers.ReachesNetwork},
		{Path: "service_tier", Effect: providers.ChangesPrice, Except: []string{"auto", "default", "standard", "standard_only"}},
	}
	for _, prefix := range []string{"", "extra_body.", "extra_body.anthropic."} {
		rules = append(rules,
			providers.Governed{Path: prefix + "fallbacks", Effect: providers.NamesModel},
			providers.Governed{Path: prefix + "speed", Effect: providers.ChangesPrice, Except: []string{"standard"}},
			providers.Governed{Path: prefix + "inference_geo", Effect: providers.ChangesPrice, Except: []string{"global"}},
			providers.Governed{Path: prefix + "mcp_servers", Effect: providers.ReachesNetwork},
			providers.Governed{Path: prefix + "container", Effect: providers.NamesObject, Members: []string{"id"}},
			providers.Governed{Path: prefix + "container.skills.#.skill_id", Effect: providers.NamesObject, Except: ownSkills()},
		)
	}
	return rules
}

// ownSkills are Anthropic's, which everybody has.
// Source: https://docs.claude.com/en/docs/agents-and-tools/agent-skills/overview
func ownSkills() []string { return []string{"docx", "pdf", "pptx", "xlsx"} }

// harmlessTools are the types of tools that the client runs itself.
// Source: https://docs.claude.com/en/docs/agents-and-tools/tool-use/overview
func harmlessTools() []string {
	return []string{
		"function", "custom",
		"bash_20241022", "bash_20250124",
		"text_editor_20241022", "text_editor_20250124", "text_editor_20250429", "text_editor_20250728",
		"computer_20241022", "computer_20250124", "computer_20251124",
		"memory_20250818",
	}
}

package catalog

import (
	"maps"
	"slices"

	"github.com/aistrale/aistrale/providers"
)

// Governed watches the governed fields of every known provider at once. A field is held
// against the key before the route is known, so that no spelling slips past by its target.
func Governed() *providers.Watch {
	var lists [][]providers.Governed
	for _, list := range [...][]providers.Provider{first(), compatible()} {
		for _, p := range list {
			for _, op := range slices.Sorted(maps.Keys(p.Routes)) {
				lists = append(lists, p.Routes[op].Governed)
			}
		}
	}
	return providers.NewWatch(lists...)
}

// governedMore adds a provider's own governed fields to those of its language.
func governedMore(routes map[providers.Op]providers.Route, more []providers.Governed) map[providers.Op]providers.Route {
	for op, route := range routes {
		route.Governed = slices.Concat(route.Governed, more)
		routes[op] = route
	}
	return routes
}

// groqGoverned: compound systems call models and tools of their own choosing.
// https://console.groq.com/docs/compound
func groqGoverned() []providers.Governed {
	return []providers.Governed{
		{Path: "compound_custom.models", Effect: providers.NamesModel},
		{Path: "compound_custom.tools", Effect: providers.ReachesNetwork},
		{Path: "search_settings", Effect: providers.ReachesNetwork},
	}
}

// openrouterGoverned: fallbacks, presets and plugins.
// https://openrouter.ai/docs/api-reference/parameters
func openrouterGoverned() []providers.Governed {
	return []providers.Governed{
		{Path: "models", Effect: providers.NamesModel},
		{Path: "plugins", Effect: providers.ReachesNetwork},
		{Path: "preset", Effect: providers.NamesObject},
		{Path: "provider", Effect: providers.ChangesPrice},
		{Path: "route", Effect: providers.NamesModel, Except: []string{"fallback"}},
	}
}

// xaiGoverned: live search. https://docs.x.ai/docs/guides/live-search
func xaiGoverned() []providers.Governed {
	return []providers.Governed{{Path: "search_parameters", Effect: providers.ReachesNetwork}}
}

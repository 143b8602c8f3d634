package policy

import (
	"slices"
	"strings"

	"github.com/aistrale/aistrale/providers"
)

// Unbounded gives the first governed field that makes a call's cost unbounded: one that brings
// in a context that the gateway does not see, has the provider fetch or search, or names
// another model. A service tier is no such field: prices know tiers.
func Unbounded(hits []providers.Hit) (field string, is bool) {
	for i := range hits {
		rule := hits[i].Rule
		if rule.Effect == providers.ChangesPrice && priced(rule.Path) || rule.Effect == providers.OpensFeature {
			continue // what a feature's fields do is theirs to say
		}
		return rule.Path, true
	}
	return "", false
}

// priced reports whether a field chooses among rates that a price has: tiers, and how long a
// prompt is cached.
func priced(path string) bool {
	last := path[strings.LastIndexByte(path, '.')+1:]
	if strings.HasPrefix(last, "context-1m") { // prices have rates for long contexts
		return true
	}
	return slices.Contains([]string{"service_tier", "serviceTier", "speed", "prompt_cache_retention", "ttl"}, last)
}

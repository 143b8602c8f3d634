package policy_test

import (
	"testing"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
)

func TestUnbounded(t *testing.T) {
	f := func(want string, rules ...providers.Governed) {
		t.Helper()
		var hits []providers.Hit
		for i := range rules {
			hits = append(hits, providers.Hit{Rule: &rules[i]})
		}
		if got, is := policy.Unbounded(hits); got != want || is != (want != "") {
			t.Errorf("%q, want %q", got, want)
		}
	}
	tier := providers.Governed{Path: "service_tier", Effect: providers.ChangesPrice}
	f("")
	f("", tier)
	f("", providers.Governed{Path: "speed", Effect: providers.ChangesPrice}, providers.Governed{Path: "prompt_cache_options.ttl", Effect: providers.ChangesPrice})
	f("route", tier, providers.Governed{Path: "route", Effect: providers.ChangesPrice})
	f("previous_response_id", tier, providers.Governed{Path: "previous_response_id", Effect: providers.NamesObject})
	f("tools.#.type", providers.Governed{Path: "tools.#.type", Effect: providers.ReachesNetwork})
	f("models", providers.Governed{Path: "models", Effect: providers.NamesModel})
}

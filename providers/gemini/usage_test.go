package gemini_test

import (
	"testing"

	"github.com/aistrale/aistrale/providers/gemini"
)

// The developer API names a tier, the cloud a kind of traffic.
func TestObserve_tier(t *testing.T) {
	f := func(said, want string) {
		t.Helper()
		seen := gemini.Dialect{}.Observe([]byte(`{"candidates":[],"usageMetadata":{"promptTokenCount":3` + said + `}}`))
		if len(seen.Usage.Lines) != 1 || seen.Usage.Lines[0].Tier != want {
			t.Errorf("%s is %+v, want tier %q", said, seen.Usage.Lines, want)
		}
	}
	f(``, "")
	f(`,"serviceTier":"FLEX"`, "flex")
	f(`,"trafficType":"ON_DEMAND"`, "")
	f(`,"trafficType":"ON_DEMAND_PRIORITY"`, "priority")
	f(`,"trafficType":"ON_DEMAND_FLEX"`, "flex")
	f(`,"trafficType":"PROVISIONED_THROUGHPUT"`, "provisioned_throughput")
	f(`,"serviceTier":"priority","trafficType":"ON_DEMAND_FLEX"`, "priority")
}

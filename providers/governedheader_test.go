package providers

import (
	"slices"
	"testing"
)

func TestGovernedHeader_Hits(t *testing.T) {
	g := &GovernedHeader{Name: "anthropic-beta", Known: []string{"interleaved-thinking", "tools"}, Priced: []string{"fast-mode"}}
	f := func(value string, want ...string) {
		t.Helper()
		var got []string
		for _, hit := range g.Hits(nil, []byte(value)) {
			effect := map[Effect]string{OpensFeature: "opens", ChangesPrice: "price"}[hit.Rule.Effect]
			got = append(got, effect+" "+hit.Rule.Path)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", value, got, want)
		}
	}
	f("")
	f(" , ,")
	f("interleaved-thinking-2025-05-14")
	f("interleaved-thinking")
	f("tools-20250219")
	f("fast-mode-2026-02-01", "price anthropic-beta.fast-mode-2026-02-01")
	f("mcp-client-2025-11-20", "opens anthropic-beta.mcp-client-2025-11-20")
	f("tools, new-2026-01-01 ,fast-mode", "opens anthropic-beta.new-2026-01-01", "price anthropic-beta.fast-mode")

	// Only a day is taken off, and only where a name is before it.
	f("tools-2025", "opens anthropic-beta.tools-2025")
	f("tools-2025-5-14", "opens anthropic-beta.tools-2025-5-14")
	f("tools-2025-05-14-2025-05-14", "opens anthropic-beta.tools-2025-05-14-2025-05-14")
	f("-2025-05-14", "opens anthropic-beta.-2025-05-14")
	f("TOOLS", "opens anthropic-beta.TOOLS")

	// What was there before stays.
	before := []Hit{{Rule: &Governed{Path: "a"}}}
	if got := g.Hits(before, []byte("x")); len(got) != 2 || got[0].Rule.Path != "a" {
		t.Errorf("%v", got)
	}
}

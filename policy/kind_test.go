package policy

import (
	"testing"
	"time"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

func TestKind(t *testing.T) {
	f := func(k Kind, provider, model, want string) {
		t.Helper()
		if got := k.Of(Target{Provider: provider, Model: model, Weight: 3}); got.Name() != want || got.Weight != 3 {
			t.Errorf("%+v knows %s/%s as %+v, want %s", k, provider, model, got, want)
		}
	}
	f(Kind{}, "mine", "m", "mine/m")
	f(Kind{Name: "azure"}, "azure-eu", "gpt-4o", "azure/gpt-4o")
	f(Kind{Name: "azure", Models: map[string]string{"chat": "gpt-4o"}}, "azure-eu", "chat", "azure/gpt-4o")
	f(Kind{Name: "azure", Models: map[string]string{"chat": "gpt-4o"}}, "azure-eu", "other", "azure/other")
}

// A provider under a name of its own has the prices of its kind, and the operator's own for that
// name before them; nobody else's.
func TestPriceBook_kinds(t *testing.T) {
	price := func(provider, model string, input int64) storage.Price {
		p := storage.Price{Provider: provider, Model: model, Rates: []storage.Rate{{Input: &input, Output: &input}}}
		p.ID = p.MakeID()
		return p
	}
	book := NewPriceBook(
		[]storage.Price{price("azure", "gpt-4o", 1_000), price("openai", "gpt-4o", 2_000), price("azure", "other", 3_000)},
		[]storage.Price{price("azure-eu", "gpt-4o-mini", 4_000), price("azure-us", "*", 5_000)},
	).WithKinds(map[string]Kind{
		"azure-eu": {Name: "azure", Models: map[string]string{"chat": "gpt-4o-2024-08-06", "small": "gpt-4o-mini"}},
		"azure-us": {Name: "azure"},
		"anthro":   {Name: "anthropic"},
	})
	f := func(provider, model, tier string, want int64) {
		t.Helper()
		got := book.Charge(Called{Provider: provider, Model: model, Time: time.Now()},
			[]providers.Normal{{InputUncached: 1_000_000, Tier: tier}})
		if got.CostNano != want || (want == 0) != (got.Unpriced != "") {
			t.Errorf("%s/%s costs %+v, want %d", provider, model, got, want)
		}
	}
	f("azure-eu", "gpt-4o", "", 1_000)
	f("azure-eu", "chat", "", 1_000)
	f("azure-eu", "small", "", 4_000)
	f("azure-eu", "unknown", "", 0)
	f("azure-us", "gpt-4o", "", 5_000)
	f("azure", "gpt-4o", "", 1_000)
	f("elsewhere", "gpt-4o", "", 0)
	if tier, ok := book.tier("anthro", "fast"); tier != "fast" || !ok {
		t.Errorf("fast is %q for a provider of Anthropic's kind", tier)
	}
}

package catalog

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// plan imports a list over known prices of OpenAI's a, b and c, each 1 and 4 USD, a with more.
func plan(t *testing.T, cost ...string) *PriceImport {
	t.Helper()
	var known []storage.Price
	for _, model := range []string{"a", "b", "c"} {
		p := storage.Price{
			Provider: "openai", Model: model, Regions: map[string]int64{"eu": 1100},
			Rates: []storage.Rate{{Input: nanoUSD(t, "1"), Output: nanoUSD(t, "4")}},
		}
		if model == "a" {
			p.Rates[0].CacheWrite1h, p.Rates[0].Search = nanoUSD(t, "2"), nanoUSD(t, "0.01")
			p.Rates = append(p.Rates, storage.Rate{Tier: "flex", Input: nanoUSD(t, "0.5"), Output: nanoUSD(t, "2")})
		}
		p.ID = p.MakeID()
		known = append(known, p)
	}
	var models []string
	for i, c := range cost {
		models = append(models, fmt.Sprintf(`{"provider":"openai","model":"%c","cost":%s}`, 'a'+i, c))
	}
	list, err := ReadPriceList([]byte(`{"date":"2026-07-02","commit":"c0ffee","models":[` + strings.Join(models, ",") + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	return PlanImport(list, known, time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC))
}

func TestPlanImport(t *testing.T) {
	const same, cheaper = `{"input":1,"output":4}`, `{"input":0.8,"output":4}`
	p := plan(t, same, same, same)
	if p.Unchanged != 3 || len(p.Changes) != 0 || len(p.Refused) != 0 {
		t.Errorf("the same list: %+v", p)
	}

	// A new main price: the other figures are not known to be unchanged, but those by the piece.
	p = plan(t, cheaper, same, same)
	if len(p.Changes) != 1 || p.Unchanged != 2 || len(p.Refused) != 0 {
		t.Fatalf("one price changes: %+v", p)
	}
	c := p.Changes[0]
	if got := strings.Join(c.Figures, "; "); got != "input 1 -> 0.8" {
		t.Errorf("changes %q", got)
	}
	if got := strings.Join(c.Lost, "; "); got != "cache_write_1h; flex input; flex output" {
		t.Errorf("lost %q", got)
	}
	if r := c.Price.Rates; len(r) != 1 || *r[0].Search != 10_000_000 || *r[0].Output != 4_000_000_000 || c.Price.Regions["eu"] != 1100 {
		t.Errorf("the price is %+v", c.Price)
	}
	if c.Price.Source != "models.dev@c0ffee of 2026-07-02" || c.Price.Checked != "2026-07-02" || c.Price.ID != c.Price.MakeID() ||
		!c.Price.From.Equal(time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)) || c.Was.Model != "a" {
		t.Errorf("the price is %+v", c.Price)
	}

	// A new figure beside the known main ones: all that was known stays.
	p = plan(t, `{"input":1,"output":4,"cache_read":0.1}`, same, same)
	if len(p.Changes) != 1 || len(p.Changes[0].Lost) != 0 {
		t.Fatalf("one figure more: %+v", p)
	}
	if r := p.Changes[0].Price.Rates; len(r) != 2 || r[0].CacheWrite1h == nil || r[1].Tier != "flex" || *r[1].Search != 10_000_000 {
		t.Errorf("the rates are %+v", r)
	}

	// A model more.
	p = plan(t, same, same, same, `{"input":7,"output":8}`)
	if len(p.Changes) != 1 || p.Changes[0].Was != nil || p.Changes[0].Price.Model != "d" {
		t.Errorf("a new model: %+v", p)
	}
}

func TestPlanImport_refuses(t *testing.T) {
	const same = `{"input":1,"output":4}`
	f := func(want string, cost ...string) {
		t.Helper()
		p := plan(t, cost...)
		if len(p.Refused) != 1 || !strings.Contains(p.Refused[0].Model+": "+p.Refused[0].Why, want) {
			t.Errorf("refused %+v, want %q", p.Refused, want)
		}
	}
	f("b: changes tenfold: input 1 -> 10", same, `{"input":10,"output":40}`, same)
	f("b: changes tenfold: output 4 -> 0.4", same, `{"input":1,"output":0.4}`, same)
	f("*: 2 of 3 known models are missing: b, c", same)
	p := plan(t, same, `{"input":9.9,"output":4}`)
	if len(p.Refused) != 0 || len(p.Changes) != 1 {
		t.Errorf("9.9 times and one model less: %+v", p)
	}
	p = plan(t, same, `{"input":10,"output":40}`, `{"input":2,"output":4}`).Forced()
	if len(p.Refused) != 0 || len(p.Prices()) != 2 || p.Prices()[0].Model != "b" {
		t.Errorf("forced: %+v", p)
	}
}

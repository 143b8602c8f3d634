package main

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/aistrale/aistrale/providers/catalog"
	"github.com/aistrale/aistrale/storage"
)

const (
	devList = `{"source":"s","commit":"c","date":"2026-07-02","licence":"MIT","models":[
 {"provider":"openai","model":"a","release_date":"2025-01-02","cost":{"input":1,"output":4,"cache_read":0.5}},
 {"provider":"openai","model":"a-2025-01-02","release_date":"2025-01-02","cost":{"input":1,"output":4}},
 {"provider":"openai","model":"a-2024-01-02","cost":{"input":2,"output":4}},
 {"provider":"openai","model":"gone","cost":{"input":2,"output":4}}
]}`
	liteList = `{"a":{"litellm_provider":"openai","input_cost_per_token":1e-06,"output_cost_per_token":8e-06,"search_context_cost_per_query":{"x":0.01},
  "input_cost_per_token_flex":5e-07,"output_cost_per_token_flex":4e-06},
 "b":{"litellm_provider":"openai","input_cost_per_token":3e-06,"output_cost_per_token":3e-06}}`
	priceRules = `{"sources":[{"name":"litellm","from":"l","date":"2026-08"}],"rules":[
 {"why":"w","provider":"openai","match":["gone"],"skip":true},
 {"why":"w","source":"https://x","provider":"openai","match":["a"],"times":[{"figure":"cache_write_1h","of":"input","factor":2}],"tiers":[{"tier":"batch","factor":0.5}],"regions":{"eu":1.1}}
],"prices":[{"provider":"xai","model":"c","from":"2025-05-05","rates":[{"input":1}],"source":"https://y","checked":"2026-09-09"}]}`
)

func TestBuildPrices(t *testing.T) {
	got, err := buildPrices([][]byte{[]byte(liteList), []byte(devList)}, []byte(priceRules))
	if err != nil {
		t.Fatal(err)
	}
	const want = `{
  "sources": [
    {"name":"litellm","from":"l","date":"2026-08"},
    {"name":"models.dev","from":"s","commit":"c","date":"2026-07-02","licence":"MIT"}
  ],
  "prices": [
    {"provider":"openai","model":"a","from":"2025-01-02","rates":[{"input":1,"cache_read":0.5,"cache_write_1h":2,"output":8,"search":0.01},{"tier":"batch","input":0.5,"cache_read":0.25,"cache_write_1h":1,"output":4,"search":0.01},{"tier":"flex","input":0.5,"cache_write_1h":1,"output":4,"search":0.01}],"regions":{"eu":1.1},"source":"litellm: input, output, search, flex input, flex output; models.dev: cache_read; https://x: cache_write_1h, batch, flex cache_write_1h","checked":"2026-08"},
    {"provider":"openai","model":"a-2024-01-02","from":"2024-01-02","rates":[{"input":2,"output":4}],"source":"models.dev","checked":"2026-07-02"},
    {"provider":"openai","model":"a-2025-01-02","from":"2025-01-02","rates":[{"input":1,"output":4}],"source":"models.dev","checked":"2026-07-02"},
    {"provider":"openai","model":"b","from":"2026-08-01","rates":[{"input":3,"output":3}],"source":"litellm","checked":"2026-08"},
    {"provider":"xai","model":"c","from":"2025-05-05","rates":[{"input":1}],"source":"https://y","checked":"2026-09-09"}
  ]
}
`
	if string(got) != want {
		t.Errorf("got %s\nwant %s", got, want)
	}

	// A dated model that says the same as its undated one is left out.
	got, err = buildPrices([][]byte{[]byte(devList)}, []byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(got), "a-2025-01-02") || !strings.Contains(string(got), "a-2024-01-02") {
		t.Errorf("got %s", got)
	}
}

func TestBuildPrices_errors(t *testing.T) {
	f := func(list, overlay, want string) {
		t.Helper()
		if _, err := buildPrices([][]byte{[]byte(list)}, []byte(overlay)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	rule := func(text string) string {
		return `{"rules":[{"why":"w","provider":"openai","match":["a"],` + text + `}]}`
	}
	f(`{`, `{}`, "price list")
	f(devList, `{"rulez":[]}`, "priceoverlay.json: ")
	f(liteList, `{}`, "litellm has no date")
	f(devList, `{"rules":[{"why":"w","provider":"openai","match":["zz"],"skip":true}]}`, `rule "w": no model of openai is named zz`)
	f(devList, rule(`"like":"zz"`), "there is no zz")
	f(devList, rule(`"times":[{"figure":"zz","of":"input","factor":2}]`), "no such figure")
	f(devList, rule(`"tiers":[{"tier":"batch","factor":0.5001}]`), "three decimals")
	f(devList, rule(`"tiers":[{"tier":"Batch","factor":0.5}]`), "lower-case")
	f(devList, rule(`"rates":[{"inptu":1}]`), "inptu")
}

// The embedded file must be what the overlay beside it says: a rule that was written without a
// new run of the generator would be believed and not be there.
func TestPriceOverlay_applied(t *testing.T) {
	text, err := os.ReadFile("../priceoverlay.json")
	if err != nil {
		t.Fatal(err)
	}
	var over priceOverlay
	if err := json.Unmarshal(text, &over, json.RejectUnknownMembers(true)); err != nil {
		t.Fatal(err)
	}
	embedded, err := os.ReadFile("../prices.json")
	if err != nil {
		t.Fatal(err)
	}
	var file catalog.PriceFile
	if err := json.Unmarshal(embedded, &file, json.RejectUnknownMembers(true)); err != nil {
		t.Fatal(err)
	}
	added := map[string]bool{}
	for _, p := range over.Prices {
		added[p.ID] = true
	}
	var rows []*row
	for _, p := range file.Prices {
		if !added[p.ID] {
			rows = append(rows, &row{Price: p, from: map[figureOf]string{}})
		}
		delete(added, p.ID)
	}
	for id := range added {
		t.Errorf("prices.json lacks %s of the overlay: run the generator again", id)
	}
	checkApplied(t, rows, over.Rules)
}

func checkApplied(t *testing.T, rows []*row, rules []priceRule) {
	t.Helper()
	for i := range rules {
		rule := &rules[i]
		for _, r := range rows {
			matches := func(name string) bool { return fits(name, r.Model) }
			if r.Provider != rule.Provider || !slices.ContainsFunc(rule.Match, matches) || excepts(rule.Except, r.Model) {
				continue
			}
			if rule.Skip {
				t.Errorf("%s stands there, against rule %q: run the generator again", r.ID, rule.Why)
				continue
			}
			again := &row{Price: storage.Price{Provider: r.Provider, Model: r.Model, From: r.From, Rates: storage.CloneRates(r.Rates), Regions: r.Regions}, from: r.from}
			if err := rule.apply(again, rows); err != nil {
				t.Fatal(err)
			}
			again.spreadUnits()
			if again.MakeID() != r.MakeID() {
				t.Errorf("%s is not what rule %q makes of it: run the generator again", r.ID, rule.Why)
			}
		}
	}
}

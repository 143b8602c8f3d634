package main

import (
	"reflect"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

func nano(n int64) *int64 { return &n }

// Figures are taken to the last nano-USD, and the rates of one model become one price.
func TestPriceList(t *testing.T) {
	c := mustLoad(t, `
providers: [{name: mine, dialect: openai, base_url: http://h}]
prices:
  - {model: mine/llama, input: 0.2, output: "0.6", request: 1e-9}
  - {model: mine/big*, tier: batch, input: 1.5, output: 0}
  - {model: mine/big*, over: 200000, input: 6}
  - {model: mine/big*, input: 0.1234567891e1, output: 3.000, regions: {eu: 1.1, us: "1"}}
  - {model: mine/big*, from: 2026-07-01, input: 4}
  - {model: mine/sound, hour_in: 0.111, hour_out: 0.9, character: 0.000015, min_seconds: 10}
  - {model: mine/old, second: 0.0001}
  - {model: mine/image, image: 0.04, images: {1024x1792: 0.08, hd: "0.08"}}
`)
	got, err := c.priceList()
	if err != nil {
		t.Fatal(err)
	}
	july := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	want := []storage.Price{
		{Provider: "mine", Model: "llama", Rates: []storage.Rate{{Input: nano(200_000_000), Output: nano(600_000_000), Request: nano(1)}}},
		{Provider: "mine", Model: "big*", Regions: map[string]int64{"eu": 1100, "us": 1000}, Rates: []storage.Rate{
			{Input: nano(1_234_567_891), Output: nano(3_000_000_000)},
			{Tier: "batch", Input: nano(1_500_000_000), Output: nano(0)},
			{Over: 200_000, Input: nano(6_000_000_000)},
		}},
		{Provider: "mine", Model: "big*", From: july, Rates: []storage.Rate{{Input: nano(4_000_000_000)}}},
		{Provider: "mine", Model: "sound", Rates: []storage.Rate{{
			HourIn: nano(111_000_000), HourOut: nano(900_000_000), Character: nano(15_000), MinSeconds: 10,
		}}},
		{Provider: "mine", Model: "old", Rates: []storage.Rate{{HourIn: nano(360_000_000)}}},
		{Provider: "mine", Model: "image", Rates: []storage.Rate{{
			Image: nano(40_000_000), Variants: []storage.Image{{Name: "1024x1792", Nano: nano(80_000_000)}, {Name: "hd", Nano: nano(80_000_000)}},
		}}},
	}
	for i := range want {
		want[i].Source = "config"
		want[i].ID = want[i].MakeID()
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

// Every figure that a price can have can be said in the configuration.
func TestPriceConfig_hasEveryFigure(t *testing.T) {
	said := map[string]bool{}
	of := reflect.TypeFor[PriceConfig]()
	for i := range of.NumField() {
		name, _ := keyOf(of.Field(i))
		said[name] = true
	}
	for _, f := range (&storage.Rate{}).Figures() {
		if !said[f.Name] {
			t.Errorf("prices cannot say %s", f.Name)
		}
	}
}

// price_as takes another model's price, under the names that it is looked up by; a price of one's
// own goes before.
func TestPriceBook_borrowed(t *testing.T) {
	c := mustLoad(t, `
providers:
  - {name: azure, base_url: https://r.openai.azure.com, price_as: {chat: openai/gpt-4o-2024-08-06, mine: openai/gpt-4o, none: openai/nobody}}
  - {name: bedrock, location: us-east-1, price_as: {global.anthropic.claude-sonnet-4-5-20250929-v1:0: anthropic/claude-sonnet-4-5}}
prices: [{model: azure/mine, input: 7}]
`)
	book, err := c.priceBook(nil)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	f := func(provider, model, of, name string) {
		t.Helper()
		got, want := book.Find(provider, model).At(now), book.Find(of, name).At(now)
		if got == nil || want == nil || !reflect.DeepEqual(got.Rates, want.Rates) || got.Provider != provider || got.Model != model || got.ID == want.ID {
			t.Errorf("%s/%s: %+v, want the rates of %+v", provider, model, got, want)
		}
	}
	f("azure", "chat", "openai", "gpt-4o-2024-08-06")
	f("bedrock", "global.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic", "claude-sonnet-4-5")
	if p := book.Find("azure", "mine").At(now); p == nil || *p.Rates[0].Input != 7_000_000_000 || p.Source != "config" {
		t.Errorf("%+v", p)
	}
	for _, model := range []string{"none", "other"} {
		if p := book.Find("azure", model); p != nil {
			t.Errorf("%s costs %+v", model, p)
		}
	}
}

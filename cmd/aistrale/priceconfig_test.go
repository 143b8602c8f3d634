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

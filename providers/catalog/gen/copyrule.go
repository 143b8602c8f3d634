package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/storage"
)

// copyRule prices models of a cloud as those of their maker: the public lists have the makers'
// in more detail, and the clouds' with slips.
type copyRule struct {
	Why      string   `json:"why"`
	Source   string   `json:"source"`   // that says so
	Provider string   `json:"provider"` // the cloud
	Of       string   `json:"of"`       // the maker
	Match    []string `json:"match"`    // the maker's ids; "*" at the end stands for any rest
	Except   []string `json:"except"`
	Prefix   string   `json:"prefix"` // of the cloud's name, before the maker's
	// As names a single model otherwise than its maker.
	As string `json:"as"`
	// Tiers are those that the cloud has too, beside the standard one.
	Tiers   []string                  `json:"tiers"`
	Factor  jsontext.Value            `json:"factor"`  // on all token prices
	Regions map[string]jsontext.Value `json:"regions"` // factors
}

// copies gives the prices that the rules make of others.
func copies(prices []storage.Price, rules []copyRule) ([]storage.Price, error) {
	var out []storage.Price
	for i := range rules {
		rule := &rules[i]
		for _, name := range rule.Match {
			hit := false
			for j := range prices {
				p := &prices[j]
				if p.Provider != rule.Of || !fits(name, p.Model) || excepts(rule.Except, p.Model) {
					continue
				}
				hit = true
				made, err := rule.of(p)
				if err != nil {
					return nil, fmt.Errorf("priceoverlay.json: copy %q: %s: %w", rule.Why, p.Model, err)
				}
				out = append(out, made)
			}
			if !hit {
				return nil, fmt.Errorf("priceoverlay.json: copy %q: no model of %s is named %s", rule.Why, rule.Of, name)
			}
		}
	}
	return out, nil
}

// of makes the cloud's price of the maker's.
func (rule *copyRule) of(p *storage.Price) (storage.Price, error) {
	made := storage.Price{
		Provider: rule.Provider, Model: rule.Prefix + p.Model, From: p.From, Checked: p.Checked, Rates: storage.CloneRates(p.Rates),
		Source: rule.Source + ": as " + rule.Of + "'s, of " + p.Source,
	}
	if rule.As != "" {
		made.Model = rule.Prefix + rule.As
	}
	made.Rates = slices.DeleteFunc(made.Rates, func(r storage.Rate) bool { return r.Tier != "" && !slices.Contains(rule.Tiers, r.Tier) })
	if rule.Factor.Kind() != 0 {
		thousandths, err := factor(rule.Factor)
		if err != nil {
			return made, err
		}
		multiply(made.Rates, thousandths)
	}
	for _, region := range slices.Sorted(maps.Keys(rule.Regions)) {
		thousandths, err := factor(rule.Regions[region])
		if err != nil {
			return made, err
		}
		if made.Regions == nil {
			made.Regions = map[string]int64{}
		}
		made.Regions[region] = thousandths
	}
	return made, nil
}

func multiply(rates []storage.Rate, thousandths int64) {
	for i := range rates {
		for _, f := range rates[i].Figures() {
			if *f.Nano != nil && !f.Each {
				n := (**f.Nano*thousandths + 500) / 1000
				*f.Nano = &n
			}
		}
	}
}

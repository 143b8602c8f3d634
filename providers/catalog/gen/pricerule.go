package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/providers/catalog"
	"github.com/aistrale/aistrale/storage"
)

// priceRule changes the prices of the models that it matches, in the order in which its members
// stand here.
type priceRule struct {
	Why      string   `json:"why"`
	Source   string   `json:"source"` // of the figures that it sets
	Provider string   `json:"provider"`
	Match    []string `json:"match"` // ids; "*" at the end stands for any rest
	Except   []string `json:"except"`

	Skip bool     `json:"skip"` // the list's price is no price of this provider's model
	Like string   `json:"like"` // the rates of another model, where they are missing
	Drop []string `json:"drop"` // tiers, "over" and figures that are wrong and not known better
	// Rates are figures that go before the lists'.
	Rates   []storage.Rate            `json:"rates"`
	Regions map[string]jsontext.Value `json:"regions"` // factors
	// Times makes figures of one rate out of another figure's: 1-hour writes are twice the input.
	Times []figureRule `json:"times"`
	// Tiers makes the rates of a tier out of the standard ones, where they are missing.
	Tiers []tierRule `json:"tiers"`
}

type figureRule struct {
	Figure string         `json:"figure"`
	Of     string         `json:"of"`
	Factor jsontext.Value `json:"factor"`
}

type tierRule struct {
	Tier   string         `json:"tier"`
	Factor jsontext.Value `json:"factor"`
	// Complete fills only a tier that is there already.
	Complete bool `json:"complete"`
}

// correctPrices applies the rules. A skipped row loses its rates.
func correctPrices(rows []*row, rules []priceRule) error {
	for i := range rules {
		rule := &rules[i]
		for _, name := range rule.Match {
			hit := false
			for _, r := range rows {
				if r.Provider != rule.Provider || !fits(name, r.Model) || excepts(rule.Except, r.Model) || r.Rates == nil {
					continue
				}
				hit = true
				if err := rule.apply(r, rows); err != nil {
					return fmt.Errorf("priceoverlay.json: rule %q: %s: %w", rule.Why, r.Model, err)
				}
			}
			if !hit {
				return fmt.Errorf("priceoverlay.json: rule %q: no model of %s is named %s", rule.Why, rule.Provider, name)
			}
		}
	}
	return nil
}

func fits(pattern, model string) bool {
	prefix, wild := strings.CutSuffix(pattern, "*")
	return pattern == model || wild && strings.HasPrefix(model, prefix)
}

func excepts(patterns []string, model string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return fits(pattern, model) })
}

func (rule *priceRule) apply(r *row, rows []*row) error {
	if rule.Skip {
		r.Rates = nil
		return nil
	}
	before := storage.CloneRates(r.Rates)
	if err := rule.like(r, rows); err != nil {
		return err
	}
	rule.drop(r)
	r.lay(rule.Rates, rule.Source)
	if err := rule.times(r); err != nil {
		return err
	}
	for _, t := range rule.Tiers {
		thousandths, err := factor(t.Factor)
		if err != nil {
			return err
		}
		has := slices.ContainsFunc(r.Rates, func(x storage.Rate) bool { return x.Tier == t.Tier })
		if has || !t.Complete {
			catalog.Multiply(&r.Price, "", t.Tier, thousandths)
		}
	}
	for _, region := range slices.Sorted(maps.Keys(rule.Regions)) {
		thousandths, err := factor(rule.Regions[region])
		if err != nil {
			return err
		}
		if r.Regions == nil {
			r.Regions = map[string]int64{}
		}
		r.Regions[region] = thousandths
	}
	slices.SortFunc(r.Rates, compareRates)
	r.attribute(before, rule.Source)
	return nil
}

func compareRates(a, b storage.Rate) int {
	if c := strings.Compare(a.Tier, b.Tier); c != 0 {
		return c
	}
	return int(a.Over - b.Over)
}

func (rule *priceRule) like(r *row, rows []*row) error {
	if rule.Like == "" {
		return nil
	}
	i := slices.IndexFunc(rows, func(x *row) bool { return x.Provider == rule.Provider && x.Model == rule.Like })
	if i < 0 {
		return fmt.Errorf("like: there is no %s", rule.Like)
	}
	missing := storage.CloneRates(rows[i].Rates)
	for j := range missing {
		for _, f := range missing[j].Figures() {
			if r.rate(missing[j].Tier, missing[j].Over).Value(f.Name) != nil {
				*f.Nano = nil
			}
		}
	}
	r.lay(missing, rule.Source)
	return nil
}

func (rule *priceRule) drop(r *row) {
	r.Rates = slices.DeleteFunc(r.Rates, func(x storage.Rate) bool {
		return x.Tier != "" && slices.Contains(rule.Drop, x.Tier) || x.Over > 0 && slices.Contains(rule.Drop, "over")
	})
	for i := range r.Rates {
		for _, f := range r.Rates[i].Figures() {
			if slices.Contains(rule.Drop, f.Name) {
				*f.Nano = nil
			}
		}
	}
}

func (rule *priceRule) times(r *row) error {
	for _, t := range rule.Times {
		thousandths, err := factor(t.Factor)
		if err != nil {
			return err
		}
		for i := range r.Rates {
			of, figure := r.Rates[i].Figure(t.Of), r.Rates[i].Figure(t.Figure)
			if of == nil || figure == nil {
				return fmt.Errorf("times: no such figure: %s or %s", t.Of, t.Figure)
			}
			if *of != nil {
				n := (**of*thousandths + 500) / 1000
				*figure = &n
			}
		}
	}
	return nil
}

func factor(value jsontext.Value) (int64, error) {
	n, exact, err := storage.ParseDecimal(string(value), 3)
	if err == nil && (!exact || n <= 0) {
		err = fmt.Errorf("factor %s must be above 0, with at most three decimals", value)
	}
	return n, err
}

// attribute notes the source of the figures that differ from before.
func (r *row) attribute(before []storage.Rate, source string) {
	old := &row{Price: storage.Price{Rates: before}}
	for i := range r.Rates {
		rate := &r.Rates[i]
		was := old.rate(rate.Tier, rate.Over)
		for _, f := range rate.Figures() {
			had := was.Value(f.Name)
			if *f.Nano != nil && (had == nil || *had != **f.Nano) {
				r.from[figureOf{rate.Tier, rate.Over, f.Name}] = source
			}
		}
	}
}

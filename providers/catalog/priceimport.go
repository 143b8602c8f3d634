package catalog

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// PriceImport is what a list would change of the prices that are known.
type PriceImport struct {
	Changes   []PriceChange
	Unchanged int // models whose listed figures are the known ones
	Refused   []Skipped
	refused   []PriceChange // what Forced takes in
}

// Forced is the import with what was refused taken in.
func (plan *PriceImport) Forced() *PriceImport {
	forced := &PriceImport{Unchanged: plan.Unchanged, Changes: append(slices.Clone(plan.Changes), plan.refused...)}
	slices.SortFunc(forced.Changes, func(a, b PriceChange) int { return ComparePrices(a.Price, b.Price) })
	return forced
}

// Prices lists the prices to be added.
func (plan *PriceImport) Prices() []storage.Price {
	prices := make([]storage.Price, 0, len(plan.Changes))
	for i := range plan.Changes {
		prices = append(prices, plan.Changes[i].Price)
	}
	return prices
}

// PriceChange is a price to be added.
type PriceChange struct {
	Price storage.Price
	Was   *storage.Price // the price in force that it supersedes; nil where there is none
	// Figures are the changes, for people: "input 3 -> 2.5". Lost are figures of the old price
	// that the list does not have, and that cannot be taken to be unchanged beside others that
	// changed: what they are for is unpriced, or priced by what stands in for them.
	Figures, Lost []string
}

// PlanImport says what a list changes, from a time on. known are the prices in force, one for
// each model.
//
// It refuses, by name: a figure that becomes ten times what it was or a tenth of it, which is a
// slip of units rather than a price; and a provider of whose known models the list has less than
// half, which is a broken list.
func PlanImport(list *PriceList, known []storage.Price, from time.Time) *PriceImport {
	byName := make(map[string]*storage.Price, len(known))
	for i := range known {
		byName[known[i].Provider+"/"+known[i].Model] = &known[i]
	}
	plan := &PriceImport{}
	hit := map[*storage.Price]bool{}
	covers := map[string]bool{}
	for i := range list.Prices {
		listed := &list.Prices[i]
		covers[listed.Provider] = true
		was := resolve(byName, listed)
		if was != nil {
			hit[was] = true
		}
		plan.add(list, listed, was, from)
	}
	plan.checkShrinking(known, hit, covers)
	return plan
}

func resolve(known map[string]*storage.Price, p *storage.Price) *storage.Price {
	for _, name := range Candidates(p.Provider, p.Model) {
		if was := known[p.Provider+"/"+name]; was != nil {
			return was
		}
	}
	return nil
}

func (plan *PriceImport) add(list *PriceList, listed, was *storage.Price, from time.Time) {
	change := PriceChange{Price: *listed, Was: was}
	p := &change.Price
	p.Rates = storage.CloneRates(listed.Rates)
	var jumps []string
	if was != nil {
		change.Figures, jumps = differences(was, listed)
		if len(change.Figures) == 0 {
			plan.Unchanged++
			return
		}
		change.Lost = carry(p, was)
	}
	p.From, p.Source, p.Checked = from, list.source(), list.checked(from)
	p.ID = p.MakeID()
	if len(jumps) > 0 {
		plan.Refused = append(plan.Refused, Skipped{p.Provider, p.Model, "changes tenfold: " + strings.Join(jumps, ", ")})
		plan.refused = append(plan.refused, change)
		return
	}
	plan.Changes = append(plan.Changes, change)
}

// source names the list.
func (l *PriceList) source() string {
	text := l.Format
	if l.Commit != "" {
		text += "@" + l.Commit
	}
	if l.Date != "" {
		text += " of " + l.Date
	}
	return text
}

func (l *PriceList) checked(from time.Time) string {
	if _, err := time.Parse(time.DateOnly, l.Date); err == nil {
		return l.Date
	}
	return from.Format(time.DateOnly)
}

// differences tells the listed figures that are not the known ones, and those of them that are
// ten times as much or as little.
func differences(was, listed *storage.Price) (changes, jumps []string) {
	for i := range listed.Rates {
		r := &listed.Rates[i]
		for _, f := range r.Figures() {
			if *f.Nano == nil {
				continue
			}
			n, old := **f.Nano, figureIn(was, r, f.Name)
			switch {
			case old == nil:
				changes = append(changes, fmt.Sprintf("%s %s", figureName(r, f.Name), storage.FormatUSD(n)))
			case *old != n:
				text := fmt.Sprintf("%s %s -> %s", figureName(r, f.Name), storage.FormatUSD(*old), storage.FormatUSD(n))
				changes = append(changes, text)
				if n/10 >= *old || *old/10 >= n {
					jumps = append(jumps, text)
				}
			}
		}
	}
	return changes, jumps
}

func figureIn(p *storage.Price, of *storage.Rate, name string) *int64 {
	for i := range p.Rates {
		if r := &p.Rates[i]; r.Tier == of.Tier && r.Over == of.Over {
			return r.Value(name)
		}
	}
	return nil
}

func figureName(r *storage.Rate, name string) string {
	if r.Tier == "" && r.Over == 0 {
		return name
	}
	return r.Name() + " " + name
}

// carry keeps the known figures that the list does not have, if the list's main ones are the
// known ones; else it tells what is lost.
func carry(p, was *storage.Price) (lost []string) {
	same := func(name string) bool {
		a, b := p.Rates[0].Value(name), figureIn(was, &p.Rates[0], name)
		return a == nil || b != nil && *a == *b
	}
	keep := same("input") && same("output")
	for _, old := range storage.CloneRates(was.Rates) {
		if old.MinSeconds > 0 { // no list has it
			rateOf(p, old.Tier, old.Over).MinSeconds = old.MinSeconds
		}
		for _, f := range old.Figures() {
			if *f.Nano == nil || figureIn(p, &old, f.Name) != nil {
				continue
			}
			if !keep && !f.Each {
				lost = append(lost, figureName(&old, f.Name))
				continue
			}
			if keep || old.Tier == "" && old.Over == 0 {
				rateOf(p, old.Tier, old.Over).Set(f.Name, *f.Nano)
			}
		}
	}
	SpreadUnits(p)
	slices.SortFunc(p.Rates, compareRates)
	if p.Regions == nil {
		p.Regions = was.Regions // factors do not depend on the figures
	}
	return lost
}

func (plan *PriceImport) checkShrinking(known []storage.Price, hit map[*storage.Price]bool, covers map[string]bool) {
	for _, provider := range Names() {
		if !covers[provider] {
			continue
		}
		var missing []string
		all := 0
		for i := range known {
			if known[i].Provider == provider && !strings.HasSuffix(known[i].Model, "*") {
				all++
				if !hit[&known[i]] {
					missing = append(missing, known[i].Model)
				}
			}
		}
		if 2*len(missing) <= all {
			continue
		}
		slices.Sort(missing)
		text := strings.Join(missing[:min(5, len(missing))], ", ")
		if len(missing) > 5 {
			text += fmt.Sprintf(" and %d more", len(missing)-5)
		}
		plan.Refused = append(plan.Refused, Skipped{provider, "*", fmt.Sprintf("%d of %d known models are missing: %s", len(missing), all, text)})
	}
}

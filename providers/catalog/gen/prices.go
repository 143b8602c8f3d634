package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/aistrale/aistrale/providers/catalog"
	"github.com/aistrale/aistrale/storage"
)

// priceOverlay corrects and completes what the lists say.
type priceOverlay struct {
	Sources []catalog.Source `json:"sources"`
	Rules   []priceRule      `json:"rules"`
	Copies  []copyRule       `json:"copies"` // of what the rules and the lists have made
	Prices  []storage.Price  `json:"prices"` // of models that no list has, or beside the lists' by a later date
}

// row is a price in the making, and which source each of its figures is from.
type row struct {
	storage.Price
	from map[figureOf]string
}

type figureOf struct {
	tier string
	over int64
	name string
}

// buildPrices gives the text of prices.json: sorted, one price a line. Of the lists a newer one's
// figure goes before an older one's.
func buildPrices(texts [][]byte, correction []byte) ([]byte, error) {
	var over priceOverlay
	if err := json.Unmarshal(correction, &over, json.RejectUnknownMembers(true)); err != nil {
		return nil, fmt.Errorf("priceoverlay.json: %w", err)
	}
	lists := make([]*catalog.PriceList, 0, len(texts))
	for _, text := range texts {
		list, err := catalog.ReadPriceList(text)
		if err != nil {
			return nil, err
		}
		lists = append(lists, list)
	}
	sources, err := sourcesOf(lists, over.Sources)
	if err != nil {
		return nil, err
	}
	rows := merge(lists, sources)
	if err := correctPrices(rows, over.Rules); err != nil {
		return nil, err
	}
	rows = slices.DeleteFunc(rows, func(r *row) bool { return r.Rates == nil })
	for _, r := range rows {
		r.spreadUnits()
	}
	rows = fold(rows)
	file := catalog.PriceFile{Sources: sources}
	for _, r := range rows {
		r.date(rows, sources)
		r.Source = r.sourceText()
		file.Prices = append(file.Prices, r.Price)
	}
	file.Prices = append(file.Prices, over.Prices...)
	copied, err := copies(file.Prices, over.Copies)
	if err != nil {
		return nil, err
	}
	file.Prices = append(file.Prices, copied...)
	slices.SortFunc(file.Prices, catalog.ComparePrices)
	return renderPrices(file)
}

// sourcesOf names the lists with what they say of themselves, and with what the overlay knows of
// those that do not.
func sourcesOf(lists []*catalog.PriceList, known []catalog.Source) ([]catalog.Source, error) {
	sources := slices.Clone(known)
	for _, l := range lists {
		i := slices.IndexFunc(sources, func(s catalog.Source) bool { return s.Name == l.Format })
		if i < 0 {
			sources = append(sources, catalog.Source{Name: l.Format})
			i = len(sources) - 1
		}
		s := &sources[i]
		s.From, s.Commit = cmp.Or(l.From, s.From), cmp.Or(l.Commit, s.Commit)
		s.Date, s.Licence = cmp.Or(l.Date, s.Date), cmp.Or(l.Licence, s.Licence)
		if s.Date == "" {
			return nil, fmt.Errorf("priceoverlay.json: sources: %s has no date, and the list does not say it", l.Format)
		}
	}
	slices.SortFunc(sources, func(a, b catalog.Source) int { return strings.Compare(a.Name, b.Name) })
	return sources, nil
}

func dateOf(sources []catalog.Source, name string) string {
	for _, s := range sources {
		if s.Name == name {
			return s.Date
		}
	}
	return ""
}

// merge lays the lists over each other, the newest last.
func merge(lists []*catalog.PriceList, sources []catalog.Source) []*row {
	slices.SortStableFunc(lists, func(a, b *catalog.PriceList) int {
		return strings.Compare(dateOf(sources, a.Format), dateOf(sources, b.Format))
	})
	var rows []*row
	byName := map[string]*row{}
	for _, list := range lists {
		for i := range list.Prices {
			p := &list.Prices[i]
			name := p.Provider + "/" + p.Model
			r := byName[name]
			if r == nil {
				r = &row{Price: storage.Price{Provider: p.Provider, Model: p.Model}, from: map[figureOf]string{}}
				byName[name] = r
				rows = append(rows, r)
			}
			r.lay(p.Rates, list.Format)
			if r.From.IsZero() {
				r.From = p.From
			}
			for region, factor := range p.Regions {
				if r.Regions == nil {
					r.Regions = map[string]int64{}
				}
				r.Regions[region] = factor
			}
		}
	}
	return rows
}

// lay sets the figures that the rates have.
func (r *row) lay(rates []storage.Rate, source string) {
	for i := range rates {
		rate := &rates[i]
		target := r.rate(rate.Tier, rate.Over)
		target.MinSeconds = max(target.MinSeconds, rate.MinSeconds)
		for _, f := range rate.Figures() {
			if *f.Nano == nil {
				continue
			}
			n := **f.Nano
			target.Set(f.Name, &n)
			r.from[figureOf{rate.Tier, rate.Over, f.Name}] = source
		}
	}
}

func (r *row) rate(tier string, over int64) *storage.Rate {
	i := slices.IndexFunc(r.Rates, func(x storage.Rate) bool { return x.Tier == tier && x.Over == over })
	if i < 0 {
		r.Rates = append(r.Rates, storage.Rate{Tier: tier, Over: over})
		i = len(r.Rates) - 1
	}
	return &r.Rates[i]
}

// fold leaves out a dated model whose price is that of its undated name: a price is looked for
// under both, and an operator's price for the undated name is then meant for all of them.
func fold(rows []*row) []*row {
	byName := map[string]*row{}
	for _, r := range rows {
		byName[r.Provider+"/"+r.Model] = r
	}
	return slices.DeleteFunc(rows, func(r *row) bool {
		for _, name := range catalog.Candidates(r.Provider, r.Model) {
			if name == r.Model || len(name) >= len(r.Model) {
				continue
			}
			base := byName[r.Provider+"/"+name]
			if base == nil || !r.within(base) {
				continue
			}
			if base.From.IsZero() {
				base.From = r.From
			}
			return true
		}
		return false
	})
}

// within reports whether base says the same of all that r prices.
func (r *row) within(base *row) bool {
	for i := range r.Rates {
		rate := &r.Rates[i]
		j := slices.IndexFunc(base.Rates, func(x storage.Rate) bool { return x.Tier == rate.Tier && x.Over == rate.Over })
		if j < 0 {
			return false
		}
		for _, f := range rate.Figures() {
			same := base.Rates[j].Value(f.Name)
			if *f.Nano != nil && (same == nil || *same != **f.Nano) {
				return false
			}
		}
	}
	return true
}

// spreadUnits gives all rates the prices by the piece, and notes where they are from.
func (r *row) spreadUnits() {
	before := storage.CloneRates(r.Rates)
	catalog.SpreadUnits(&r.Price)
	for _, f := range r.Rates[0].Figures() {
		if f.Each && *f.Nano != nil {
			r.attribute(before, r.from[figureOf{"", 0, f.Name}])
			before = storage.CloneRates(r.Rates)
		}
	}
}

// date says from when the price holds: the model's release, by a list, by its own name or by its
// undated name's; else the day of the list. The lists do not tell what it was before.
func (r *row) date(rows []*row, sources []catalog.Source) {
	rate := &r.Rates[0]
	main := ""
	for _, f := range rate.Figures() {
		if *f.Nano != nil {
			main = r.from[figureOf{"", 0, f.Name}]
			break
		}
	}
	r.Checked = dateOf(sources, main)
	for _, name := range catalog.Candidates(r.Provider, r.Model) {
		for _, other := range rows {
			if r.From.IsZero() && other.Provider == r.Provider && other.Model == name {
				r.From = other.From
			}
		}
	}
	if !r.From.IsZero() {
		return
	}
	for _, layout := range [...]string{time.DateOnly, "2006-01"} {
		if t, err := time.Parse(layout, r.Checked); err == nil {
			r.From = t
		}
	}
}

// sourceText says where the figures are from: "models.dev: standard; litellm: search, flex".
func (r *row) sourceText() string {
	var order []string
	what := map[string][]string{}
	note := func(source, label string) {
		if what[source] == nil {
			order = append(order, source)
		}
		what[source] = append(what[source], label)
	}
	for i := range r.Rates {
		rate := &r.Rates[i]
		var known []string
		whole := map[string]bool{}
		for _, f := range rate.Figures() {
			if *f.Nano != nil && (i == 0 || !f.Each) { // else it is the standard rate's
				known = append(known, f.Name)
				whole[r.from[figureOf{rate.Tier, rate.Over, f.Name}]] = true
			}
		}
		for _, name := range known {
			source := r.from[figureOf{rate.Tier, rate.Over, name}]
			switch {
			case len(whole) > 1 && rate.Name() == "standard":
				note(source, name)
			case len(whole) > 1:
				note(source, rate.Name()+" "+name)
			case name == known[0]:
				note(source, rate.Name())
			}
		}
	}
	if len(order) == 1 {
		return order[0]
	}
	for i, source := range order {
		order[i] = source + ": " + strings.Join(what[source], ", ")
	}
	return strings.Join(order, "; ")
}

func renderPrices(file catalog.PriceFile) ([]byte, error) {
	out := []byte("{\n  \"sources\": [")
	var err error
	for i := range file.Sources {
		if out, err = line(out, i, file.Sources[i]); err != nil {
			return nil, err
		}
	}
	out = append(out, "\n  ],\n  \"prices\": ["...)
	for i := range file.Prices {
		p := file.Prices[i]
		p.ID = "" // it is made of the rest
		if err := p.Check(); err != nil {
			return nil, err
		}
		if out, err = line(out, i, p); err != nil {
			return nil, err
		}
	}
	return append(out, "\n  ]\n}\n"...), nil
}

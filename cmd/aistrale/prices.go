package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers/catalog"
	"github.com/aistrale/aistrale/storage"
)

const (
	pricesListUsage   = "usage: aistrale prices list [--provider P] [--at DATE] [--config FILE] [--json]"
	pricesShowUsage   = "usage: aistrale prices show PROVIDER/MODEL [--at DATE] [--config FILE] [--json]"
	pricesImportUsage = `usage: aistrale prices import FILE [--provider P,…] [--model PATTERN,…] [--from DATE] [--force] [--dry-run]
       [--config FILE] [--json]`
)

// pricesCommands work on what models cost.
func pricesCommands() []command {
	return []command{
		{name: "list", summary: "list what models cost", run: pricesList},
		{name: "show", summary: "show a model's every rate and where it is from", run: pricesShow},
		{name: "import", summary: "import a public list of prices", run: pricesImport},
	}
}

// priceShelf is what is known of prices: the lists that a gateway on this configuration charges
// by, the later before the earlier.
type priceShelf struct {
	lists []namedPrices
	book  *policy.PriceBook
}

type namedPrices struct {
	name   string
	prices []storage.Price
}

func openPrices(ctx context.Context, store nounStore, config *Config) (*priceShelf, error) {
	stored, err := store.Prices(ctx)
	if err != nil {
		return nil, err
	}
	given := priceList(config.Prices, func(string, string, ...any) {}) // a loaded configuration is in order
	shipped := catalog.Prices()
	borrowed := config.borrowed(shipped, stored)
	s := &priceShelf{lists: []namedPrices{{"catalogue", shipped}, {"store", stored}, {"price_as", borrowed}, {"config", given}}}
	s.book = policy.NewPriceBook(shipped, stored, borrowed, given).WithKinds(config.kinds())
	return s, nil
}

// inForce gives each model's price at a time, sorted.
func (s *priceShelf) inForce(at time.Time) []storage.Price {
	var out []storage.Price
	seen := map[string]bool{}
	for _, list := range s.lists {
		for i := range list.prices {
			p := &list.prices[i]
			name := p.Provider + "/" + p.Model
			if seen[name] {
				continue
			}
			seen[name] = true
			if q := s.book.Find(p.Provider, p.Model).At(at); q != nil && q.Model == p.Model {
				out = append(out, *q)
			}
		}
	}
	slices.SortFunc(out, catalog.ComparePrices)
	return out
}

// origin names the list that a price is from.
func (s *priceShelf) origin(p *storage.Price) string {
	for _, list := range slices.Backward(s.lists) {
		if slices.ContainsFunc(list.prices, func(q storage.Price) bool { return q.ID == p.ID }) {
			return list.name
		}
	}
	return ""
}

// withPrices hands the prices to do, with the store that they are partly from.
func (c *storeCommand) withPrices(ctx context.Context, do func(*priceShelf, nounStore) error) error {
	return c.withStore(ctx, func(store nounStore, config *Config) error {
		shelf, err := openPrices(ctx, store, config)
		if err != nil {
			return err
		}
		return do(shelf, store)
	})
}

// at reads the flag of a time: a day, or now where it is empty.
func (c *storeCommand) at(name, text string) (time.Time, error) {
	if text == "" {
		return c.env.Now().UTC(), nil
	}
	t, err := storage.ParseFrom(text)
	if err != nil {
		return t, usagef("--%s: %q is no date like 2026-07-02\n%s", name, text, c.usage)
	}
	return t, nil
}

func pricesList(ctx context.Context, env environment, args []string) error {
	c := newStoreCommand(env, pricesListUsage)
	provider := c.flags.String("provider", "", "only this provider's")
	on := c.flags.String("at", "", "the prices of a day; without it, today's")
	if _, err := c.parse(args, 0); err != nil {
		return err
	}
	at, err := c.at("at", *on)
	if err != nil {
		return err
	}
	return c.withPrices(ctx, func(shelf *priceShelf, _ nounStore) error {
		rows := []priceRow{}
		table := [][]string{{"MODEL", "INPUT", "CACHED", "WRITE 5M", "OUTPUT", "MORE", "FROM", "LIST"}}
		for _, p := range shelf.inForce(at) {
			if *provider != "" && p.Provider != *provider {
				continue
			}
			origin := shelf.origin(&p)
			r := &p.Rates[0]
			rows = append(rows, priceRowOf(&p, r, origin))
			table = append(table, []string{
				p.Provider + "/" + p.Model, dollars(r.Input), dollars(r.CacheRead), dollars(r.CacheWrite5m), dollars(r.Output),
				beside(&p), dayOf(p.From), origin,
			})
		}
		return c.print(rows, table, "")
	})
}

// beside names what a price has beside its standard rate.
func beside(p *storage.Price) string {
	var names []string
	for i := range p.Rates[1:] {
		r := &p.Rates[i+1]
		name := r.Tier
		if r.Over > 0 {
			name = strings.TrimPrefix(fmt.Sprintf("%s>%dk", r.Tier, r.Over/1000), " ")
		}
		names = append(names, name)
	}
	return strings.Join(names, ",")
}

func dollars(nano *int64) string {
	if nano == nil {
		return ""
	}
	return storage.FormatUSD(*nano)
}

func dayOf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.DateOnly)
}

func pricesShow(ctx context.Context, env environment, args []string) error {
	c := newStoreCommand(env, pricesShowUsage)
	on := c.flags.String("at", "", "the price of a day; without it, today's")
	words, err := c.parse(args, 1)
	if err != nil {
		return err
	}
	at, err := c.at("at", *on)
	if err != nil {
		return err
	}
	provider, model, ok := strings.Cut(words[0], "/")
	if !ok {
		model = provider
		if provider, ok = catalog.Owner(model); !ok {
			return usagef("which provider's model is it? Say PROVIDER/MODEL\n%s", c.usage)
		}
	}
	return c.withPrices(ctx, func(shelf *priceShelf, _ nounStore) error {
		p := shelf.book.Find(provider, model).At(at)
		if p == nil {
			return fmt.Errorf("the price of %s/%s at %s is not known: its calls are unpriced (set prices in the config)", provider, model, dayOf(at))
		}
		return c.printPrice(p, shelf.origin(p))
	})
}

// printPrice prints all rates of a price: a row for each with --json, a column for each else.
func (c *storeCommand) printPrice(p *storage.Price, origin string) error {
	if c.json {
		rows := make([]priceRow, 0, len(p.Rates))
		for i := range p.Rates {
			rows = append(rows, priceRowOf(p, &p.Rates[i], origin))
		}
		return printJSON(c.env.Stdout, rows)
	}
	for _, line := range [][2]string{
		{"id", p.ID}, {"from", dayOf(p.From)}, {"list", origin}, {"source", p.Source}, {"checked", p.Checked}, {"regions", regionText(p)},
	} {
		if line[1] == "" {
			continue
		}
		if _, err := fmt.Fprintf(c.env.Stdout, "%-8s %s\n", line[0], line[1]); err != nil {
			return err
		}
	}
	head := []string{"USD"}
	for i := range p.Rates {
		head = append(head, p.Rates[i].Name())
	}
	table := [][]string{head}
	for _, f := range p.Rates[0].Figures() {
		unit, known := "a million", false
		if f.Each {
			unit = "each"
		}
		row := []string{f.Name + ", " + unit}
		for i := range p.Rates {
			n := p.Rates[i].Value(f.Name)
			known = known || n != nil
			row = append(row, dollars(n))
		}
		if known {
			table = append(table, row)
		}
	}
	return printTable(c.env.Stdout, table)
}

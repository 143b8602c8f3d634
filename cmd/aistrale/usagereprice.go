package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/internal/sheet"
	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/ledger"
)

func usageReprice(ctx context.Context, env environment, args []string) error {
	c := newLedgerCommand(env, usageRepriceUsage)
	c.flags.StringVar(&c.since, "from", "", "from when: how long ago, a day or a time")
	c.flags.StringVar(&c.until, "to", "", "up to when; without it, up to now")
	model := c.flags.String("model", "", "the models: anthropic/claude-sonnet-4-5, openai/gpt-5*, or * for all")
	dry := c.flags.Bool("dry-run", false, "say what would change, and change nothing")
	if _, err := c.parse(args, 0); err != nil {
		return err
	}
	if c.since == "" || *model == "" {
		return usagef("--from and --model are needed\n%s", c.usage)
	}
	as, err := c.form()
	if err != nil {
		return err
	}
	q := storage.EntryQuery{}
	if q.From, q.To, err = c.span(); err != nil {
		return err
	}
	c.where = append(c.where, "model="+*model)
	return c.withBooks(ctx, func(b *books) error {
		if q.Where, err = c.filters(b.config); err != nil {
			return err
		}
		r, err := newRepricing(ctx, b)
		if err != nil {
			return err
		}
		var store ledger.Store = b.ledger
		if *dry {
			store = dryLedger{b.ledger}
		}
		r.seen, r.changed, err = ledger.Reprice(ctx, store, q, r.charge)
		if err != nil {
			return fmt.Errorf("%d rows are corrected, and a second run corrects the others: %w", r.changed, err)
		}
		return c.printRepricing(r, *dry, as)
	})
}

// repricing charges entries by today's prices, and sums what that changes.
type repricing struct {
	book          *policy.PriceBook
	tariffs       map[string]string // by provider
	seen, changed int
	before, after storage.Charge // sums: the cost of what has one
	unpriced      [2]int64       // before and after
}

func newRepricing(ctx context.Context, b *books) (*repricing, error) {
	stored, err := b.nouns.Prices(ctx)
	if err != nil {
		return nil, err
	}
	r := &repricing{tariffs: map[string]string{}}
	for i := range b.config.Providers {
		r.tariffs[b.config.Providers[i].Name] = b.config.Providers[i].tariff()
	}
	r.book, err = b.config.priceBook(stored)
	return r, err
}

func (r *repricing) charge(e *storage.Entry) storage.Charge {
	called := policy.Called{
		Provider: e.Provider, Model: e.Model, Region: r.tariffs[e.Provider], Time: e.Time, Estimated: e.Charge.Estimated,
	}
	next := r.book.Charge(called, e.Lines)
	if next.Known() && len(e.Lines) > 0 && ofMedia(e.Op) && !r.book.Sold(called).Told(e.Lines) {
		next.CostNano, next.Unpriced = 0, policy.UnpricedUnits
	}
	r.count(0, &r.before, e.Charge)
	r.count(1, &r.after, next)
	return next
}

// ofMedia reports whether an operation, as rows name it, is about sounds or images.
func ofMedia(op string) bool {
	for o := providers.OpSpeech; o <= providers.OpImageVariations; o++ {
		if o.Media() && o.String() == op {
			return true
		}
	}
	return false
}

func (r *repricing) count(side int, sum *storage.Charge, c storage.Charge) {
	if !c.Known() {
		r.unpriced[side]++
		return
	}
	sum.CostNano += c.CostNano
}

func (c *ledgerCommand) printRepricing(r *repricing, dry bool, as sheet.Form) error {
	if as == sheet.Table {
		verb := "corrected"
		if dry {
			verb = "to be corrected"
		}
		_, err := fmt.Fprintf(c.env.Stdout, "%d of %d rows %s: %s USD before, %s USD after; without a price %d before, %d after.\n",
			r.changed, r.seen, verb, storage.FormatUSD(r.before.CostNano), storage.FormatUSD(r.after.CostNano), r.unpriced[0], r.unpriced[1])
		return err
	}
	s := sheet.New(c.env.Stdout, as, []sheet.Column{
		{Name: "seen"}, {Name: "changed"}, {Name: "dry_run"}, {Name: "cost_usd_before"}, {Name: "cost_usd_after"},
		{Name: "unpriced_before"}, {Name: "unpriced_after"},
	})
	err := s.Row([]jsontext.Value{
		sheet.Int(int64(r.seen)), sheet.Int(int64(r.changed)), sheet.Bool(dry), sheet.USD(r.before.CostNano), sheet.USD(r.after.CostNano),
		sheet.Int(r.unpriced[0]), sheet.Int(r.unpriced[1]),
	}...)
	return errors.Join(err, s.Close())
}

// dryLedger reads, and forgets what it is given to write.
type dryLedger struct{ ledgerStore }

// Write implements ledger.Store.
func (dryLedger) Write(context.Context, []storage.Entry) error { return nil }

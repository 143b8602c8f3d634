package main

import (
	"cmp"
	"context"
	"slices"

	"github.com/aistrale/aistrale/internal/sheet"
	"github.com/aistrale/aistrale/storage"
)

const (
	usageSumUsage = `usage: aistrale usage [--by model,key,…] [--per minute|hour|day] [--since 24h|2026-11-01] [--until …]
       [--where model=anthropic/*,key=ci] [--config FILE | --url URL --workspace NAME] [--json|--csv]
       What was spent, in one row, or by workspace, project, key, user, provider, model, prompt or tag.`
	usageRowsUsage = `usage: aistrale usage rows [--since 24h|2026-11-01] [--until …] [--where model=anthropic/*,key=ci]
       [--request ID] [--limit N] [--config FILE | --url URL --workspace NAME] [--json|--csv]
       Every attempt in its latest revision, oldest first.`
	usageRepriceUsage = `usage: aistrale usage reprice --from 2026-11-01 [--to|--until …] --model PATTERN [--where key=ci]
       [--dry-run] [--config FILE] [--json|--csv]
       Charges what was served in that time anew, by today's price lists. A row is never changed:
       where its cost differs, a higher revision of it is written.`
)

// usageCommands tell of the ledger what its sums do not.
func usageCommands() []command {
	return []command{
		{name: "rows", summary: "list every attempt", run: usageRows},
		{name: "top", summary: "list who has most of something", run: usageTop},
		{name: "errors", summary: "count what went wrong, by kind", run: usageErrors},
		{name: "forecast", summary: "forecast the cost to the end of a period", run: usageForecast},
		{name: "anomalies", summary: "find hours that are unlike those of the weeks before", run: usageAnomalies},
		{name: "export", summary: "write sums or attempts into a file", run: usageExport},
		{name: "reprice", summary: "charge what was served anew, by today's prices", run: usageReprice},
	}
}

func usageSums(ctx context.Context, env environment, args []string) error {
	c := newUsageCommand(env, usageSumUsage)
	c.flags.StringVar(&c.since, "since", "24h", "from when: how long ago, a day or a time")
	by := c.flags.String("by", "", "one row for each of these")
	per := c.flags.String("per", "", "one row for each minute, hour or day")
	if _, err := c.parse(args, 0); err != nil {
		return err
	}
	as, err := c.form()
	if err != nil {
		return err
	}
	q := storage.UsageQuery{Per: storage.Period(*per)}
	if *per != "" && !slices.Contains(storage.Periods(), q.Per) {
		return usagef("--per: %q is none of minute, hour and day\n%s", *per, c.usage)
	}
	if q.From, q.To, err = c.span(); err != nil {
		return err
	}
	for _, name := range split(*by) {
		d := storage.Dimension(name)
		if !slices.Contains(storage.Dimensions(), d) {
			return usagef("--by: %q is no dimension%s\n%s", name, hint(name, dimensionNames()), c.usage)
		}
		if !slices.Contains(q.By, d) {
			q.By = append(q.By, d)
		}
	}
	if api, err := c.remote(); err != nil || api != nil {
		if err != nil {
			return err
		}
		return c.remoteSums(ctx, api, &q, as)
	}
	return c.withBooks(ctx, func(b *books) error {
		if q.Where, err = c.filters(b.config); err != nil {
			return err
		}
		sums, err := b.ledger.Usage(ctx, q)
		if err != nil {
			return err
		}
		return c.printSums(&q, sums, as)
	})
}

func (c *ledgerCommand) printSums(q *storage.UsageQuery, sums []storage.UsageSum, as sheet.Form) error {
	if as == sheet.Table { // people look for what is dear
		slices.SortStableFunc(sums, func(a, b storage.UsageSum) int {
			return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(b.Totals[storage.CostNano], a.Totals[storage.CostNano]))
		})
	}
	s := sheet.New(c.env.Stdout, as, sheet.SumColumns(q, nil, sums))
	for i := range sums {
		if err := s.Row(sheet.SumCells(q, nil, &sums[i])...); err != nil {
			return err
		}
	}
	return s.Close()
}

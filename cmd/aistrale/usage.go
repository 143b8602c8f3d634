package main

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/storage"
)

const (
	usageSumUsage = `usage: aistrale usage [--by model,key,…] [--per minute|hour|day] [--since 24h|2026-11-01] [--until …]
       [--where model=anthropic/*,key=ci] [--config FILE] [--json|--csv]
       What was spent, in one row, or by workspace, project, key, user, provider, model, prompt or tag.`
	usageRowsUsage = `usage: aistrale usage rows [--since 24h|2026-11-01] [--until …] [--where model=anthropic/*,key=ci]
       [--request ID] [--limit N] [--config FILE] [--json|--csv]
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
		{name: "reprice", summary: "charge what was served anew, by today's prices", run: usageReprice},
	}
}

func usageSums(ctx context.Context, env environment, args []string) error {
	c := newLedgerCommand(env, usageSumUsage)
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

func (c *ledgerCommand) printSums(q *storage.UsageQuery, sums []storage.UsageSum, as form) error {
	if as == asTable { // people look for what is dear
		slices.SortStableFunc(sums, func(a, b storage.UsageSum) int {
			return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(b.Totals[storage.CostNano], a.Totals[storage.CostNano]))
		})
	}
	s := newSheet(c.env.Stdout, as, sumColumns(q, sums))
	for i := range sums {
		if err := s.row(sumCells(q, &sums[i])...); err != nil {
			return err
		}
	}
	return s.close()
}

// sumColumns are the columns of sums. A table shows what is not text only where there is some.
func sumColumns(q *storage.UsageQuery, sums []storage.UsageSum) []column {
	var columns []column
	if q.Per != "" {
		columns = append(columns, column{"start", strings.ToUpper(string(q.Per))})
	}
	for _, d := range q.By {
		if d == storage.ByKey {
			columns = append(columns, column{"key", "KEY ID"}, column{"key_name", "KEY"})
			continue
		}
		columns = append(columns, column{string(d), strings.ToUpper(string(d))})
	}
	some := func(m storage.Measure, heading string) string {
		if slices.ContainsFunc(sums, func(s storage.UsageSum) bool { return s.Totals[m] != 0 }) {
			return heading
		}
		return ""
	}
	return append(columns, []column{
		{"requests", "REQUESTS"}, {"errors", "ERRORS"}, {"attempts", ""},
		{"input_tokens", "INPUT"}, {"output_tokens", "OUTPUT"}, {"cache_read_tokens", "CACHE READ"}, {"cache_write_tokens", "CACHE WRITE"},
		{"reasoning_tokens", ""}, {"audio_in_tokens", ""}, {"audio_out_tokens", ""},
		{"images", some(storage.Images, "IMAGES")}, {"searches", ""}, {"characters", some(storage.Characters, "CHARACTERS")},
		{"audio_in_seconds", some(storage.AudioInMs, "SECONDS IN")}, {"audio_out_seconds", some(storage.AudioOutMs, "SECONDS OUT")},
		{"cost_usd", "COST USD"}, {"unpriced", "UNPRICED"}, {"estimated", "ESTIMATED"},
		{"latency_p50_ms", "P50 MS"}, {"latency_p95_ms", "P95 MS"}, {"latency_p99_ms", ""},
	}...)
}

func sumCells(q *storage.UsageQuery, sum *storage.UsageSum) []jsontext.Value {
	var cells []jsontext.Value
	if q.Per != "" {
		cells = append(cells, cellTime(sum.Start))
	}
	for _, d := range q.By {
		cells = append(cells, cellText(*d.Of(&sum.Series)))
		if d == storage.ByKey {
			cells = append(cells, cellText(sum.KeyName))
		}
	}
	t := &sum.Totals
	cells = append(cells, cellInt(t[storage.Requests]), cellInt(t[storage.Errors]), cellInt(t[storage.Attempts]))
	cells = append(cells, unitCells(t)...)
	cost := cellUSD(t[storage.CostNano])
	if t[storage.Unpriced] > 0 && t[storage.Unpriced] == t[storage.Attempts] {
		cost = cellNull // nothing is known, which is not 0
	}
	cells = append(cells, cost, cellInt(t[storage.Unpriced]), cellInt(t[storage.Estimated]))
	for _, q := range []float64{0.5, 0.95, 0.99} {
		latency := cellNull
		if t[storage.Requests] > 0 {
			latency = cellMillis(t.Latency(q))
		}
		cells = append(cells, latency)
	}
	return cells
}

// unitCells are what was counted, from the tokens of input to the seconds of sound.
func unitCells(t *storage.Totals) []jsontext.Value {
	var cells []jsontext.Value
	for _, m := range []storage.Measure{
		storage.InputTokens, storage.OutputTokens, storage.CacheReadTokens, storage.CacheWriteTokens,
		storage.ReasoningTokens, storage.AudioInTokens, storage.AudioOutTokens, storage.Images, storage.Searches, storage.Characters,
	} {
		cells = append(cells, cellInt(t[m]))
	}
	return append(cells, cellThousandths(t[storage.AudioInMs]), cellThousandths(t[storage.AudioOutMs]))
}

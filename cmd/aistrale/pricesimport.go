package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aistrale/aistrale/providers/catalog"
	"github.com/aistrale/aistrale/storage"
)

func pricesImport(ctx context.Context, env environment, args []string) error {
	c := newStoreCommand(env, pricesImportUsage)
	only := c.flags.String("provider", "", "only these providers' prices")
	models := c.flags.String("model", "", `only these models' prices; "*" at the end stands for any rest`)
	on := c.flags.String("from", "", "the day from which the prices hold; without it, today")
	force := c.flags.Bool("force", false, "import what looks wrong too")
	dry := c.flags.Bool("dry-run", false, "say what would change, and change nothing")
	words, err := c.parse(args, 1)
	if err != nil {
		return err
	}
	from, err := c.at("from", *on)
	if err != nil {
		return err
	}
	if *on == "" {
		from = from.Truncate(24 * time.Hour)
	}
	text, err := os.ReadFile(words[0])
	if err != nil {
		return err
	}
	list, err := catalog.ReadPriceList(text)
	if err != nil {
		return err
	}
	narrow(list, split(*only), split(*models))
	if len(list.Prices) == 0 {
		return fmt.Errorf("the list has no price that could be imported: %s", skippedText(list))
	}
	return c.withPrices(ctx, func(shelf *priceShelf, store nounStore) error {
		known := shelf.inForce(from)
		if *models != "" {
			known = slices.DeleteFunc(known, func(p storage.Price) bool { return !anyPattern(split(*models), p.Model) })
		}
		plan := catalog.PlanImport(list, known, from)
		if *force {
			plan = plan.Forced()
		}
		if *dry {
			return c.printImport(plan, list, "would be imported")
		}
		if len(plan.Refused) > 0 {
			return fmt.Errorf("nothing is imported: %d refused (--force imports them too)\n%s", len(plan.Refused), refusedText(plan))
		}
		if err := store.AddPrices(ctx, plan.Prices()); err != nil {
			return err
		}
		return c.printImport(plan, list, "imported")
	})
}

// narrow leaves the prices of some providers and models; empty lists leave all.
func narrow(list *catalog.PriceList, providers, models []string) {
	list.Prices = slices.DeleteFunc(list.Prices, func(p storage.Price) bool {
		return len(providers) > 0 && !slices.Contains(providers, p.Provider) || len(models) > 0 && !anyPattern(models, p.Model)
	})
}

func anyPattern(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		prefix, wild := strings.CutSuffix(pattern, "*")
		return pattern == name || wild && strings.HasPrefix(name, prefix)
	})
}

// importRow is one change as --json prints it.
type importRow struct {
	Provider string `json:"provider"`
	Model    string `json:"model"`
	Action   string `json:"action"` // added, changed, refused
	ID       string `json:"id"`
	Was      string `json:"was"`     // the id of the price before
	Changes  string `json:"changes"` // or why it is refused
	Lost     string `json:"lost"`    // figures that the new price does not have any more
}

func (c *storeCommand) printImport(plan *catalog.PriceImport, list *catalog.PriceList, what string) error {
	rows := make([]importRow, 0, len(plan.Changes)+len(plan.Refused))
	table := [][]string{{"MODEL", "ACTION", "CHANGES", "LOST"}}
	add := func(row importRow) {
		rows = append(rows, row)
		table = append(table, []string{row.Provider + "/" + row.Model, row.Action, row.Changes, row.Lost})
	}
	for i := range plan.Changes {
		change := &plan.Changes[i]
		row := importRow{
			Provider: change.Price.Provider, Model: change.Price.Model, Action: "added", ID: change.Price.ID,
			Changes: strings.Join(change.Figures, "; "), Lost: strings.Join(change.Lost, "; "),
		}
		if change.Was != nil {
			row.Action, row.Was = "changed", change.Was.ID
		}
		add(row)
	}
	for _, r := range plan.Refused {
		add(importRow{Provider: r.Provider, Model: r.Model, Action: "refused", Changes: r.Why})
	}
	if c.json {
		return printJSON(c.env.Stdout, rows)
	}
	if len(rows) > 0 {
		if err := printTable(c.env.Stdout, table); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(c.env.Stdout, "%d prices %s, %d unchanged, %d refused, %s.\n",
		len(plan.Changes), what, plan.Unchanged, len(plan.Refused), skippedText(list))
	return err
}

// skippedText counts what no price was made of, by reason.
func skippedText(list *catalog.PriceList) string {
	counts := map[string]int{}
	var order []string
	for _, s := range list.Skipped {
		if counts[s.Why] == 0 {
			order = append(order, s.Why)
		}
		counts[s.Why]++
	}
	slices.SortFunc(order, func(a, b string) int {
		if d := counts[b] - counts[a]; d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	parts := make([]string, 0, len(order))
	for _, why := range order {
		parts = append(parts, fmt.Sprintf("%d: %s", counts[why], why))
	}
	text := fmt.Sprintf("%d skipped", len(list.Skipped))
	if len(parts) > 0 {
		text += " (" + strings.Join(parts, "; ") + ")"
	}
	return text
}

func refusedText(plan *catalog.PriceImport) string {
	lines := make([]string, 0, len(plan.Refused))
	for _, r := range plan.Refused {
		lines = append(lines, "  "+r.Provider+"/"+r.Model+": "+r.Why)
	}
	return strings.Join(lines, "\n")
}

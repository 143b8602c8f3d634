package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/aistrale/aistrale/admin"
)

const (
	usageTopUsage = `usage: aistrale usage top --by project|key|user|provider|model|prompt|tag|operation [--measure cost|requests|errors|input_tokens|output_tokens]
       [--since 30d] [--limit 10] [--workspace NAME] [--config FILE | --url URL] [--json]
       Who has most of something.`
	usageErrorsUsage = `usage: aistrale usage errors [--by project|key|user|provider|model|operation] [--since 24h] [--workspace NAME] [--config FILE | --url URL] [--json]
       What went wrong, by kind, the most frequent first.`
	usageForecastUsage = `usage: aistrale usage forecast [--period day|week|month] [--workspace NAME] [--config FILE | --url URL] [--json]
       What is likely to be spent to the end of the period, and when budgets will be.`
	usageAnomaliesUsage = `usage: aistrale usage anomalies [--by project|key|user|provider|model|prompt] [--hours 24] [--measure cost|requests|errors|input_tokens|output_tokens]
       [--workspace NAME] [--config FILE | --url URL] [--json]
       Hours that are unlike the same hours of the four weeks before.`
	usageExportUsage = `usage: aistrale usage export [--rows] [--by model,key,…] [--per hour|day|week|month] [--since 30d] [--json] [--out FILE]
       [--workspace NAME] [--config FILE | --url URL]
       Sums, or with --rows every attempt, as CSV or JSON to FILE or stdout.`
)

// reportCommand asks the API for a report on usage.
type reportCommand struct {
	*controlCommand
	asked url.Values
	since string
}

// newReportCommand makes one whose flags of these names go to the API as they are.
func newReportCommand(env environment, usage, since string, names ...string) *reportCommand {
	c := &reportCommand{controlCommand: newControlCommand(env, usage), asked: url.Values{}, since: since}
	for _, name := range append(names, "workspace") {
		c.flags.Func(name, reportFlags()[name], func(text string) error { c.asked.Set(name, text); return nil })
	}
	if since != "" {
		c.flags.StringVar(&c.since, "since", since, "from when: how long ago, a day or a time")
	}
	return c
}

func reportFlags() map[string]string {
	return map[string]string{
		"by": "whose sums", "measure": "what is looked at; without it cost", "limit": "how many; without it 10", "period": "to the end of which; without it month",
		"hours": "how many hours are judged; without it 24", "per": "and for each of these",
		"workspace": "whose usage; without it default",
	}
}

// get asks what is at a path of the API.
func (c *reportCommand) get(ctx context.Context, args []string, path string, out any, show func() error) error {
	if _, err := c.parse(args, 0); err != nil {
		return err
	}
	if err := c.from(); err != nil {
		return err
	}
	return c.withAPI(ctx, func(api *apiClient) error {
		if err := api.call(ctx, http.MethodGet, path+"?"+c.asked.Encode(), nil, out); err != nil {
			return err
		}
		return show()
	})
}

func (c *reportCommand) from() error {
	from, err := c.when("--since", c.since)
	if err == nil && !from.IsZero() {
		c.asked.Set("from", from.Format(timeOfAPI))
	}
	return err
}

func usageTop(ctx context.Context, env environment, args []string) error {
	c := newReportCommand(env, usageTopUsage, "30d", "by", "measure", "limit")
	var top admin.Top
	return c.get(ctx, args, "/usage/top", &top, func() error {
		if c.json {
			return printJSON(env.Stdout, top.Data)
		}
		by := c.asked.Get("by")
		table := [][]string{{strings.ToUpper(by), "COST USD", "UNPRICED", "REQUESTS", "ERRORS", "INPUT", "OUTPUT"}}
		for i := range top.Data {
			r := &top.Data[i]
			table = append(table, []string{
				holderName(r, by), deref(r.CostUSD), digits(r.Unpriced), digits(r.Requests), digits(r.Errors), digits(r.InputTokens), digits(r.OutputTokens),
			})
		}
		t := &top.Total
		return printTable(env.Stdout, append(table, []string{"all", deref(t.CostUSD), digits(t.Unpriced), digits(t.Requests), digits(t.Errors), digits(t.InputTokens), digits(t.OutputTokens)}))
	})
}

// holderName says whose a sum is; of a key its name.
func holderName(r *admin.UsageRow, by string) string {
	for _, one := range []struct {
		by    string
		field *string
	}{
		{"project", r.Project}, {"key", r.KeyName}, {"user", r.User}, {"provider", r.Provider}, {"model", r.Model},
		{"prompt", r.Prompt}, {"tag", r.Tag}, {"operation", r.Operation},
	} {
		if one.by == by {
			return deref(one.field)
		}
	}
	return ""
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func digits(n int64) string { return strconv.FormatInt(n, 10) }

func usageErrors(ctx context.Context, env environment, args []string) error {
	c := newReportCommand(env, usageErrorsUsage, "24h", "by")
	var found admin.UsageErrors
	return c.get(ctx, args, "/usage/errors", &found, func() error {
		if c.json {
			return printJSON(env.Stdout, found.Data)
		}
		table := [][]string{{"OUTCOME", "STATUS", "CODE", "REQUESTS", "ATTEMPTS", "OF"}}
		for i := range found.Data {
			e := &found.Data[i]
			var of []string
			for _, s := range []*string{e.Project, e.KeyName, e.User, e.Provider, e.Model, e.Op} {
				if s != nil {
					of = append(of, *s)
				}
			}
			table = append(table, []string{e.Outcome, e.Status, e.Fault, digits(e.Requests), digits(e.Attempts), strings.Join(of, " ")})
		}
		return printTable(env.Stdout, table)
	})
}

// forecastRow is the forecast of a workspace, or of one of its budgets.
type forecastRow struct {
	Scope   string     `json:"scope"`
	Per     string     `json:"per"`
	Ends    time.Time  `json:"ends"`
	Spent   string     `json:"spent_usd"`
	Likely  *string    `json:"likely_usd"`
	Low     *string    `json:"low_usd"`
	High    *string    `json:"high_usd"`
	Limit   *string    `json:"limit_usd"`
	SpentAt *time.Time `json:"spent_at"`
}

func usageForecast(ctx context.Context, env environment, args []string) error {
	c := newReportCommand(env, usageForecastUsage, "", "period")
	var f admin.UsageForecast
	return c.get(ctx, args, "/usage/forecast", &f, func() error {
		rows := []forecastRow{{
			Scope: "workspace/" + cmp.Or(c.asked.Get("workspace"), "default"), Per: cmp.Or(c.asked.Get("period"), "month"), Ends: f.End,
			Spent: f.Spent, Likely: f.Likely, Low: f.Low, High: f.High,
		}}
		for _, b := range f.Budgets {
			rows = append(rows, forecastRow{Scope: "budget of " + b.Scope, Per: b.Per, Ends: b.Resets, Spent: b.Spent, Likely: b.Likely, Limit: &b.Limit, SpentAt: b.SpentAt})
		}
		if c.json {
			return printJSON(env.Stdout, rows)
		}
		table := [][]string{{"OF", "PER", "ENDS", "SPENT USD", "LIKELY USD", "LOW", "HIGH", "LIMIT", "SPENT AT"}}
		for _, r := range rows {
			at := ""
			if r.SpentAt != nil {
				at = r.SpentAt.UTC().Format(time.DateTime)
			}
			table = append(table, []string{
				r.Scope, r.Per, r.Ends.UTC().Format(time.DateTime), r.Spent, deref(r.Likely), deref(r.Low), deref(r.High), deref(r.Limit), at,
			})
		}
		return printTable(env.Stdout, table)
	})
}

func usageAnomalies(ctx context.Context, env environment, args []string) error {
	c := newReportCommand(env, usageAnomaliesUsage, "", "by", "hours", "measure")
	var found admin.UsageAnomalies
	return c.get(ctx, args, "/usage/anomalies", &found, func() error {
		if c.json {
			return printJSON(env.Stdout, found.Data)
		}
		table := [][]string{{"HOUR", "OF", "VALUE", "USUAL", "SCORE"}}
		for _, a := range found.Data {
			table = append(table, []string{a.At.UTC().Format(time.DateTime), a.Of, a.Value, a.Usual, strconv.FormatFloat(a.Score, 'f', 1, 64)})
		}
		if err := printTable(env.Stdout, table); err != nil {
			return err
		}
		_, err := fmt.Fprintf(env.Stdout, "%d hours judged; of %d too little is known yet.\n", found.Judged, found.Learning)
		return err
	})
}

func usageExport(ctx context.Context, env environment, args []string) error {
	c := newReportCommand(env, usageExportUsage, "30d", "by", "per")
	rows := c.flags.Bool("rows", false, "every attempt")
	out := c.flags.String("out", "", "the file; without it stdout")
	if _, err := c.parse(args, 0); err != nil {
		return err
	}
	if err := c.from(); err != nil {
		return err
	}
	if c.json {
		c.asked.Set("format", "json")
	}
	path := "/usage/export?"
	if *rows {
		path = "/usage/rows?"
	}
	return c.withAPI(ctx, func(api *apiClient) error {
		api.http.Timeout = 0 // it takes as long as it is
		if *out == "" {
			return api.download(ctx, path+c.asked.Encode(), env.Stdout)
		}
		file, err := os.OpenFile(*out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return fmt.Errorf("--out: %w", err)
		}
		return errors.Join(api.download(ctx, path+c.asked.Encode(), file), file.Sync(), file.Close())
	})
}

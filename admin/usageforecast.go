package admin

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/ledger"
)

// BudgetStands is a budget of money of one calendar window as its counter stands, in nano-USD.
type BudgetStands struct {
	Scope, Per             string
	Models                 []string
	Limit, Spent, Reserved int64
	Start, End             time.Time
	Where                  []storage.Filter                  // the ledger's rows that it counts,
	Counts                 func(provider, model string) bool // and of those, which
}

// mostForecast is how many budgets a forecast is made of: those of which most is spent.
const mostForecast = 20

type forecastQuery struct {
	UsageOf
	Period string `query:"period" enum:"day,week,month" default:"month" doc:"To the end of which, in UTC"`
}

// UsageForecast is what is likely to be spent to the end of a period, USD as decimal text.
type UsageForecast struct {
	Start    time.Time        `json:"start"`
	End      time.Time        `json:"end"`
	Now      time.Time        `json:"now"`
	Spent    string           `json:"spent_usd" doc:"Since start, as the ledger has it"`
	Unpriced int64            `json:"unpriced" doc:"Attempts of the period without a known cost, which nothing here counts"`
	Days     int              `json:"history_days" doc:"Whole days before today that it rests on, at most 28"`
	Likely   *string          `json:"likely_usd" doc:"Spent, and for each day that is left the average of the last four of its weekday; null where nothing is known to go by"`
	Low      *string          `json:"low_usd" doc:"The same with the least of the four"`
	High     *string          `json:"high_usd" doc:"The same with the most of the four"`
	Budgets  []BudgetForecast `json:"budgets" doc:"Calendar budgets of money in the workspace, at most 20, of which most is spent first; none where the question is narrowed"`
}

// BudgetForecast says how a budget is likely to end.
type BudgetForecast struct {
	Scope    string     `json:"scope"`
	Models   []string   `json:"models,omitempty"`
	Per      string     `json:"per"`
	Limit    string     `json:"limit_usd"`
	Spent    string     `json:"spent_usd" doc:"As the counters say"`
	Reserved string     `json:"reserved_usd"`
	Likely   *string    `json:"likely_usd" doc:"At resets_at, if nothing were refused"`
	SpentAt  *time.Time `json:"spent_at" doc:"When it is likely to be spent; null where that is not before resets_at"`
	Resets   time.Time  `json:"resets_at"`
}

func (a *api) forecast(ctx context.Context, in *forecastQuery) (*one[UsageForecast], error) {
	now := a.Now().UTC().Truncate(time.Second)
	out := UsageForecast{Now: now, Budgets: []BudgetForecast{}}
	out.Start, out.End = periodOf(in.Period, now)
	spending, spent, unpriced, err := a.spending(ctx, in.filters(), nil, out.Start, now)
	if err != nil {
		return nil, err
	}
	out.Spent, out.Unpriced, out.Days = storage.FormatUSD(spent), unpriced, len(spending.Days)
	if o, ok := spending.Until(out.End); ok {
		out.Likely, out.Low, out.High = usd(spent+o.Likely), usd(spent+o.Low), usd(spent+o.High)
	}
	if len(in.filters()) > 1 || a.Budgets == nil {
		return &one[UsageForecast]{Body: out}, nil
	}
	stands, err := a.Budgets(ctx, cmp.Or(in.Workspace, storage.DefaultWorkspace))
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(stands, func(a, b BudgetStands) int { return cmp.Compare(b.used(), a.used()) })
	for i := range stands[:min(len(stands), mostForecast)] {
		one, err := a.forecastBudget(ctx, &stands[i], now)
		if err != nil {
			return nil, err
		}
		out.Budgets = append(out.Budgets, one)
	}
	return &one[UsageForecast]{Body: out}, nil
}

func (b *BudgetStands) used() float64 { return float64(b.Spent+b.Reserved) / float64(max(1, b.Limit)) }

func (a *api) forecastBudget(ctx context.Context, b *BudgetStands, now time.Time) (BudgetForecast, error) {
	out := BudgetForecast{
		Scope: b.Scope, Models: b.Models, Per: b.Per, Limit: storage.FormatUSD(b.Limit), Spent: storage.FormatUSD(b.Spent),
		Reserved: storage.FormatUSD(b.Reserved), Resets: b.End,
	}
	spending, _, _, err := a.spending(ctx, b.Where, b.Counts, now, now)
	if err != nil {
		return out, err
	}
	if o, ok := spending.Until(b.End); ok {
		out.Likely = usd(b.Spent + o.Likely)
	}
	if at, ok := spending.Gone(b.Limit-b.Spent, b.End); ok {
		out.SpentAt = &at
	}
	return out, nil
}

// spending gives the days before now, what was spent since a start, and how many attempts of that
// time have no price. counts narrows models; nil is all.
func (a *api) spending(ctx context.Context, where []storage.Filter, counts func(provider, model string) bool, start, now time.Time) (s policy.Spending, spent, unpriced int64, err error) {
	today := now.Truncate(24 * time.Hour)
	first := today.AddDate(0, 0, -policy.ForecastDays)
	q := usageAsk{Tally: ledger.Tally{UsageQuery: storage.UsageQuery{From: first, To: now, Per: storage.Day, Where: where, Only: []storage.Measure{storage.CostNano, storage.Unpriced}, Limit: mostSums + 1}}}
	if start.Before(first) {
		q.From = start
	}
	if counts != nil {
		q.By = []storage.Dimension{storage.ByProvider, storage.ByModel}
	}
	found, err := a.sums(ctx, &q)
	if err != nil {
		return s, 0, 0, err
	}
	days := make([]int64, policy.ForecastDays)
	for i := range found {
		f := &found[i]
		if counts != nil && !counts(f.Provider, f.Model) {
			continue
		}
		cost := f.Totals[storage.CostNano]
		if !f.Start.Before(start) {
			spent, unpriced = spent+cost, unpriced+f.Totals[storage.Unpriced]
		}
		switch at := int(f.Start.Sub(first) / (24 * time.Hour)); {
		case f.Start.Before(first):
		case at == len(days):
			s.Today += cost
		case at < len(days):
			days[at] += cost
		}
	}
	s.Now, s.Days = now, days
	if begun := slices.IndexFunc(days, func(n int64) bool { return n > 0 }); begun >= 0 {
		s.Days = days[begun:]
	} else {
		s.Days = nil
	}
	return s, spent, unpriced, nil
}

// periodOf gives the day, week or month that a time is in, in UTC.
func periodOf(period string, now time.Time) (start, end time.Time) {
	day := now.Truncate(24 * time.Hour)
	switch period {
	case "day":
		return day, day.AddDate(0, 0, 1)
	case "week":
		start = startOf(period, day)
		return start, start.AddDate(0, 0, 7)
	}
	start = startOf("month", day)
	return start, start.AddDate(0, 1, 0)
}

func usd(nano int64) *string {
	text := storage.FormatUSD(nano)
	return &text
}

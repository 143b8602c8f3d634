package storage

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Bounds are the limits and budgets that a key, a project or a workspace brings along: in the
// words of the configuration's own lists, without the scope.
type Bounds struct {
	Limits  []LimitSettings  `json:"limits,omitzero" maxItems:"64" doc:"All of them hold, beside what the configuration says"`
	Budgets []BudgetSettings `json:"budgets,omitzero" maxItems:"64" doc:"All of them hold, beside what the configuration says"`
}

// Empty reports whether nothing is bounded.
func (b *Bounds) Empty() bool { return len(b.Limits)+len(b.Budgets) == 0 }

// Of gives them for a scope. Its errors name the member that is wrong.
func (b *Bounds) Of(scope Scope) ([]Limit, []Budget, error) {
	limits, budgets := make([]Limit, 0, len(b.Limits)), make([]Budget, 0, len(b.Budgets))
	for i := range b.Limits {
		limit, err := b.Limits[i].Limit(scope)
		if err != nil {
			return nil, nil, fmt.Errorf("limits[%d]: %w", i, err)
		}
		limits = append(limits, limit)
	}
	for i := range b.Budgets {
		budget, err := b.Budgets[i].Budget(scope)
		if err != nil {
			return nil, nil, fmt.Errorf("budgets[%d]: %w", i, err)
		}
		budgets = append(budgets, budget)
	}
	return limits, budgets, nil
}

// LimitSettings are a Limit as people write it. A figure that is not said is no bound.
type LimitSettings struct {
	Models            []string   `json:"models,omitzero" maxItems:"256" doc:"Patterns of provider/model, or aliases; none: all"`
	RequestsPerMinute int64      `json:"requests_per_minute,omitzero" minimum:"0"`
	RequestsPerDay    int64      `json:"requests_per_day,omitzero" minimum:"0"`
	TokensPerMinute   int64      `json:"tokens_per_minute,omitzero" minimum:"0"`
	Count             TokenCount `json:"count,omitzero" enum:"all,input,output" doc:"Which tokens count; not said: all"`
	Concurrent        int64      `json:"concurrent,omitzero" minimum:"0" doc:"Calls under way"`
	Burst             int64      `json:"burst,omitzero" minimum:"0" doc:"Requests at once; not said: a minute's worth"`
	BurstTokens       int64      `json:"burst_tokens,omitzero" minimum:"0" doc:"Tokens at once; not said: a minute's worth"`
}

// Limit gives the limit for a scope.
func (s *LimitSettings) Limit(scope Scope) (Limit, error) {
	l := Limit{
		Scope: scope, Models: s.Models, RequestsPerMinute: s.RequestsPerMinute, RequestsPerDay: s.RequestsPerDay,
		TokensPerMinute: s.TokensPerMinute, Count: s.Count, Concurrent: s.Concurrent, Burst: s.Burst, BurstTokens: s.BurstTokens,
	}
	return l, l.Check()
}

// BudgetSettings are a Budget as people write it.
type BudgetSettings struct {
	Models    []string   `json:"models,omitzero" maxItems:"256" doc:"Patterns of provider/model; none: all"`
	USD       string     `json:"usd,omitzero" doc:"Decimal text, exact to 0.000000001; this or tokens"`
	Tokens    int64      `json:"tokens,omitzero" minimum:"0"`
	Count     TokenCount `json:"count,omitzero" enum:"all,input,output" doc:"Which tokens count; not said: all"`
	Per       string     `json:"per" doc:"day, week, month, total, or the length of a rolling window such as 24h or 30d"`
	TimeZone  string     `json:"time_zone,omitzero" doc:"Of day, week and month, such as Europe/Berlin; not said: UTC"`
	Soft      []int      `json:"soft,omitzero" maxItems:"32" doc:"Percentages that are told of; not said: 50, 80, 100"`
	Hard      *bool      `json:"hard,omitzero" doc:"false: it refuses nothing; not said: true"`
	Unpriced  BudgetGap  `json:"unpriced,omitzero" enum:"deny,allow" doc:"Models without a price; not said: deny"`
	Unbounded BudgetGap  `json:"unbounded,omitzero" enum:"deny,allow,cap" doc:"Calls whose cost has no bound; not said: deny"`
}

// Budget gives the budget for a scope. No amount is rounded.
func (s *BudgetSettings) Budget(scope Scope) (b Budget, err error) {
	b = Budget{
		Scope: scope, Models: s.Models, Tokens: s.Tokens, Count: s.Count, TimeZone: s.TimeZone, Soft: s.Soft,
		Advisory: s.Hard != nil && !*s.Hard, Unpriced: cmp.Or(s.Unpriced, GapDeny), Unbounded: cmp.Or(s.Unbounded, GapDeny),
	}
	if b.Soft == nil {
		b.Soft = []int{50, 80, 100}
	}
	if s.USD != "" {
		if b.Nano, err = ParseUSD(s.USD); err != nil {
			return b, fmt.Errorf("usd: %w", err)
		}
	}
	switch span := BudgetSpan(s.Per); span {
	case SpanDay, SpanWeek, SpanMonth, SpanTotal:
		b.Per = span
	default:
		b.Per = SpanRolling
		if b.Rolling, err = ParseDuration(s.Per); err != nil {
			return b, fmt.Errorf("per: %q is not day, week, month, total or a duration such as 24h or 30d", s.Per)
		}
	}
	if b.TimeZone == "Local" {
		return b, errors.New("time_zone: name it, such as Europe/Berlin: the machines' own may differ")
	}
	if _, err := time.LoadLocation(b.TimeZone); err != nil {
		return b, fmt.Errorf("time_zone: %q is not known; it is named such as Europe/Berlin", b.TimeZone)
	}
	return b, b.Check()
}

// Within says which of the given bounds these do not keep: for each there must be one that is as
// strict, for as many models at the least. nil is that they keep all.
func (b *Bounds) Within(given *Bounds) error {
	limits, budgets, err := b.Of(Scope{Kind: ScopeAll})
	if err != nil {
		return err
	}
	most, spent, err := given.Of(Scope{Kind: ScopeAll})
	if err != nil {
		return err
	}
	for i := range most {
		if !slices.ContainsFunc(limits, func(l Limit) bool { return l.within(&most[i]) }) {
			return fmt.Errorf("limits: none is as strict as %s", most[i].figures())
		}
	}
	for i := range spent {
		if !slices.ContainsFunc(budgets, func(b Budget) bool { return b.within(&spent[i]) }) {
			return fmt.Errorf("budgets: none is as strict as %s", spent[i].figures())
		}
	}
	return nil
}

// spans reports whether patterns of models are for all that others are for.
func spans(models, other []string) bool {
	if len(models) == 0 {
		return true
	}
	return len(other) > 0 && !slices.ContainsFunc(other, func(m string) bool { return !slices.Contains(models, m) })
}

// sameCount reports whether two count the same tokens.
func sameCount(a, b TokenCount) bool {
	return a == b || (a == "" || a == CountAll) && (b == "" || b == CountAll)
}

// within reports whether the limit bounds all that another one does, no less strictly.
func (l *Limit) within(most *Limit) bool {
	under := func(n, most int64) bool { return most == 0 || n > 0 && n <= most }
	atOnce := func(burst, perMinute int64) int64 { // as NewLimits reads it
		if burst > 0 {
			return burst
		}
		return perMinute
	}
	return spans(l.Models, most.Models) &&
		under(l.RequestsPerMinute, most.RequestsPerMinute) && under(l.RequestsPerDay, most.RequestsPerDay) &&
		under(l.TokensPerMinute, most.TokensPerMinute) && under(l.Concurrent, most.Concurrent) &&
		(most.TokensPerMinute == 0 || sameCount(l.Count, most.Count)) &&
		under(atOnce(l.Burst, l.RequestsPerMinute), atOnce(most.Burst, most.RequestsPerMinute)) &&
		under(atOnce(l.BurstTokens, l.TokensPerMinute), atOnce(most.BurstTokens, most.TokensPerMinute))
}

// within reports whether the budget pays for no more than another one, in the same span.
func (b *Budget) within(most *Budget) bool {
	return spans(b.Models, most.Models) && b.Per == most.Per && b.Rolling == most.Rolling && b.TimeZone == most.TimeZone &&
		(b.Nano > 0) == (most.Nano > 0) && b.Nano <= most.Nano && b.Tokens <= most.Tokens && sameCount(b.Count, most.Count) &&
		(most.Advisory || !b.Advisory) && b.Unpriced.open() <= most.Unpriced.open() && b.Unbounded.open() <= most.Unbounded.open()
}

// open is how much a gap lets through.
func (g BudgetGap) open() int { return slices.Index([]BudgetGap{GapDeny, GapCap, GapAllow}, g) }

// figures names a limit by what it bounds.
func (l *Limit) figures() string {
	text := ""
	for _, f := range l.list() {
		if f.n > 0 {
			text += fmt.Sprintf("%s %d, ", f.name, f.n)
		}
	}
	return text + models(l.Models)
}

// figures names a budget by what it pays for.
func (b *Budget) figures() string {
	amount := "usd " + FormatUSD(b.Nano)
	if b.Tokens > 0 {
		amount = fmt.Sprintf("tokens %d", b.Tokens)
	}
	per := string(b.Per)
	if b.Per == SpanRolling {
		per = b.Rolling.String()
	}
	return amount + " per " + per + ", " + models(b.Models)
}

func models(patterns []string) string {
	if len(patterns) == 0 {
		return "of all models"
	}
	return fmt.Sprintf("of %v", patterns)
}

package proxy

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// Usage is the ledger's sums, as keys are told their own.
type Usage interface {
	Usage(ctx context.Context, q storage.UsageQuery) ([]storage.UsageSum, error)
}

// What a key may ask of the ledger.
const (
	mostAsking  = 4    // questions at once, of all keys together; of one key it is one
	mostUsage   = 2000 // rows of an answer
	hoursReach  = 31 * 24 * time.Hour
	daysReach   = 400 * 24 * time.Hour
	usualUsage  = 30 * 24 * time.Hour
	usageObject = "usage"
)

// curious counts who asks the ledger at the moment.
type curious struct {
	mu   sync.Mutex
	keys map[string]bool
}

func (c *curious) enter(key string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.keys[key]:
		return &providers.Fault{Kind: providers.FaultRequestRate, RetryAfter: time.Second, Retryable: true,
			Message: "This key is being told its usage already; one question at a time. Please try again in 1s."}
	case len(c.keys) == mostAsking:
		return &providers.Fault{Kind: providers.FaultUnavailable, RetryAfter: time.Second, Retryable: true,
			Message: "Too many keys are being told their usage. Please try again in 1s."}
	}
	if c.keys == nil {
		c.keys = map[string]bool{}
	}
	c.keys[key] = true
	return nil
}

func (c *curious) leave(key string) {
	c.mu.Lock()
	delete(c.keys, key)
	c.mu.Unlock()
}

// usageOf is the answer about a key's own usage.
type usageOf struct {
	Object string          `json:"object"`
	From   time.Time       `json:"from"`
	To     time.Time       `json:"to"`
	Per    storage.Period  `json:"per,omitzero"`
	Data   []usageRow      `json:"data"`
	Total  storage.Figures `json:"total"`
}

type usageRow struct {
	Start    *time.Time `json:"start,omitzero"`
	Provider *string    `json:"provider,omitzero"`
	Model    *string    `json:"model,omitzero"`
	Prompt   *string    `json:"prompt,omitzero"`
	Tag      *string    `json:"tag,omitzero"`
	storage.Figures
}

// myUsage answers with what the key used, from the ledger.
func (f *flight) myUsage() error {
	if f.g.options.Usage == nil {
		return &providers.Fault{Kind: providers.FaultUnavailable, NoRetry: true, Message: "This gateway keeps no usage."}
	}
	q, err := f.usageAsked()
	if err != nil {
		return err
	}
	if err := f.g.curious.enter(f.key.ID); err != nil {
		return err
	}
	defer f.g.curious.leave(f.key.ID)
	ctx, cancel := context.WithTimeout(lifetime{f}, tellWithin)
	defer cancel()
	sums, err := f.ownSums(ctx, q)
	if err != nil {
		return err
	}
	answer := usageOf{Object: usageObject, From: q.From, To: q.To, Per: q.Per, Data: []usageRow{}}
	totals := sums
	if slices.Contains(q.By, storage.ByTag) { // there an attempt counts once for each of its tags
		if totals, err = f.ownSums(ctx, storage.UsageQuery{From: q.From, To: q.To, Limit: q.Limit}); err != nil {
			return err
		}
	}
	var total storage.Totals
	for i := range totals {
		total.Add(&totals[i].Totals)
	}
	answer.Total = total.Figures()
	for i := range sums {
		answer.Data = append(answer.Data, rowOf(&q, &sums[i]))
	}
	return f.answerJSON(&answer)
}

func rowOf(q *storage.UsageQuery, sum *storage.UsageSum) usageRow {
	row := usageRow{Figures: sum.Totals.Figures()}
	if q.Per != "" {
		row.Start = &sum.Start
	}
	for _, d := range q.By {
		field := d.Of(&sum.Series)
		switch d {
		case storage.ByProvider:
			row.Provider = field
		case storage.ByModel:
			row.Model = field
		case storage.ByPrompt:
			row.Prompt = field
		case storage.ByTag:
			row.Tag = field
		default: // not to be asked for
		}
	}
	return row
}

// ownSums gives the sums of the key alone. The ledger's filter takes names as well as ids, and
// another key may be named like this one's id; this one may have had several names.
func (f *flight) ownSums(ctx context.Context, q storage.UsageQuery) ([]storage.UsageSum, error) {
	q.Where = []storage.Filter{{Dimension: storage.ByKey, Values: []string{f.key.ID}}}
	by := q.By
	q.By = append([]storage.Dimension{storage.ByKey}, by...)
	found, err := f.g.options.Usage.Usage(ctx, q)
	if err != nil {
		return nil, untold(err)
	}
	if len(found) == q.Limit {
		return nil, providers.Invalid("from", "The answer would have too many rows; ask for a shorter time, or by fewer dimensions.")
	}
	var own []storage.UsageSum
	for i := range found {
		one := &found[i]
		if one.Key != f.key.ID {
			continue
		}
		one.Series.KeyName = ""
		at, known := slices.BinarySearchFunc(own, *one, func(a, b storage.UsageSum) int { return order(by, &a, &b) })
		if known {
			own[at].Add(&one.Totals)
			continue
		}
		own = slices.Insert(own, at, *one)
	}
	return own, nil
}

func order(by []storage.Dimension, a, b *storage.UsageSum) int {
	found := a.Start.Compare(b.Start)
	for _, d := range by {
		found = cmp.Or(found, cmp.Compare(*d.Of(&a.Series), *d.Of(&b.Series)))
	}
	return found
}

// usageAsked reads the parameters of the request's URL.
func (f *flight) usageAsked() (q storage.UsageQuery, err error) {
	for name := range f.fc.QueryArgs().All() {
		if !slices.Contains([]string{"from", "to", "per", "by"}, string(name)) {
			return q, providers.Invalid(clean(name), "Unknown parameter: '"+clean(name)+"'. Known are from, to, per and by.")
		}
	}
	q = storage.UsageQuery{To: f.start.UTC().Truncate(time.Second), Per: storage.Day, Limit: mostUsage + 1}
	if q.To, err = f.timeAsked("to", q.To); err != nil {
		return q, err
	}
	if q.From, err = f.timeAsked("from", q.To.Add(-usualUsage)); err != nil {
		return q, err
	}
	reach := daysReach
	switch per := f.query("per"); per {
	case "", string(storage.Day):
	case string(storage.Hour):
		q.Per, reach = storage.Hour, hoursReach
	case "all":
		q.Per = ""
	default:
		return q, providers.Invalid("per", "Invalid value for 'per': it is hour, day or all.")
	}
	switch by := f.query("by"); by {
	case "":
	case string(storage.ByModel):
		q.By = []storage.Dimension{storage.ByProvider, storage.ByModel}
	case string(storage.ByProvider), string(storage.ByPrompt), string(storage.ByTag):
		q.By = []storage.Dimension{storage.Dimension(by)}
	default:
		return q, providers.Invalid("by", "Invalid value for 'by': it is model, provider, prompt or tag.")
	}
	switch {
	case !q.From.Before(q.To):
		return q, providers.Invalid("from", "'from' must be before 'to'.")
	case q.To.Sub(q.From) > reach:
		return q, providers.Invalid("from", "The time asked for is too long: at most 31 days by the hour, 400 else.")
	}
	return q, nil
}

// timeAsked reads a time (RFC 3339) or a day (in UTC).
func (f *flight) timeAsked(name string, usual time.Time) (time.Time, error) {
	text := f.query(name)
	if text == "" {
		return usual, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return usual, providers.Invalid(name, "Invalid value for '"+name+"': it is a day (2026-11-01) or a time (2026-11-01T08:00:00Z).")
}

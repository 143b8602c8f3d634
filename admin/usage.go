package admin

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/ledger"
)

// Ledger is what was used, as the control plane reads it.
type Ledger interface {
	Usage(ctx context.Context, q storage.UsageQuery) ([]storage.UsageSum, error)
	Entries(ctx context.Context, q storage.EntryQuery, f func(*storage.Entry) error) error
}

// What one question may take.
const (
	mostSums    = 20_000           // of an answer
	usageWithin = 25 * time.Second // less than the listener allows for an answer
	usageAtOnce = 4                // questions that are answered at a time
)

// UsageOf says whose usage is asked for.
type UsageOf struct {
	Workspace string   `query:"workspace" maxLength:"128" doc:"Without it: default"`
	Project   []string `query:"project" maxItems:"50" doc:"One of these; what ends in * stands for all that begin so"`
	Key       []string `query:"key" maxItems:"50" doc:"Ids or names"`
	User      []string `query:"user" maxItems:"50" doc:"Owners of keys"`
	Provider  []string `query:"provider" maxItems:"50"`
	Model     []string `query:"model" maxItems:"50"`
	Prompt    []string `query:"prompt" maxItems:"50" doc:"name@version"`
	Tag       []string `query:"tag" maxItems:"50"`
}

// UsageWhere narrows what is asked, and to when.
type UsageWhere struct {
	UsageOf
	From      string   `query:"from" maxLength:"40" doc:"A day in UTC (2026-11-01) or a time (2026-11-01T08:00:00Z), rounded down to the minute; without it 30 days before to"`
	To        string   `query:"to" maxLength:"40" doc:"Exclusive, rounded up to the minute; without it now"`
	Operation []string `query:"operation" maxItems:"50" doc:"As rows name it; read from rows"`
	Outcome   []string `query:"outcome" maxItems:"50" doc:"As rows name it; read from rows"`
	Status    []string `query:"status" maxItems:"50" doc:"HTTP status; read from rows"`
	Fault     []string `query:"fault" maxItems:"50" doc:"Code of the error that the client was given; read from rows"`
}

const usualSpan = 30 * 24 * time.Hour

// span reads from and to.
func (w *UsageWhere) span(now time.Time) (from, to time.Time, err error) {
	to, err = usageTime("to", w.To, now)
	if err != nil {
		return from, to, err
	}
	from, err = usageTime("from", w.From, to.Add(-usualSpan))
	if err == nil && !from.Before(to) {
		err = wrongParameter("from", "it is not before to")
	}
	return from, to, err
}

func usageTime(name, text string, usual time.Time) (time.Time, error) {
	if text == "" {
		return usual.UTC(), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return usual, wrongParameter(name, "it is neither a day (2026-11-01) nor a time (2026-11-01T08:00:00Z)")
}

func wrongParameter(name, why string) error {
	return huma.Error422UnprocessableEntity("validation failed", &huma.ErrorDetail{Location: "query." + name, Message: why})
}

// filters are those that roll-ups know.
func (w *UsageOf) filters() []storage.Filter {
	filters := []storage.Filter{{Dimension: storage.ByWorkspace, Values: []string{cmp.Or(w.Workspace, storage.DefaultWorkspace)}}}
	for _, f := range []storage.Filter{
		{Dimension: storage.ByProject, Values: w.Project}, {Dimension: storage.ByKey, Values: w.Key}, {Dimension: storage.ByUser, Values: w.User},
		{Dimension: storage.ByProvider, Values: w.Provider}, {Dimension: storage.ByModel, Values: w.Model},
		{Dimension: storage.ByPrompt, Values: w.Prompt}, {Dimension: storage.ByTag, Values: w.Tag},
	} {
		if len(f.Values) > 0 {
			filters = append(filters, f)
		}
	}
	return filters
}

// facets are the filters that only rows know.
func (w *UsageWhere) facets() (facets []ledger.FacetFilter) {
	for _, f := range []ledger.FacetFilter{
		{Facet: ledger.ByOperation, Values: w.Operation}, {Facet: ledger.ByOutcome, Values: w.Outcome},
		{Facet: ledger.ByStatus, Values: w.Status}, {Facet: ledger.ByFault, Values: w.Fault},
	} {
		if len(f.Values) > 0 {
			facets = append(facets, f)
		}
	}
	return facets
}

// usageAsk is one question to the ledger.
type usageAsk struct {
	ledger.Tally
	per string // "", minute, hour, day, week, month
}

// ask reads by and per into a question.
func (w *UsageWhere) ask(now time.Time, by []string, per string) (q usageAsk, err error) {
	q.per = per
	if q.From, q.To, err = w.span(now); err != nil {
		return q, err
	}
	switch per {
	case "week", "month":
		q.Per = storage.Day
	default:
		q.Per = storage.Period(per)
	}
	q.Where, q.Facets = w.filters(), w.facets()
	for _, name := range by {
		d, f := storage.Dimension(name), ledger.Facet(name)
		switch {
		case slices.Contains(q.By, d) || slices.Contains(q.ByFacets, f):
			return q, wrongParameter("by", name+" stands there twice")
		case slices.Contains(storage.Dimensions(), d):
			q.By = append(q.By, d)
		default: // one of the enumeration's others
			q.ByFacets = append(q.ByFacets, f)
		}
	}
	q.Limit = mostSums + 1
	return q, nil
}

// sums answers a question: from the roll-ups, or from rows where those do not know what is asked.
func (a *api) sums(ctx context.Context, q *usageAsk) ([]ledger.Sum, error) {
	done, err := a.asking(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	ctx, cancel := context.WithTimeout(ctx, usageWithin)
	defer cancel()
	found, err := q.Sums(ctx, a.Ledger)
	switch {
	case errors.Is(err, ledger.ErrTooMany) || err == nil && len(found) > mostSums:
		return nil, wrongParameter("by", "the answer would have more than 20,000 sums; ask for a shorter time, or by fewer dimensions")
	case errors.Is(err, context.DeadlineExceeded):
		return nil, huma.Error503ServiceUnavailable("the ledger took longer than 25 seconds; ask for a shorter time")
	case err != nil:
		return nil, a.unread(ctx, err)
	}
	if q.per == "week" || q.per == "month" {
		found = q.Rebucket(found, func(t time.Time) time.Time { return startOf(q.per, t) })
	}
	return found, nil
}

// unread says that the ledger cannot be read, which is no defect of the gateway's.
func (a *api) unread(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return err
	}
	a.Log.Error("control plane: the ledger cannot be read", "request_id", requestOf(ctx).id, "error", err.Error())
	return huma.Error503ServiceUnavailable("the ledger cannot be read at the moment; the gateway's log has the reason under this request's x-request-id")
}

func notKept() error {
	return huma.Error503ServiceUnavailable("journal.store is off: nothing is kept of what was used")
}

// asking waits for its turn to ask the ledger.
func (a *api) asking(ctx context.Context) (done func(), err error) {
	if a.Ledger == nil {
		return nil, notKept()
	}
	select {
	case a.turns <- struct{}{}:
		return func() { <-a.turns }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// startOf is the beginning of the week, from Monday, or of the month that a day is in.
func startOf(per string, t time.Time) time.Time {
	if per == "month" {
		return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
	}
	return t.AddDate(0, 0, -(int(t.Weekday())+6)%7)
}

// UsageRow is one sum. It has the members that were asked by.
type UsageRow struct {
	Start     *time.Time `json:"start,omitempty" doc:"Of the bucket, UTC"`
	Workspace *string    `json:"workspace,omitempty"`
	Project   *string    `json:"project,omitempty"`
	Key       *string    `json:"key,omitempty" doc:"The public id"`
	KeyName   *string    `json:"key_name,omitempty"`
	User      *string    `json:"user,omitempty" doc:"The key's owner"`
	Provider  *string    `json:"provider,omitempty"`
	Model     *string    `json:"model,omitempty"`
	Prompt    *string    `json:"prompt,omitempty" doc:"name@version"`
	Tag       *string    `json:"tag,omitempty"`
	Operation *string    `json:"operation,omitempty"`
	Outcome   *string    `json:"outcome,omitempty"`
	Status    *string    `json:"status,omitempty"`
	Fault     *string    `json:"fault,omitempty"`
	storage.Figures
}

func showSum(q *usageAsk, sum *ledger.Sum) UsageRow {
	row := UsageRow{Figures: sum.Totals.Figures()}
	if q.per != "" {
		row.Start = &sum.Start
	}
	place := map[storage.Dimension]**string{
		storage.ByWorkspace: &row.Workspace, storage.ByProject: &row.Project, storage.ByKey: &row.Key, storage.ByUser: &row.User,
		storage.ByProvider: &row.Provider, storage.ByModel: &row.Model, storage.ByPrompt: &row.Prompt, storage.ByTag: &row.Tag,
	}
	for _, d := range q.By {
		*place[d] = d.Of(&sum.Series)
		if d == storage.ByKey {
			row.KeyName = &sum.KeyName
		}
	}
	facets := map[ledger.Facet]**string{
		ledger.ByOperation: &row.Operation, ledger.ByOutcome: &row.Outcome, ledger.ByStatus: &row.Status, ledger.ByFault: &row.Fault,
	}
	for i, f := range q.ByFacets {
		*facets[f] = &sum.Facets[i]
	}
	return row
}

type usageQuery struct {
	Page
	UsageWhere
	By  []string `query:"by" maxItems:"4" enum:"project,key,user,provider,model,prompt,tag,operation,outcome,status,fault" doc:"One sum for each; the last four are read from rows"`
	Per string   `query:"per" enum:"minute,hour,day,week,month" doc:"And for each of these, in UTC; weeks begin on Monday"`
}

func (a *api) listUsage(ctx context.Context, in *usageQuery) (*listed[UsageRow], error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	q, err := in.ask(a.Now(), in.By, in.Per)
	if err != nil {
		return nil, err
	}
	found, err := a.sums(ctx, &q)
	if err != nil {
		return nil, err
	}
	return page(in.Page, &q, found, after), nil
}

// page is the part of an answer behind a sum, which is named by what it is of: another question
// would find it again.
func page(p Page, q *usageAsk, found []ledger.Sum, after string) *listed[UsageRow] {
	name := func(s ledger.Sum) string { return sumName(q, &s) }
	if after != "" {
		at := slices.IndexFunc(found, func(s ledger.Sum) bool { return name(s) > after })
		if at < 0 {
			at = len(found)
		}
		found = found[at:]
	}
	return listOf(p, found, name, func(s ledger.Sum) UsageRow { return showSum(q, &s) })
}

// sumName sorts as the answer does.
func sumName(q *usageAsk, s *ledger.Sum) string {
	parts := []string{s.Start.UTC().Format(time.RFC3339)}
	for _, d := range q.By {
		parts = append(parts, *d.Of(&s.Series))
	}
	parts = append(parts, s.KeyName)
	return strings.ToValidUTF8(strings.Join(append(parts, s.Facets...), "\x01"), "?") // a cursor has no NUL
}

// Resolve implements huma.Resolver: of a parameter that stands twice only one would be heard.
func (*UsageOf) Resolve(h huma.Context) (errs []error) {
	at := h.URL()
	for name, values := range at.Query() {
		if len(values) > 1 {
			errs = append(errs, &huma.ErrorDetail{Location: "query." + name, Message: "it stands there twice; several values are joined by commas"})
		}
	}
	return errs
}

package ledger

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// Facet is what only rows know of an attempt, and roll-ups do not.
type Facet string

// The facets, as users name them.
const (
	ByOperation Facet = "operation"
	ByOutcome   Facet = "outcome"
	ByStatus    Facet = "status"
	ByFault     Facet = "fault"
)

func (f Facet) of(e *storage.Entry) string {
	switch f {
	case ByOperation:
		return e.Op
	case ByOutcome:
		return string(e.Outcome)
	case ByStatus:
		return strconv.Itoa(e.Status)
	case ByFault:
		return e.Fault
	}
	return ""
}

// FacetFilter holds where a facet has one of the values; what ends in "*" stands for all that
// begin so.
type FacetFilter struct {
	Facet  Facet
	Values []string
}

// Tally is a usage query that may ask by what only rows know. Limit bounds its sums: one that
// would have more fails with ErrTooMany, or gives so many.
type Tally struct {
	storage.UsageQuery
	ByFacets []Facet
	Facets   []FacetFilter
}

// Sum is one row of a Tally's answer: Facets are in the order of ByFacets.
type Sum struct {
	storage.UsageSum
	Facets []string
}

// Source is a ledger that is asked.
type Source interface {
	Usage(ctx context.Context, q storage.UsageQuery) ([]storage.UsageSum, error)
	Entries(ctx context.Context, q storage.EntryQuery, f func(*storage.Entry) error) error
}

// ErrTooMany is wrapped where an answer would have more sums than its limit.
var ErrTooMany = errors.New("the answer has too many sums")

// Sums answers in the order of start, dimensions and facets: from the roll-ups, and where those do
// not know what is asked from the rows, of which only the sums are in memory. Both count alike.
func (t *Tally) Sums(ctx context.Context, from Source) ([]Sum, error) {
	if len(t.ByFacets)+len(t.Facets) == 0 {
		found, err := from.Usage(ctx, t.UsageQuery)
		sums := make([]Sum, 0, len(found))
		for i := range found {
			sums = append(sums, Sum{UsageSum: found[i]})
		}
		return sums, err
	}
	counting := tallying{Tally: t, sums: map[group]*Sum{}}
	q := storage.EntryQuery{From: t.From.Truncate(time.Minute), To: t.To, Where: t.Where}
	if whole := t.To.Truncate(time.Minute); !whole.Equal(t.To) {
		q.To = whole.Add(time.Minute)
	}
	if err := from.Entries(ctx, q, counting.add); err != nil {
		return nil, err
	}
	return counting.sorted(), nil
}

// tallying is a Tally in the making.
type tallying struct {
	*Tally
	sums map[group]*Sum
}

type group struct {
	start  int64
	series storage.Series
	facets string
}

func (t *tallying) add(e *storage.Entry) error {
	if !hasFacets(e, t.Facets) {
		return nil
	}
	totals := storage.TotalsOf(e)
	own := e.Series
	own.Tag = ""
	if !t.tagged() {
		return t.count(e, own, &totals)
	}
	var seen []string
	for _, tag := range e.Tags {
		if tag == "" || slices.Contains(seen, tag) || !t.fitsTag(tag) {
			continue
		}
		seen = append(seen, tag)
		own.Tag = tag
		if err := t.count(e, own, &totals); err != nil {
			return err
		}
	}
	return nil
}

func hasFacets(e *storage.Entry, facets []FacetFilter) bool {
	return !slices.ContainsFunc(facets, func(f FacetFilter) bool { return !fitsOne(f.Facet.of(e), f.Values) })
}

// Each calls f for the entries of a query that have all facets. Its limit counts those.
func Each(ctx context.Context, from Source, q storage.EntryQuery, facets []FacetFilter, f func(*storage.Entry) error) error {
	if len(facets) == 0 {
		return from.Entries(ctx, q, f)
	}
	left := q.Limit
	q.Limit = 0
	err := from.Entries(ctx, q, func(e *storage.Entry) error {
		if !hasFacets(e, facets) {
			return nil
		}
		if err := f(e); err != nil {
			return err
		}
		if left--; left == 0 {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

var errEnough = errors.New("there are enough")

// tagged reports whether attempts are counted once for each of their tags, as in roll-ups.
func (t *tallying) tagged() bool {
	return slices.Contains(t.By, storage.ByTag) ||
		slices.ContainsFunc(t.Where, func(f storage.Filter) bool { return f.Dimension == storage.ByTag })
}

func (t *tallying) fitsTag(tag string) bool {
	return !slices.ContainsFunc(t.Where, func(f storage.Filter) bool { return f.Dimension == storage.ByTag && !fitsOne(tag, f.Values) })
}

func (t *tallying) count(e *storage.Entry, of storage.Series, totals *storage.Totals) error {
	var g group
	var facets []string
	if length := int64(t.Per.Length() / time.Second); length > 0 {
		g.start = e.Began().Unix() / length * length
	}
	for _, d := range t.By {
		*d.Of(&g.series) = *d.Of(&of)
		if d == storage.ByKey {
			g.series.KeyName = of.KeyName
		}
	}
	for _, f := range t.ByFacets {
		facets = append(facets, f.of(e))
	}
	g.facets = strings.Join(facets, "\x00")
	sum := t.sums[g]
	if sum == nil {
		if t.Limit > 0 && len(t.sums) == t.Limit {
			return ErrTooMany
		}
		sum = &Sum{UsageSum: storage.UsageSum{Series: g.series}, Facets: facets}
		if t.Per != "" {
			sum.Start = time.Unix(g.start, 0).UTC()
		}
		t.sums[g] = sum
	}
	sum.Add(totals)
	return nil
}

func (t *tallying) sorted() []Sum {
	all := make([]Sum, 0, len(t.sums))
	for _, sum := range t.sums {
		all = append(all, *sum)
	}
	slices.SortFunc(all, t.order)
	return all
}

func (t *Tally) order(a, b Sum) int {
	order := a.Start.Compare(b.Start)
	for _, d := range t.By {
		order = cmp.Or(order, cmp.Compare(*d.Of(&a.Series), *d.Of(&b.Series)))
	}
	return cmp.Or(order, cmp.Compare(a.KeyName, b.KeyName), slices.Compare(a.Facets, b.Facets))
}

// fitsOne reports whether a text is one of the values, or begins as one that ends in "*" does.
func fitsOne(text string, values []string) bool {
	return slices.ContainsFunc(values, func(value string) bool {
		prefix, open := strings.CutSuffix(value, "*")
		return text == value || open && strings.HasPrefix(text, prefix)
	})
}

// Rebucket adds up sums whose starts are of one longer bucket.
func (t *Tally) Rebucket(sums []Sum, bucket func(time.Time) time.Time) []Sum {
	known := map[group]int{}
	var longer []Sum
	for _, s := range sums {
		s.Start = bucket(s.Start)
		at := group{s.Start.Unix(), s.Series, strings.Join(s.Facets, "\x00")}
		if i, ok := known[at]; ok {
			longer[i].Add(&s.Totals)
			continue
		}
		known[at] = len(longer)
		longer = append(longer, s)
	}
	slices.SortFunc(longer, t.order)
	return longer
}

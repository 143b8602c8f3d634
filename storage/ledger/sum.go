package ledger

import (
	"cmp"
	"slices"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// Sums is the statement that answers a usage query from the roll-ups.
type Sums struct {
	Text string
	Args []any

	query *storage.UsageQuery
}

// SelectSums makes the statement for a query, which must stay as it is until the last Scan. A
// query by tag, or for tags, reads the series that have one: there an attempt is counted once
// for each of its tags that fits.
func SelectSums(q *storage.UsageQuery, b Borders, mark Mark) *Sums {
	s := statement{mark: mark}
	tagged := slices.Contains(q.By, storage.ByTag) ||
		slices.ContainsFunc(q.Where, func(f storage.Filter) bool { return f.Dimension == storage.ByTag })
	columns := sumColumns(q)
	s.WriteString(`SELECT `)
	for _, column := range columns {
		s.quoted(column)
		s.WriteString(`, `)
	}
	s.list(measuresOf(q), func(m string) { s.WriteString(`CAST(coalesce(sum(u.` + m + `), 0) AS BIGINT)`) })
	s.WriteString(` FROM (`)
	spans := Spans(q, b)
	if len(spans) == 0 {
		spans = []Span{{Period: storage.Day}}
	}
	for i, span := range spans {
		if i > 0 {
			s.WriteString(` UNION ALL `)
		}
		s.span(q, span, tagged)
	}
	s.WriteString(`) u JOIN series ON series.id = u.series_id`)
	if len(columns) > 0 {
		s.WriteString(` GROUP BY `)
		s.list(columns, s.quoted)
		s.WriteString(` HAVING sum(u.counted) <> 0`) // corrections may have emptied a roll-up
	}
	if q.Limit > 0 {
		s.WriteString(` LIMIT `)
		s.int(int64(q.Limit))
	}
	return &Sums{Text: s.String(), Args: s.args, query: q}
}

// wanted are the measures that a query asks for.
func wanted(q *storage.UsageQuery) []storage.Measure {
	if len(q.Only) > 0 {
		return q.Only
	}
	all := make([]storage.Measure, storage.Measures)
	for m := range all {
		all[m] = storage.Measure(m)
	}
	return all
}

// measuresOf gives the names of their columns.
func measuresOf(q *storage.UsageQuery) (names []string) {
	for _, m := range wanted(q) {
		names = append(names, m.String())
	}
	return names
}

// sumColumns are the columns of the answer before the measures.
func sumColumns(q *storage.UsageQuery) []string {
	var columns []string
	if q.Per != "" {
		columns = append(columns, "bucket")
	}
	for _, d := range q.By {
		columns = append(columns, string(d))
		if d == storage.ByKey {
			columns = append(columns, "key_name")
		}
	}
	return columns
}

// span writes the sums of one span by series, so that the outer sum has few rows to sort.
func (s *statement) span(q *storage.UsageQuery, span Span, tagged bool) {
	s.WriteString(`SELECT series_id, `)
	if q.Per != "" {
		length := cmp.Or(int64(q.Per.Length()/time.Second), 1)
		s.WriteString(`start - start % `)
		s.int(length)
		s.WriteString(` AS bucket, `)
	}
	s.list(measuresOf(q), func(m string) { s.WriteString(`CAST(sum(` + m + `) AS BIGINT) AS ` + m) })
	s.WriteString(`, CAST(sum(attempts) AS BIGINT) AS counted`)
	s.WriteString(` FROM ` + Table(span.Period) + ` WHERE start >= `)
	s.arg(span.From)
	s.WriteString(` AND start < `)
	s.arg(span.To)
	s.WriteString(` AND series_id IN (SELECT id FROM series WHERE `)
	s.where(q.Where, tagged)
	s.WriteString(`) GROUP BY series_id`)
	if q.Per != "" {
		s.WriteString(`, bucket`)
	}
}

// Scan reads one row of the answer.
func (s *Sums) Scan(scan func(...any) error) (storage.UsageSum, error) {
	var sum storage.UsageSum
	var start int64
	targets := make([]any, 0, 4+len(s.query.By)+storage.Measures)
	if s.query.Per != "" {
		targets = append(targets, &start)
	}
	for _, d := range s.query.By {
		targets = append(targets, d.Of(&sum.Series))
		if d == storage.ByKey {
			targets = append(targets, &sum.KeyName)
		}
	}
	for _, m := range wanted(s.query) {
		targets = append(targets, &sum.Totals[m])
	}
	err := scan(targets...)
	if s.query.Per != "" {
		sum.Start = time.Unix(start, 0).UTC()
	}
	return sum, err
}

// Sort puts an answer in order, whatever the engine's collation.
func (s *Sums) Sort(sums []storage.UsageSum) {
	slices.SortFunc(sums, func(a, b storage.UsageSum) int {
		order := a.Start.Compare(b.Start)
		for _, d := range s.query.By {
			order = cmp.Or(order, cmp.Compare(*d.Of(&a.Series), *d.Of(&b.Series)))
		}
		return cmp.Or(order, cmp.Compare(a.KeyName, b.KeyName))
	})
}

package ledger

import (
	"bytes"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/aistrale/aistrale/storage"
)

// Matches reports whether an entry passes all filters.
func Matches(e *storage.Entry, where []storage.Filter) bool {
	return !slices.ContainsFunc(where, func(f storage.Filter) bool { return !matches(e, f) })
}

func matches(e *storage.Entry, f storage.Filter) bool {
	fits := func(text string) bool { return fitsOne(text, f.Values) }
	switch f.Dimension {
	case storage.ByTag:
		return slices.ContainsFunc(e.Tags, fits)
	case storage.ByKey:
		return fits(e.Key) || fits(e.KeyName)
	default:
		field := f.Dimension.Of(&e.Series)
		return field != nil && fits(*field)
	}
}

// SeriesOf is the condition on the table series, "" for none, that the series of every entry
// fulfils which passes the filters. It lets others pass too: filters by tag are left to Matches,
// and so are the models of a full store. n is the number of parameters before it.
func SeriesOf(where []storage.Filter, n int, mark Mark) (text string, args []any) {
	s := statement{mark: func(i int) string { return mark(n + i) }}
	for _, f := range where {
		if f.Dimension == storage.ByTag {
			continue
		}
		if s.Len() > 0 {
			s.WriteString(` AND `)
		}
		s.oneOf(f, f.Dimension == storage.ByModel)
	}
	return s.String(), s.args
}

// IDs gives the request ids of an entry query: from the first one on, up to but without the
// other. Times count to the millisecond, as they do in an id; a zero To is the end of time. It
// fails where RequestID or Before is no id.
func IDs(q *storage.EntryQuery) (from, before uuid.UUID, err error) {
	from = idAt(q.From)
	before = idAt(q.To)
	if q.To.IsZero() {
		before = uuid.Max
	}
	if q.Before != "" {
		id, err := uuid.Parse(q.Before)
		if err != nil {
			return from, before, err
		}
		if bytes.Compare(id[:], before[:]) < 0 {
			before = id
		}
	}
	if q.RequestID == "" {
		return from, before, nil
	}
	id, err := uuid.Parse(q.RequestID)
	if err != nil {
		return from, before, err
	}
	if bytes.Compare(id[:], from[:]) < 0 || bytes.Compare(id[:], before[:]) >= 0 {
		return id, id, nil
	}
	return id, next(id), nil
}

// idAt is the lowest request id of a time's millisecond.
func idAt(t time.Time) uuid.UUID {
	var id uuid.UUID
	if ms := t.UnixMilli(); ms > 0 {
		for i := range 6 {
			id[i] = byte(ms >> (40 - 8*i))
		}
	}
	return id
}

// next is the id after an id.
func next(id uuid.UUID) uuid.UUID {
	for i := len(id) - 1; i >= 0; i-- {
		id[i]++
		if id[i] != 0 {
			break
		}
	}
	return id
}

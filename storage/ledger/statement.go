package ledger

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/aistrale/aistrale/storage"
)

// Mark writes the n-th parameter of a statement, from 1: "?" or "$1".
type Mark func(n int) string

// Table is where the roll-ups of a period are kept: by series_id and start, which is in seconds
// since 1970, with a column for each measure.
func Table(p storage.Period) string { return "usage_" + string(p) }

// SeriesColumns are the columns of the table series after its id, which all together are unique.
func SeriesColumns() []string {
	return []string{"workspace", "project", "key", "key_name", "user", "provider", "model", "prompt", "tag"}
}

// SeriesFields gives the fields of a series in the order of SeriesColumns, to be scanned into.
func SeriesFields(s *storage.Series) []*string {
	return []*string{&s.Workspace, &s.Project, &s.Key, &s.KeyName, &s.User, &s.Provider, &s.Model, &s.Prompt, &s.Tag}
}

// Measures gives the names of the columns of all measures.
func Measures() []string {
	names := make([]string, storage.Measures)
	for m := range names {
		names[m] = storage.Measure(m).String()
	}
	return names
}

// statement is SQL in the making, and its arguments.
type statement struct {
	strings.Builder
	mark Mark
	args []any
}

// arg adds an argument and writes its parameter.
func (s *statement) arg(v any) {
	s.args = append(s.args, v)
	s.WriteString(s.mark(len(s.args)))
}

// int writes a number.
func (s *statement) int(n int64) { s.WriteString(strconv.FormatInt(n, 10)) }

// list writes the items, which write writes, with commas between them.
func (s *statement) list(items []string, write func(item string)) {
	for i, item := range items {
		if i > 0 {
			s.WriteString(", ")
		}
		write(item)
	}
}

// quoted writes a column's name. User is a word of SQL's own.
func (s *statement) quoted(column string) { s.WriteString(`"` + column + `"`) }

// where writes what a series must be to pass the filters. One of tags wants a series with a tag,
// all others the one that counts every attempt.
func (s *statement) where(filters []storage.Filter, tagged bool) {
	if tagged {
		s.WriteString(`tag <> ''`)
	} else {
		s.WriteString(`tag = ''`)
	}
	for _, f := range filters {
		s.WriteString(` AND `)
		s.oneOf(f, false)
	}
}

// oneOf writes that a dimension has one of a filter's values. With folded, the series of a full
// store pass as well.
func (s *statement) oneOf(f storage.Filter, folded bool) {
	columns := []string{string(f.Dimension)}
	if f.Dimension == storage.ByKey {
		columns = append(columns, "key_name")
	}
	s.WriteString(`(1 = 0`)
	for _, column := range columns {
		for _, value := range f.Values {
			s.WriteString(` OR `)
			s.fits(column, value)
		}
		if folded {
			s.WriteString(` OR `)
			s.fits(column, Other)
		}
	}
	s.WriteString(`)`)
}

// fits writes that a column is a value, or begins as it does.
func (s *statement) fits(column, value string) {
	prefix, open := strings.CutSuffix(value, "*")
	value = plain(prefix)
	if !open {
		s.quoted(column)
	} else {
		s.WriteString(`substr(`)
		s.quoted(column)
		s.WriteString(`, 1, `)
		s.int(int64(utf8.RuneCountInString(value)))
		s.WriteString(`)`)
	}
	s.WriteString(` = `)
	s.arg(value)
}

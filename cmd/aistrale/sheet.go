package main

import (
	"bufio"
	"encoding/csv"
	"errors"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/storage"
)

// form is how rows are printed.
type form int

const (
	asTable form = iota // for people: the columns that have a heading
	asJSON              // one array of flat objects on one line
	asCSV               // with the columns' names as the first line; null is empty
)

// column is one value of every row.
type column struct {
	name    string
	heading string // "": tables leave it out
}

// sheet prints rows as they come, so that a long answer is never held in memory.
type sheet struct {
	form    form
	columns []column
	out     *bufio.Writer
	csv     *csv.Writer
	table   *tabwriter.Writer
	rows    int
	line    []string
}

// tablePage is after how many rows a table is aligned anew.
const tablePage = 1000

func newSheet(w io.Writer, as form, columns []column) *sheet {
	s := &sheet{form: as, columns: columns, out: bufio.NewWriter(w)}
	s.csv = csv.NewWriter(s.out)
	s.table = tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	return s
}

// row prints one row: a JSON value that is not nested for each column.
func (s *sheet) row(cells ...jsontext.Value) error {
	defer func() { s.rows++ }()
	if s.form == asJSON {
		return s.object(cells)
	}
	if s.rows == 0 {
		if err := s.head(); err != nil {
			return err
		}
	}
	s.line = s.line[:0]
	for i, c := range cells {
		if s.form == asCSV || s.columns[i].heading != "" {
			s.line = append(s.line, plainText(c))
		}
	}
	if s.form == asCSV {
		return s.csv.Write(s.line)
	}
	if s.rows%tablePage == tablePage-1 {
		if err := s.table.Flush(); err != nil {
			return err
		}
	}
	return s.tableLine()
}

func (s *sheet) object(cells []jsontext.Value) error {
	b := s.out.AvailableBuffer()
	if s.rows == 0 {
		b = append(b, '[')
	} else {
		b = append(b, ',')
	}
	for i, c := range cells {
		b = append(b, `,"`...)
		if i == 0 {
			b[len(b)-2] = '{'
		}
		b = append(append(b, s.columns[i].name...), `":`...)
		b = append(b, c...)
	}
	_, err := s.out.Write(append(b, '}'))
	return err
}

func (s *sheet) head() error {
	s.line = s.line[:0]
	for _, c := range s.columns {
		switch {
		case s.form == asCSV:
			s.line = append(s.line, c.name)
		case c.heading != "":
			s.line = append(s.line, c.heading)
		}
	}
	if s.form == asCSV {
		return s.csv.Write(s.line)
	}
	return s.tableLine()
}

// tableLine prints no control characters: clients name things, and a terminal obeys them.
func (s *sheet) tableLine() error {
	for i, cell := range s.line {
		if s.line[i] = strings.Map(printable, cell); cell == "" {
			s.line[i] = "-"
		}
	}
	_, err := io.WriteString(s.table, strings.Join(s.line, "\t")+"\t\n")
	return err
}

func printable(r rune) rune {
	if !unicode.IsPrint(r) {
		return '?'
	}
	return r
}

// close ends the sheet, which may have no rows.
func (s *sheet) close() error {
	var err error
	switch {
	case s.form == asJSON && s.rows == 0:
		_, err = s.out.WriteString("[]\n")
	case s.form == asJSON:
		_, err = s.out.WriteString("]\n")
	case s.rows == 0:
		err = s.head()
	}
	s.csv.Flush()
	return errors.Join(err, s.csv.Error(), s.table.Flush(), s.out.Flush())
}

// plainText is a value as CSV and tables show it.
func plainText(v jsontext.Value) string {
	switch v.Kind() {
	case '"':
		text, _ := jsontext.AppendUnquote(nil, v) // quoted by us
		return string(text)
	case 'n':
		return ""
	}
	return string(v)
}

var cellNull = jsontext.Value("null")

func cellText(s string) jsontext.Value {
	quoted, _ := jsontext.AppendQuote(nil, strings.ToValidUTF8(s, "\uFFFD"))
	return quoted
}

func cellInt(n int64) jsontext.Value { return strconv.AppendInt(nil, n, 10) }

func cellBool(b bool) jsontext.Value { return strconv.AppendBool(nil, b) }

// cellUSD is an exact decimal number.
func cellUSD(nano int64) jsontext.Value { return jsontext.Value(storage.FormatUSD(nano)) }

func cellTime(t time.Time) jsontext.Value { return cellText(t.UTC().Format(time.RFC3339Nano)) }

// cellMillis has microseconds behind the point.
func cellMillis(d time.Duration) jsontext.Value { return cellThousandths(d.Microseconds()) }

// cellThousandths is n / 1000.
func cellThousandths(n int64) jsontext.Value {
	return strconv.AppendFloat(nil, float64(n)/1000, 'f', -1, 64)
}

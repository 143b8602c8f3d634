// Package sheet prints rows as they come: as tables for people, as JSON and CSV for programs. It
// must never hold more than a page of them.
package sheet

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

// Form is how rows are printed.
type Form int

// The forms.
const (
	Table Form = iota // for people: the columns that have a heading
	JSON              // one array of flat objects on one line
	CSV               // with the columns' names as the first line; null is empty
)

// Column is one value of every row.
type Column struct {
	Name    string
	Heading string // "": tables leave it out
}

// Sheet prints rows as they come, so that a long answer is never held in memory.
type Sheet struct {
	form    Form
	columns []Column
	out     *bufio.Writer
	csv     *csv.Writer
	table   *tabwriter.Writer
	rows    int
	line    []string
}

// CRLF ends the lines of CSV as RFC 4180 has them, as files that travel do; a terminal's have not.
func (s *Sheet) CRLF() { s.csv.UseCRLF = true }

// tablePage is after how many rows a table is aligned anew.
const tablePage = 1000

// New makes a sheet that prints to w. It must be closed.
func New(w io.Writer, as Form, columns []Column) *Sheet {
	s := &Sheet{form: as, columns: columns, out: bufio.NewWriter(w)}
	s.csv = csv.NewWriter(s.out)
	s.table = tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	return s
}

// Row prints one row: a JSON value that is not nested for each column.
func (s *Sheet) Row(cells ...jsontext.Value) error {
	defer func() { s.rows++ }()
	if s.form == JSON {
		return s.object(cells)
	}
	if s.rows == 0 {
		if err := s.head(); err != nil {
			return err
		}
	}
	s.line = s.line[:0]
	for i, c := range cells {
		text := plainText(c)
		switch {
		case s.form == CSV && c.Kind() == '"':
			s.line = append(s.line, harmless(text))
		case s.form == CSV || s.columns[i].Heading != "":
			s.line = append(s.line, text)
		}
	}
	if s.form == CSV {
		return s.csv.Write(s.line)
	}
	if s.rows%tablePage == tablePage-1 {
		if err := s.table.Flush(); err != nil {
			return err
		}
	}
	return s.tableLine()
}

func (s *Sheet) object(cells []jsontext.Value) error {
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
		b = append(append(b, s.columns[i].Name...), `":`...)
		b = append(b, c...)
	}
	_, err := s.out.Write(append(b, '}'))
	return err
}

func (s *Sheet) head() error {
	s.line = s.line[:0]
	for _, c := range s.columns {
		switch {
		case s.form == CSV:
			s.line = append(s.line, c.Name)
		case c.Heading != "":
			s.line = append(s.line, c.Heading)
		}
	}
	if s.form == CSV {
		return s.csv.Write(s.line)
	}
	return s.tableLine()
}

// tableLine prints no control characters: clients name things, and a terminal obeys them.
func (s *Sheet) tableLine() error {
	for i, cell := range s.line {
		if s.line[i] = Printable(cell); cell == "" {
			s.line[i] = "-"
		}
	}
	_, err := io.WriteString(s.table, strings.Join(s.line, "\t")+"\t\n")
	return err
}

// Printable is a text without control characters.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
}

// Close ends the sheet, which may have no rows.
func (s *Sheet) Close() error {
	var err error
	switch {
	case s.form == JSON && s.rows == 0:
		_, err = s.out.WriteString("[]\n")
	case s.form == JSON:
		_, err = s.out.WriteString("]\n")
	case s.rows == 0:
		err = s.head()
	}
	s.csv.Flush()
	return errors.Join(err, s.csv.Error(), s.table.Flush(), s.out.Flush())
}

// harmless is a text that no spreadsheet takes for a formula: clients name things, and whoever
// opens a file of them runs what begins so. Numbers stay as they are.
func harmless(text string) string {
	if text != "" && strings.IndexByte("=+-@\t\r\n", text[0]) >= 0 {
		return "'" + text
	}
	return text
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

// Null is the cell of what is not known.
var Null = jsontext.Value("null")

// Text is a cell.
func Text(s string) jsontext.Value {
	quoted, _ := jsontext.AppendQuote(nil, strings.ToValidUTF8(s, "\uFFFD"))
	return quoted
}

// Int is a cell.
func Int(n int64) jsontext.Value { return strconv.AppendInt(nil, n, 10) }

// Bool is a cell.
func Bool(b bool) jsontext.Value { return strconv.AppendBool(nil, b) }

// USD is an exact decimal number.
func USD(nano int64) jsontext.Value { return jsontext.Value(storage.FormatUSD(nano)) }

// Time is a cell: RFC 3339 in UTC.
func Time(t time.Time) jsontext.Value { return Text(t.UTC().Format(time.RFC3339Nano)) }

// Millis has microseconds behind the point.
func Millis(d time.Duration) jsontext.Value { return Thousandths(d.Microseconds()) }

// Thousandths is n / 1000.
func Thousandths(n int64) jsontext.Value {
	return strconv.AppendFloat(nil, float64(n)/1000, 'f', -1, 64)
}

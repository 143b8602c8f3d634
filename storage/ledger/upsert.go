package ledger

import (
	"strings"

	"github.com/aistrale/aistrale/storage"
)

// Upsert is the statement that adds so many rows to the roll-ups of a period. Its arguments are
// those of AppendArgs, row after row.
func Upsert(p storage.Period, rows int, mark Mark) string {
	columns := append([]string{"series_id", "start"}, Measures()...)
	var s strings.Builder
	s.WriteString(`INSERT INTO ` + Table(p) + ` (` + strings.Join(columns, ", ") + `) VALUES `)
	n := 0
	for row := range rows {
		if row > 0 {
			s.WriteString(`, `)
		}
		for i := range columns {
			n++
			s.WriteString([]string{`, `, `(`}[1-min(i, 1)] + mark(n))
		}
		s.WriteString(`)`)
	}
	s.WriteString(` ON CONFLICT (series_id, start) DO UPDATE SET `)
	for i, m := range Measures() {
		if i > 0 {
			s.WriteString(`, `)
		}
		s.WriteString(m + ` = ` + Table(p) + `.` + m + ` + excluded.` + m)
	}
	return s.String()
}

// AppendArgs appends what Upsert takes for one row.
func AppendArgs(args []any, r *Row) []any {
	args = append(args, r.Series, r.Start)
	for _, n := range r.Totals {
		args = append(args, n)
	}
	return args
}

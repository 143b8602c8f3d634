package postgres

import (
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/aistrale/aistrale/storage"
)

// row is an entry on its way into its table.
type row struct {
	*storage.Entry
	totals storage.Totals
	series int64
}

// entryColumn is a column of the table entries, and how an entry fills it.
type entryColumn struct {
	name string
	oid  uint32
	fill func(*array, *row)
}

// lookColumns are the first of entryColumns, day and request id: by these an attempt's other
// revisions are looked up.
const lookColumns = 2

// entryColumns gives the columns in the order of the statement that inserts them.
func entryColumns() []entryColumn {
	sum := func(name string, m storage.Measure) entryColumn {
		return entryColumn{name, pgtype.Int8OID, func(a *array, r *row) { a.int8(r.totals[m]) }}
	}
	return []entryColumn{
		{"day", pgtype.DateOID, func(a *array, r *row) { a.date(r.Day()) }},
		{"request_id", pgtype.UUIDOID, func(a *array, r *row) { a.uuid(r.RequestID) }},
		{"attempt", pgtype.Int4OID, func(a *array, r *row) { a.int4(r.Attempt) }},
		{"revision", pgtype.Int4OID, func(a *array, r *row) { a.int4(r.Revision) }},
		{"series_id", pgtype.Int8OID, func(a *array, r *row) { a.int8(r.series) }},
		{"time", pgtype.TimestamptzOID, func(a *array, r *row) { a.time(r.Time) }},
		{"final", pgtype.BoolOID, func(a *array, r *row) { a.bool(r.Final) }},
		{"stream", pgtype.BoolOID, func(a *array, r *row) { a.bool(r.Stream) }},
		{"estimated", pgtype.BoolOID, func(a *array, r *row) { a.bool(r.Charge.Estimated) }},
		{"status", pgtype.Int4OID, func(a *array, r *row) { a.int4(r.Status) }},
		{"outcome", pgtype.TextOID, func(a *array, r *row) { a.text(string(r.Outcome)) }},
		{"fault", pgtype.TextOID, func(a *array, r *row) { a.text(r.Fault) }},
		{"served", pgtype.TextOID, func(a *array, r *row) { a.text(r.Served) }},
		{"end_user", pgtype.TextOID, func(a *array, r *row) { a.text(r.EndUser) }},
		{"node", pgtype.TextOID, func(a *array, r *row) { a.text(r.Node) }},
		sum("input_tokens", storage.InputTokens),
		sum("cache_read_tokens", storage.CacheReadTokens),
		sum("cache_write_tokens", storage.CacheWriteTokens),
		sum("output_tokens", storage.OutputTokens),
		sum("reasoning_tokens", storage.ReasoningTokens),
		{"cost_nano", pgtype.Int8OID, fillCost},
		{"unpriced", pgtype.TextOID, func(a *array, r *row) { a.text(r.Unpriced) }},
		{"price_id", pgtype.TextOID, func(a *array, r *row) { a.text(r.PriceID) }},
		{"first_byte_us", pgtype.Int8OID, func(a *array, r *row) { a.int8(r.FirstByte.Microseconds()) }},
		{"duration_us", pgtype.Int8OID, func(a *array, r *row) { a.int8(r.Duration.Microseconds()) }},
		{"entry", pgtype.ByteaOID, func(a *array, r *row) { a.entry(r.Entry) }},
	}
}

func fillCost(a *array, r *row) {
	if !r.Known() {
		a.null()
		return
	}
	a.int8(r.CostNano)
}

// insertEntries is the statement that inserts entries from one array for each column, and gives
// the keys of those that were not there, in the order of the arrays.
func insertEntries() string {
	names, types := make([]string, 0, 32), make([]uint32, 0, 32)
	for _, c := range entryColumns() {
		names, types = append(names, c.name), append(types, c.oid)
	}
	return `INSERT INTO entries (` + strings.Join(names, ", ") + `) SELECT * FROM ` + unnest(types) +
		` ON CONFLICT DO NOTHING RETURNING request_id, attempt, revision`
}

// unnest turns parameters that are arrays of these types into rows.
func unnest(types []uint32) string {
	names := map[uint32]string{
		pgtype.BoolOID: "bool", pgtype.Int4OID: "int4", pgtype.Int8OID: "int8", pgtype.TextOID: "text",
		pgtype.ByteaOID: "bytea", pgtype.DateOID: "date", pgtype.TimestamptzOID: "timestamptz", pgtype.UUIDOID: "uuid",
	}
	var s strings.Builder
	s.WriteString(`unnest(`)
	for i, oid := range types {
		if i > 0 {
			s.WriteString(`, `)
		}
		s.WriteString(`$` + strconv.Itoa(i+1) + `::` + names[oid] + `[]`)
	}
	return s.String() + `)`
}

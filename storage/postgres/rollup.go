package postgres

import (
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/ledger"
)

// upsertRollups is the statement that adds to roll-ups from one array for each column.
func upsertRollups(p storage.Period) string {
	table := ledger.Table(p)
	types := []uint32{pgtype.Int8OID, pgtype.Int8OID}
	sums := make([]string, 0, storage.Measures)
	for _, m := range ledger.Measures() {
		types = append(types, pgtype.Int8OID)
		sums = append(sums, m+` = `+table+`.`+m+` + excluded.`+m)
	}
	return `INSERT INTO ` + table + ` (series_id, start, ` + strings.Join(ledger.Measures(), ", ") + `) SELECT * FROM ` +
		unnest(types) + ` ON CONFLICT (series_id, start) DO UPDATE SET ` + strings.Join(sums, ", ")
}

// arrays are the parameters of a transaction, kept for the next.
type arrays struct {
	columns []entryColumn
	entry   []array
	rollup  [3][2 + storage.Measures]array
	sql     *statements
}

func newArrays(sql *statements) *arrays {
	columns := entryColumns()
	return &arrays{columns: columns, entry: make([]array, len(columns)), sql: sql}
}

// fill takes entries; series says which number the i-th has.
func (a *arrays) fill(entries []*storage.Entry, series func(i int) int64) {
	for c := range a.columns {
		a.entry[c].reset(a.columns[c].oid)
	}
	for i, e := range entries {
		r := row{Entry: e, totals: storage.TotalsOf(e), series: series(i)}
		for c := range a.columns {
			a.columns[c].fill(&a.entry[c], &r)
		}
	}
}

// params gives what fill has made, in the order of insertEntries.
func (a *arrays) params() [][]byte { return finished(a.entry) }

func finished(columns []array) [][]byte {
	params := make([][]byte, len(columns))
	for i := range columns {
		params[i] = columns[i].done()
	}
	return params
}

// rollups gives the steps that add rows, which are in the order of their periods.
func (a *arrays) rollups(rows []ledger.Row) []step {
	var steps []step
	for p, period := range storage.Periods() {
		columns := a.rollup[p][:]
		for c := range columns {
			columns[c].reset(pgtype.Int8OID)
		}
		for ; len(rows) > 0 && rows[0].Period == period; rows = rows[1:] {
			columns[0].int8(rows[0].Series)
			columns[1].int8(rows[0].Start)
			for m, n := range rows[0].Totals {
				columns[2+m].int8(n)
			}
		}
		if columns[0].n > 0 {
			steps = append(steps, step{a.sql.upsert[p], finished(columns)})
		}
	}
	return steps
}

// mostKept bounds the memory that one column keeps for the next transaction, in bytes.
const mostKept = 4 << 20

// shrink gives back what an unusual transaction took.
func (a *arrays) shrink() {
	for c := range a.entry {
		if cap(a.entry[c].buf) > mostKept {
			a.entry[c].buf = nil
		}
	}
}

// statements are those of the ledger.
type statements struct {
	shared, exclusive    statement // the lock between rows and their corrections
	corrected, revisions statement
	insert               statement
	upsert               [3]statement
	open, close          statement // the journal's
}

// newStatements writes them. Corrections are written alone, because the roll-ups of a
// correction depend on what it corrects; plain rows are written beside each other.
func newStatements() *statements {
	lock := strconv.Itoa(lockCorrections)
	known := func(condition string) string {
		return `SELECT DISTINCT ON (request_id, attempt) entry FROM entries WHERE ` + condition +
			`day = ANY($1::date[]) AND request_id = ANY($2::uuid[]) ORDER BY request_id, attempt, revision DESC`
	}
	s := &statements{
		shared:    statement{"lock_shared", `SELECT FROM pg_advisory_xact_lock_shared(` + lock + `, ` + schemaKey + `)`},
		exclusive: statement{"lock_exclusive", `SELECT FROM pg_advisory_xact_lock(` + lock + `, ` + schemaKey + `)`},
		corrected: statement{"corrected", known(`revision > 1 AND `)},
		revisions: statement{"revisions", known(``)},
		insert:    statement{"insert_entries", insertEntries()},
		open: statement{"open_attempts", `INSERT INTO open_attempts (request_id, attempt, instance, entry)
			SELECT r, a, $3::uuid, e FROM unnest($1::uuid[], $2::int4[], $4::bytea[]) AS o (r, a, e) ON CONFLICT DO NOTHING`},
		close: statement{"close_attempts", `DELETE FROM open_attempts o USING unnest($1::uuid[], $2::int4[]) AS c (r, a)
			WHERE o.request_id = c.r AND o.attempt = c.a`},
	}
	for i, p := range storage.Periods() {
		s.upsert[i] = statement{"upsert_" + string(p), upsertRollups(p)}
	}
	return s
}

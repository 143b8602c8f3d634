package postgres

import (
	"context"
	"strconv"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/ledger"
)

// mostCached bounds the series whose numbers are kept in memory.
const mostCached = 20_000

// seriesIDs remembers the numbers of series, which never change.
type seriesIDs struct {
	mu  sync.Mutex
	ids map[storage.Series]int64
}

// get fills in the numbers that are known, and gives the places of those that are not.
func (c *seriesIDs) get(series []storage.Series, ids []int64) (missing []int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range series {
		if known, ok := c.ids[series[i]]; ok {
			ids[i] = known
		} else {
			missing = append(missing, i)
		}
	}
	return missing
}

func (c *seriesIDs) put(series storage.Series, number int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ids == nil || len(c.ids) >= mostCached {
		c.ids = make(map[storage.Series]int64)
	}
	c.ids[series] = number
}

// number gives the numbers of series, and makes those that are new. Within a transaction that
// may still be rolled back nothing is remembered.
func (s *Store) number(ctx context.Context, conn *pgx.Conn, series []storage.Series) ([]int64, error) {
	numbers := make([]int64, len(series))
	missing := s.series.get(series, numbers)
	if len(missing) == 0 {
		return numbers, nil
	}
	asked := make([]storage.Series, len(missing))
	for i, at := range missing {
		asked[i] = series[at]
	}
	found, err := findSeries(ctx, conn, asked)
	if err != nil {
		return nil, err
	}
	if found, err = s.addSeries(ctx, conn, asked, found); err != nil {
		return nil, err
	}
	remember := conn.PgConn().TxStatus() == 'I'
	for i, at := range missing {
		numbers[at] = found[i]
		if numbers[at] > 0 && remember {
			s.series.put(series[at], numbers[at])
		}
	}
	return s.foldSeries(ctx, conn, series, numbers)
}

// foldSeries gives series that a full store does not take the number of what it counts them
// under. They are not remembered: clients could make up any number of them.
func (s *Store) foldSeries(ctx context.Context, conn *pgx.Conn, series []storage.Series, numbers []int64) ([]int64, error) {
	var places []int
	var folded []storage.Series
	for i, number := range numbers {
		if number == 0 {
			places, folded = append(places, i), append(folded, ledger.Fold(series[i]))
		}
	}
	if len(places) == 0 {
		return numbers, nil
	}
	if err := insertSeries(ctx, conn, folded); err != nil {
		return nil, err
	}
	found, err := findSeries(ctx, conn, folded)
	if err != nil {
		return nil, err
	}
	for i, at := range places {
		numbers[at] = found[i]
	}
	return numbers, nil
}

// addSeries makes those of the series that were not found, as long as the store has room.
func (s *Store) addSeries(ctx context.Context, conn *pgx.Conn, asked []storage.Series, found []int64) ([]int64, error) {
	var tagged, untagged int
	var fresh []storage.Series
	for i, number := range found {
		if number == 0 && fresh == nil {
			err := conn.QueryRow(ctx, `SELECT count(*) FILTER (WHERE tag <> ''), count(*) FILTER (WHERE tag = '') FROM series`).
				Scan(&tagged, &untagged)
			if err != nil {
				return nil, err
			}
			fresh = []storage.Series{}
		}
		switch {
		case number != 0:
		case asked[i].Tag != "" && tagged < s.mostTagged:
			tagged++
			fresh = append(fresh, asked[i])
		case asked[i].Tag == "" && untagged < s.mostUntagged:
			untagged++
			fresh = append(fresh, asked[i])
		}
	}
	if len(fresh) == 0 {
		return found, nil
	}
	if err := insertSeries(ctx, conn, fresh); err != nil {
		return nil, err
	}
	return findSeries(ctx, conn, asked)
}

// columnsOf gives series column by column, as unnest takes them.
func columnsOf(series []storage.Series) []any {
	columns := make([][]string, len(ledger.SeriesColumns()))
	for i := range series {
		for c, field := range ledger.SeriesFields(&series[i]) {
			columns[c] = append(columns[c], *field)
		}
	}
	args := make([]any, len(columns))
	for c := range columns {
		args[c] = columns[c]
	}
	return args
}

// seriesSQL gives the columns of the table series, and the parameters that hold them.
func seriesSQL() (columns, params string) {
	var names, arrays []string
	for i, name := range ledger.SeriesColumns() {
		names = append(names, `"`+name+`"`)
		arrays = append(arrays, `$`+strconv.Itoa(i+1)+`::text[]`)
	}
	return strings.Join(names, ", "), strings.Join(arrays, ", ")
}

// findSeries gives the numbers of series, 0 for those that are not there.
func findSeries(ctx context.Context, conn *pgx.Conn, series []storage.Series) ([]int64, error) {
	columns, params := seriesSQL()
	rows, err := conn.Query(ctx, `SELECT coalesce(s.id, 0) FROM unnest(`+params+`) WITH ORDINALITY AS asked (`+columns+`, n)
		LEFT JOIN series s USING (`+columns+`) ORDER BY asked.n`, columnsOf(series)...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}

// insertSeries makes series that are not there, in one order, so that nodes which make the same
// ones do not wait for each other in a ring.
func insertSeries(ctx context.Context, conn *pgx.Conn, series []storage.Series) error {
	columns, params := seriesSQL()
	_, err := conn.Exec(ctx, `INSERT INTO series (`+columns+`) SELECT DISTINCT * FROM unnest(`+params+`) AS asked (`+columns+`)
		ORDER BY `+columns+` ON CONFLICT DO NOTHING`, columnsOf(series)...)
	return err
}

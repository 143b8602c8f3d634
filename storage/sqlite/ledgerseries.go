package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/ledger"
)

// seriesIDs remembers the ids of series. What a transaction adds counts once it is committed.
type seriesIDs struct {
	ids   map[storage.Series]int64
	added map[storage.Series]int64
	have  []int // by whether they have a tag, nil until the transaction asks
	most  int   // in place of the ledger's bounds, where it is not 0
}

// keep remembers what the transaction added.
func (c *seriesIDs) keep() {
	if c.ids == nil {
		c.ids = make(map[storage.Series]int64)
	}
	for s, id := range c.added {
		c.ids[s] = id
	}
	c.forget()
}

// forget leaves it.
func (c *seriesIDs) forget() { c.added, c.have = nil, nil }

// of gives the ids of series, and adds those that are new.
func (c *seriesIDs) of(ctx context.Context, tx *sql.Tx, all []storage.Series) ([]int64, error) {
	ids := make([]int64, len(all))
	for i, s := range all {
		id, ok := c.ids[s]
		if !ok {
			var err error
			if id, err = c.add(ctx, tx, s); err != nil {
				return nil, err
			}
		}
		ids[i] = id
	}
	return ids, nil
}

// add finds a series in the file, or puts it there; in a full file, the one that it is folded
// into.
func (c *seriesIDs) add(ctx context.Context, tx *sql.Tx, s storage.Series) (int64, error) {
	if id, ok := c.added[s]; ok {
		return id, nil
	}
	id, err := findSeries(ctx, tx, s)
	if errors.Is(err, sql.ErrNoRows) {
		id, err = c.insert(ctx, tx, s)
	}
	if err != nil {
		return 0, err
	}
	if c.added == nil {
		c.added = make(map[storage.Series]int64)
	}
	c.added[s] = id
	return id, nil
}

func (c *seriesIDs) insert(ctx context.Context, tx *sql.Tx, s storage.Series) (id int64, err error) {
	if c.have == nil {
		c.have = make([]int, 2)
		err := tx.QueryRowContext(ctx, `SELECT count(*) FILTER (WHERE tag = ''), count(*) FILTER (WHERE tag <> '') FROM series`).
			Scan(&c.have[untagged], &c.have[tagged])
		if err != nil {
			return 0, err
		}
	}
	which, most := untagged, ledger.MostUntagged
	if s.Tag != "" {
		which, most = tagged, ledger.MostTagged
	}
	if c.most > 0 {
		most = c.most
	}
	if folded := ledger.Fold(s); c.have[which] >= most && s != folded {
		return c.add(ctx, tx, folded)
	}
	c.have[which]++
	fields := seriesArgs(s)
	err = tx.QueryRowContext(ctx, `INSERT INTO series (`+seriesColumns()+`) VALUES `+marks(len(fields), 1)+` RETURNING id`, fields...).Scan(&id)
	return id, err
}

// Places in seriesIDs.have.
const (
	untagged = iota
	tagged
)

func findSeries(ctx context.Context, tx *sql.Tx, s storage.Series) (id int64, err error) {
	err = tx.QueryRowContext(ctx, `SELECT id FROM series WHERE (`+seriesColumns()+`) = `+marks(len(ledger.SeriesColumns()), 1), seriesArgs(s)...).Scan(&id)
	return id, err
}

func seriesColumns() string { return `"` + strings.Join(ledger.SeriesColumns(), `", "`) + `"` }

func seriesArgs(s storage.Series) []any {
	var args []any
	for _, field := range ledger.SeriesFields(&s) {
		args = append(args, *field)
	}
	return args
}

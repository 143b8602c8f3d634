package postgres

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/aistrale/aistrale/storage"
)

// SealedRows gives rows of a table that have something sealed.
func (s *Store) SealedRows(ctx context.Context, t storage.SealedTable, q storage.SealedQuery) ([]storage.SealedRow, error) {
	columns := slices.Concat(t.Key, t.More)
	where, args := `data_key IS NOT NULL`, []any{}
	if q.Under != "" {
		where, args = `data_key = $1`, append(args, q.Under)
	}
	if q.After != nil {
		places := make([]string, len(t.Key))
		for i := range places {
			args = append(args, q.After.Values[i])
			places[i] = "$" + strconv.Itoa(len(args))
		}
		where += ` AND (` + strings.Join(t.Key, ", ") + `) > (` + strings.Join(places, ", ") + `)`
	}
	args = append(args, q.Limit)
	found, err := all(ctx, s, `SELECT data_key, sealed, `+strings.Join(columns, ", ")+` FROM `+t.Name+` WHERE `+where+
		` ORDER BY `+strings.Join(t.Key, ", ")+` LIMIT $`+strconv.Itoa(len(args)), func(row pgx.CollectableRow) (storage.SealedRow, error) {
		r := storage.SealedRow{Values: make([]string, len(columns))}
		to := []any{&r.DataKeyID, &r.Blob}
		for i := range r.Values {
			to = append(to, &r.Values[i])
		}
		return r, row.Scan(to...)
	}, args...)
	if err != nil {
		return nil, fmt.Errorf("sealed %s: %w", t.Name, err)
	}
	return found, nil
}

// Reseal puts seals in the place of others, and says in how many rows: one that has changed since
// it was read, or is gone, stays as it is.
func (s *Store) Reseal(ctx context.Context, t storage.SealedTable, rows []storage.Resealed) (n int64, err error) {
	if t.Noun {
		err = s.change(ctx, func(ctx context.Context, tx pgx.Tx) error {
			n, err = reseal(ctx, tx.Exec, t, rows)
			return err
		})
	} else {
		// Each row by itself: requests change several of them at once, in an order of their own, and
		// would wait for a transaction that waits for them.
		n, err = reseal(ctx, s.nouns.Exec, t, rows)
	}
	if err != nil {
		return n, fmt.Errorf("sealed %s: %w", t.Name, err)
	}
	return n, nil
}

// execFunc is what pools and transactions share.
type execFunc func(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)

func reseal(ctx context.Context, exec execFunc, t storage.SealedTable, rows []storage.Resealed) (n int64, err error) {
	text := `UPDATE ` + t.Name + ` SET data_key = $1, sealed = $2 WHERE data_key = $3 AND sealed = $4`
	for i, column := range t.Key {
		text += ` AND ` + column + ` = $` + strconv.Itoa(5+i)
	}
	for i := range rows {
		r := &rows[i]
		args := []any{r.New.DataKeyID, r.New.Blob, r.DataKeyID, r.Blob}
		for _, v := range r.Values[:len(t.Key)] {
			args = append(args, v)
		}
		done, err := exec(ctx, text, args...)
		if err != nil {
			return n, err
		}
		n += done.RowsAffected()
	}
	return n, nil
}

// SealedCounts says how many rows of each table are sealed under which data key.
func (s *Store) SealedCounts(ctx context.Context) ([]storage.SealedCount, error) {
	var counts []storage.SealedCount
	for _, t := range storage.SealedTables() {
		some, err := all(ctx, s, `SELECT data_key, count(*) FROM `+t.Name+` WHERE data_key IS NOT NULL GROUP BY data_key ORDER BY data_key`,
			func(row pgx.CollectableRow) (storage.SealedCount, error) {
				c := storage.SealedCount{Table: t.Name}
				return c, row.Scan(&c.DataKeyID, &c.Rows)
			})
		if err != nil {
			return nil, fmt.Errorf("sealed %s: %w", t.Name, err)
		}
		counts = append(counts, some...)
	}
	return counts, nil
}

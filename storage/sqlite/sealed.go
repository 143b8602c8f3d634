package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/aistrale/aistrale/storage"
)

// SealedRows gives rows of a table that have something sealed.
func (s *Store) SealedRows(ctx context.Context, t storage.SealedTable, q storage.SealedQuery) ([]storage.SealedRow, error) {
	columns := slices.Concat(t.Key, t.More)
	where, args := `data_key IS NOT NULL`, []any{}
	if q.Under != "" {
		where, args = `data_key = ?`, append(args, q.Under)
	}
	if q.After != nil {
		where += ` AND (` + strings.Join(t.Key, ", ") + `) > (` + strings.TrimSuffix(strings.Repeat("?, ", len(t.Key)), ", ") + `)`
		args = append(args, texts(q.After.Values[:len(t.Key)])...)
	}
	rows, err := s.read.QueryContext(ctx, `SELECT data_key, sealed, `+strings.Join(columns, ", ")+` FROM `+t.Name+
		` WHERE `+where+` ORDER BY `+strings.Join(t.Key, ", ")+` LIMIT ?`, append(args, q.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("sealed %s: %w", t.Name, err)
	}
	found, err := gather(rows, func(row scanner) (storage.SealedRow, error) {
		r := storage.SealedRow{Values: make([]string, len(columns))}
		to := []any{&r.DataKeyID, &r.Blob}
		for i := range r.Values {
			to = append(to, &r.Values[i])
		}
		return r, row.Scan(to...)
	})
	if err != nil {
		return nil, fmt.Errorf("sealed %s: %w", t.Name, err)
	}
	return found, nil
}

func texts(list []string) []any {
	out := make([]any, len(list))
	for i, text := range list {
		out[i] = text
	}
	return out
}

// Reseal puts seals in the place of others, and says in how many rows: one that has changed since
// it was read, or is gone, stays as it is.
func (s *Store) Reseal(ctx context.Context, t storage.SealedTable, rows []storage.Resealed) (n int64, err error) {
	text := `UPDATE ` + t.Name + ` SET data_key = ?, sealed = ? WHERE ` + strings.Join(t.Key, " = ? AND ") + ` = ? AND data_key = ? AND sealed = ?` //nolint:gosec // tables and columns are storage.SealedTables'
	err = s.change(ctx, func(tx *sql.Tx) error {
		for i := range rows {
			r := &rows[i]
			args := append([]any{r.New.DataKeyID, r.New.Blob}, texts(r.Values[:len(t.Key)])...)
			done, err := tx.ExecContext(ctx, text, append(args, r.DataKeyID, r.Blob)...)
			if err != nil {
				return err
			}
			one, err := done.RowsAffected()
			if err != nil {
				return err
			}
			n += one
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("sealed %s: %w", t.Name, err)
	}
	return n, nil
}

// SealedCounts says how many rows of each table are sealed under which data key.
func (s *Store) SealedCounts(ctx context.Context) ([]storage.SealedCount, error) {
	var counts []storage.SealedCount
	for _, t := range storage.SealedTables() {
		rows, err := s.read.QueryContext(ctx, `SELECT data_key, count(*) FROM `+t.Name+` WHERE data_key IS NOT NULL GROUP BY data_key ORDER BY data_key`)
		if err != nil {
			return nil, fmt.Errorf("sealed %s: %w", t.Name, err)
		}
		some, err := gather(rows, func(row scanner) (storage.SealedCount, error) {
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

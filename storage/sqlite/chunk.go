package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/aistrale/aistrale/storage"
)

// chunks is one statement in several sizes: for many rows at once each costs far less than for
// one. It is prepared before a transaction begins, which then has the only connection.
type chunks struct {
	sizes []int // from the highest; the last is 1
	made  []*sql.Stmt
}

// newChunks prepares the statement that text gives for a number of rows.
func newChunks(ctx context.Context, db *sql.DB, sizes []int, text func(rows int) string) (*chunks, error) {
	c := &chunks{sizes: sizes}
	for _, size := range sizes {
		made, err := db.PrepareContext(ctx, text(size)) //nolint:sqlclosecheck // Close does
		if err != nil {
			return nil, errors.Join(err, c.Close())
		}
		c.made = append(c.made, made)
	}
	return c, nil
}

// Close lets go of the statements.
func (c *chunks) Close() error {
	var errs []error
	for _, made := range c.made {
		errs = append(errs, made.Close())
	}
	return errors.Join(errs...)
}

// each runs do for as many rows at once as there is a statement for, until all had their turn.
func (c *chunks) each(ctx context.Context, tx *sql.Tx, rows int, do func(s *sql.Stmt, from, to int) error) error {
	from, breath := 0, storage.Breath{}
	for i, size := range c.sizes {
		if rows-from < size {
			continue
		}
		s := tx.StmtContext(ctx, c.made[i])
		for ; rows-from >= size; from += size {
			breath.Take(rows)
			if err := do(s, from, from+size); err != nil {
				return err
			}
		}
	}
	return nil
}

// marks is so many parameters in parentheses, so many times.
func marks(params, rows int) string {
	one := "(" + strings.Repeat("?, ", params-1) + "?)"
	return strings.Repeat(one+", ", rows-1) + one
}

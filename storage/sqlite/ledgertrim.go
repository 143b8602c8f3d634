package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/ledger"
)

// trimAtOnce is how many rows go in one transaction: milliseconds, so that writes hardly wait.
const trimAtOnce = 2000

// Trim removes what is older than what is kept, a little at a time, and gives how many entries
// went. Roll-ups of entries that went stay as long as theirs are kept.
func (l *Ledger) Trim(ctx context.Context, now time.Time, keep storage.Keep) (rows int64, err error) {
	if keep.Rows > 0 {
		if rows, err = l.trimEntries(ctx, now.Add(-keep.Rows)); err != nil {
			return rows, fmt.Errorf("ledger %s: keep_rows: %w", l.path, err)
		}
	}
	for _, p := range []struct {
		storage.Period
		keep time.Duration
	}{{storage.Minute, keep.Minutes}, {storage.Hour, keep.Hours}, {storage.Day, keep.Days}} {
		before := ledger.Trimmed(p.Period, now, p.keep)
		if before == 0 {
			continue
		}
		if err := l.trimPeriod(ctx, p.Period, before); err != nil {
			return rows, fmt.Errorf("ledger %s: roll-ups by %s: %w", l.path, p.Period, err)
		}
	}
	return rows, nil
}

func (l *Ledger) trimEntries(ctx context.Context, before time.Time) (rows int64, err error) {
	_, end, err := ledger.IDs(&storage.EntryQuery{To: before})
	if err != nil {
		return 0, err
	}
	if err := l.change(ctx, func(tx *sql.Tx) error { return setBorder(ctx, tx, rowBorder, before.Unix()) }); err != nil {
		return 0, err
	}
	for {
		n, err := l.remove(ctx, trimText, end[:], trimAtOnce)
		rows += n
		if err != nil || n < trimAtOnce {
			return rows, err
		}
	}
}

const trimText = `DELETE FROM entries WHERE rowid IN (SELECT rowid FROM entries WHERE request_id < ? LIMIT ?)`

// rowBorder is the border of the entries themselves.
const rowBorder = "row"

// setBorder notes before when there may be gaps, in seconds since 1970.
func setBorder(ctx context.Context, tx *sql.Tx, of string, start int64) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO borders (period, start) VALUES (?, ?)
		ON CONFLICT (period) DO UPDATE SET start = max(start, excluded.start)`, of, start)
	return err
}

// trimPeriod notes the border first: from then on no query reads what is about to go.
func (l *Ledger) trimPeriod(ctx context.Context, p storage.Period, before int64) error {
	var series []int64
	err := l.change(ctx, func(tx *sql.Tx) error {
		if err := setBorder(ctx, tx, string(p), before); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, `SELECT id FROM series ORDER BY id`)
		if err != nil {
			return err
		}
		series, err = gather(rows, func(row scanner) (id int64, err error) { return id, row.Scan(&id) })
		return err
	})
	if err != nil {
		return err
	}
	const together = 200
	for len(series) > 0 {
		n := min(together, len(series))
		if err := l.trimSeries(ctx, p, before, series[:n]); err != nil {
			return err
		}
		series = series[n:]
	}
	return nil
}

// trimSeries removes the roll-ups of some series, whose ids are in order.
func (l *Ledger) trimSeries(ctx context.Context, p storage.Period, before int64, series []int64) error {
	for {
		n, err := l.remove(ctx, `DELETE FROM `+ledger.Table(p)+` WHERE (series_id, start) IN
			(SELECT series_id, start FROM `+ledger.Table(p)+` WHERE start < ? AND series_id IN
				(SELECT id FROM series WHERE id BETWEEN ? AND ?) LIMIT ?)`,
			before, series[0], series[len(series)-1], trimAtOnce)
		if err != nil || n < trimAtOnce {
			return err
		}
	}
}

// remove runs one DELETE in a transaction of its own.
func (l *Ledger) remove(ctx context.Context, text string, args ...any) (n int64, err error) {
	err = l.change(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, text, args...)
		if err != nil {
			return err
		}
		n, err = done.RowsAffected()
		return err
	})
	return n, err
}

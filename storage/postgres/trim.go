package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/ledger"
)

// Trim drops what is older than it is to be kept, and gives how many entries went. Entries go by
// whole days, so that some stay up to a day longer. Of several nodes that trim at once one does,
// the others do nothing. It can be run again after an error.
func (s *Store) Trim(ctx context.Context, now time.Time, keep storage.Keep) (rows int64, err error) {
	if err := s.Ready(ctx); err != nil {
		return 0, outage(err)
	}
	err = s.writer.AcquireFunc(ctx, func(pooled *pgxpool.Conn) error {
		conn := pooled.Conn()
		var mine bool
		err := conn.QueryRow(ctx, `SELECT pg_try_advisory_lock($1, `+schemaKey+`)`, lockTrim).Scan(&mine)
		if err != nil || !mine {
			return err
		}
		defer unlockTrim(ctx, conn)
		if rows, err = dropDays(ctx, conn, now, keep.Rows); err != nil {
			return err
		}
		return trimRollups(ctx, conn, now, keep)
	})
	if err != nil {
		return rows, outage(fmt.Errorf("trim: %w", err))
	}
	return rows, nil
}

// unlockTrim gives the lock back; a connection that cannot is closed, which does.
func unlockTrim(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_unlock($1, `+schemaKey+`)`, lockTrim); err != nil {
		_ = conn.Close(ctx)
	}
}

// dropDays drops the partitions of days that ended before keep.
func dropDays(ctx context.Context, conn *pgx.Conn, now time.Time, keep time.Duration) (rows int64, err error) {
	if keep <= 0 {
		return 0, nil
	}
	found, err := partitions(ctx, conn)
	if err != nil {
		return 0, err
	}
	for _, day := range found {
		if day.AddDate(0, 0, 1).After(now.Add(-keep)) {
			break
		}
		name := partitionPrefix + day.Format(partitionDay)
		held, err := drop(ctx, conn, name)
		if err != nil {
			return rows, fmt.Errorf("partition of %s: %w", day.Format(time.DateOnly), err)
		}
		rows += held
	}
	return rows, nil
}

// drop drops a partition, and gives how many entries it had. It wants all of the table for a
// moment, so it does not wait long: writers would wait behind it. The next Trim tries again.
func drop(ctx context.Context, conn *pgx.Conn, name string) (held int64, err error) {
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if err := unhurried(ctx, tx); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM `+name).Scan(&held); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `SET LOCAL lock_timeout TO 2000`); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DROP TABLE `+name)
		return err
	})
	return held, err
}

// trimRollups moves the borders, so that queries no longer read what then goes.
func trimRollups(ctx context.Context, conn *pgx.Conn, now time.Time, keep storage.Keep) error {
	kept := map[storage.Period]time.Duration{storage.Minute: keep.Minutes, storage.Hour: keep.Hours, storage.Day: keep.Days}
	minutes := ledger.Trimmed(storage.Minute, now, keep.Minutes)
	hours := ledger.Trimmed(storage.Hour, now, keep.Hours)
	_, err := conn.Exec(ctx, `UPDATE borders SET minutes = greatest(minutes, $1), hours = greatest(hours, $2)`, minutes, hours)
	if err != nil {
		return err
	}
	for _, p := range storage.Periods() {
		if err := deleteBefore(ctx, conn, p, ledger.Trimmed(p, now, kept[p])); err != nil {
			return err
		}
	}
	return nil
}

// deleteBefore deletes a period's roll-ups in small transactions: a row that is being deleted
// holds up whoever adds to it.
func deleteBefore(ctx context.Context, conn *pgx.Conn, p storage.Period, before int64) error {
	const some = `5000`
	table := ledger.Table(p)
	for {
		tag, err := conn.Exec(ctx, `DELETE FROM `+table+` WHERE ctid = ANY(ARRAY(
			SELECT ctid FROM `+table+` WHERE start < $1 LIMIT `+some+`))`, before)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
	}
}

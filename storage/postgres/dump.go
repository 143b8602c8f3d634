package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Parts of a dump that are no tables.
const (
	partSchema = "schema" // the version of the schema; the first part
	partDays   = "days"   // days that have a partition, one a line; before the entries
	partEnd    = "end"    // the last one, without which a dump is not whole
)

// dumped gives the tables of a dump, in the order in which foreign keys let them be restored.
// Instances are left out: none of them lives in what is restored.
func dumped() []string {
	return []string{
		"workspaces", "projects", "users", "keys", "data_keys", "credentials", "admin_tokens", "settings", "prices", "objects", "turns", "payloads",
		"documents", "audit_inbox", "audit_log",
		"series", "entries", "usage_minute", "usage_hour", "usage_day", "borders", "open_attempts",
	}
}

// Dump gives everything in the database, part by part, as it stood at one moment; gateways go on
// writing. A part is named and is text, of a table as COPY writes it. f need not read to the
// end; its error ends the dump. Credentials in it are sealed, keys are hashes.
func (s *Store) Dump(ctx context.Context, f func(part string, r io.Reader) error) error {
	if err := s.Ready(ctx); err != nil {
		return err
	}
	err := s.queries.AcquireFunc(ctx, func(pooled *pgxpool.Conn) error {
		snapshot := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
		return pgx.BeginTxFunc(ctx, pooled, snapshot, func(tx pgx.Tx) error { return dump(ctx, tx, f) })
	})
	if err != nil {
		return fmt.Errorf("dump: %w", err)
	}
	return nil
}

func dump(ctx context.Context, tx pgx.Tx, f func(part string, r io.Reader) error) error {
	if err := unhurried(ctx, tx); err != nil {
		return err
	}
	version, err := schemaVersion(ctx, tx)
	if err != nil {
		return err
	}
	if err := f(partSchema, strings.NewReader(strconv.FormatInt(version, 10)+"\n")); err != nil {
		return err
	}
	for _, table := range dumped() {
		if table == "entries" {
			days, err := partitions(ctx, tx.Conn())
			if err != nil {
				return err
			}
			if err := f(partDays, strings.NewReader(lines(days))); err != nil {
				return err
			}
		}
		if err := copyOut(ctx, tx.Conn(), table, f); err != nil {
			return fmt.Errorf("%s: %w", table, err)
		}
	}
	return f(partEnd, strings.NewReader(""))
}

// unhurried lifts the bounds on time from a transaction that copies.
func unhurried(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, `SET LOCAL statement_timeout TO 0`)
	if err == nil {
		_, err = tx.Exec(ctx, `SET LOCAL idle_in_transaction_session_timeout TO 0`)
	}
	return err
}

func schemaVersion(ctx context.Context, tx pgx.Tx) (version int64, err error) {
	err = tx.QueryRow(ctx, `SELECT max(version_id) FROM goose_db_version WHERE is_applied`).Scan(&version)
	return version, err
}

func lines(days []time.Time) string {
	var s strings.Builder
	for _, day := range days {
		s.WriteString(day.Format(time.DateOnly) + "\n")
	}
	return s.String()
}

// copyOut hands a table to f while it comes.
func copyOut(ctx context.Context, conn *pgx.Conn, table string, f func(part string, r io.Reader) error) error {
	r, w := io.Pipe()
	copied := make(chan error, 1)
	go func() { // ends with the table, or with r
		_, err := conn.PgConn().CopyTo(ctx, w, `COPY (SELECT * FROM `+table+`) TO STDOUT`)
		w.CloseWithError(err)
		copied <- err
	}()
	err := f(table, r)
	if err == nil {
		_, err = io.Copy(io.Discard, r) // f may have stopped early
	}
	r.CloseWithError(errors.New("the reader has ended"))
	return errors.Join(err, <-copied)
}

// Restore fills an empty database from a dump, all of it or nothing. next gives the parts in
// their order, and io.EOF after the last. The dump must be of this schema version, and gateways
// must not run on the database yet.
func (s *Store) Restore(ctx context.Context, next func() (part string, r io.Reader, err error)) error {
	if err := s.Ready(ctx); err != nil {
		return err
	}
	err := pgx.BeginFunc(ctx, s.writer, func(tx pgx.Tx) error {
		if err := unhurried(ctx, tx); err != nil {
			return err
		}
		// Whoever makes the partitions of the days that come would wait for the tables, and this one
		// for its partitions.
		if _, err := tx.Exec(ctx, `SELECT FROM pg_advisory_xact_lock($1, `+schemaKey+`)`, lockPartitions); err != nil {
			return err
		}
		if err := clearEmpty(ctx, tx); err != nil {
			return err
		}
		var seen []string
		for {
			part, r, err := next()
			if errors.Is(err, io.EOF) {
				return errors.Join(whole(seen), renumber(ctx, tx))
			}
			if err != nil {
				return err
			}
			if len(seen) == 0 && part != partSchema {
				return errors.New("it does not begin with its version: it is no dump")
			}
			if err := restorePart(ctx, tx, part, r); err != nil {
				return fmt.Errorf("%s: %w", part, err)
			}
			seen = append(seen, part)
		}
	})
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	return nil
}

func whole(seen []string) error {
	for _, part := range append(dumped(), partDays, partEnd) {
		if !slices.Contains(seen, part) {
			return fmt.Errorf("the dump is not whole: %s is missing", part)
		}
	}
	return nil
}

// clearEmpty makes sure that nothing is overwritten, and removes the rows that migrations made.
func clearEmpty(ctx context.Context, tx pgx.Tx) error {
	for _, table := range dumped() {
		made := slices.Contains([]string{"workspaces", "projects", "borders"}, table)
		if _, err := tx.Exec(ctx, `LOCK TABLE `+table+` IN EXCLUSIVE MODE`); err != nil {
			return err
		}
		var rows int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM (SELECT FROM `+table+` LIMIT 2) AS found`).Scan(&rows); err != nil {
			return err
		}
		if rows > 1 || rows == 1 && !made {
			return fmt.Errorf("the database is not empty (%s has rows): give storage.postgres an empty one, nothing was changed", table)
		}
	}
	_, err := tx.Exec(ctx, `DELETE FROM borders; DELETE FROM projects; DELETE FROM workspaces`)
	return err
}

func restorePart(ctx context.Context, tx pgx.Tx, part string, r io.Reader) error {
	switch part {
	case partEnd:
		return nil
	case partSchema:
		return sameVersion(ctx, tx, r)
	case partDays:
		return restoreDays(ctx, tx, r)
	}
	if !slices.Contains(dumped(), part) {
		return errors.New("this release knows no such part")
	}
	_, err := tx.Conn().PgConn().CopyFrom(ctx, r, `COPY `+part+` FROM STDIN`)
	return err
}

func sameVersion(ctx context.Context, tx pgx.Tx, r io.Reader) error {
	said, err := io.ReadAll(io.LimitReader(r, 100))
	if err != nil {
		return err
	}
	version, err := schemaVersion(ctx, tx)
	if err != nil {
		return err
	}
	if strings.TrimSpace(string(said)) != strconv.FormatInt(version, 10) {
		return fmt.Errorf("the dump is of version %q, the database of %d: restore it with the release that made it, then migrate",
			strings.TrimSpace(string(said)), version)
	}
	return nil
}

func restoreDays(ctx context.Context, tx pgx.Tx, r io.Reader) error {
	all, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(all)) {
		day, err := time.Parse(time.DateOnly, strings.TrimSpace(line))
		if err != nil {
			return err
		}
		if err := addPartition(ctx, tx, day); err != nil {
			return err
		}
	}
	return nil
}

// renumber lets new rows go on behind the restored ones.
func renumber(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, `SELECT setval(pg_get_serial_sequence('series', 'id'), coalesce(max(id), 0) + 1, false) FROM series`)
	if err == nil {
		_, err = tx.Exec(ctx, `SELECT setval(pg_get_serial_sequence('prices', 'seq'), coalesce(max(seq), 0) + 1, false) FROM prices`)
	}
	return err
}

package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/aistrale/aistrale/storage"
)

// Advisory locks that are ours have two numbers: what they are for, and the schema.
const (
	lockCorrections = 0x41495301 // "AIS", 1
	lockPartitions  = 0x41495302
	lockTrim        = 0x41495303
	lockAudit       = 0x41495304
)

// schemaKey is the second number of a lock, as SQL.
const schemaKey = `hashtext(current_schema())`

// daysAhead is for how many days there is a partition before the first entry comes.
const daysAhead = 2

// partitionPrefix begins the name of a day's partition; the day follows as YYYYMMDD.
const (
	partitionPrefix = "entries_"
	partitionDay    = "20060102"
)

// days gives the days of entries, each once, in order.
func days(entries []*storage.Entry) []time.Time {
	var all []time.Time
	for _, e := range entries {
		all = append(all, e.Day())
	}
	slices.SortFunc(all, time.Time.Compare)
	return slices.CompactFunc(all, time.Time.Equal)
}

// addPartitions makes the partitions of days that have none. A partition is made beside the
// table and then attached, which, unlike CREATE … PARTITION OF, does not wait for writers nor
// hold them up.
func (s *Store) addPartitions(ctx context.Context, days []time.Time) error {
	return pgx.BeginFunc(ctx, s.writer, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT FROM pg_advisory_xact_lock($1, `+schemaKey+`)`, lockPartitions); err != nil {
			return err
		}
		for _, day := range days {
			if err := addPartition(ctx, tx, day); err != nil {
				return fmt.Errorf("partition of %s: %w", day.Format(time.DateOnly), err)
			}
		}
		return nil
	})
}

func addPartition(ctx context.Context, tx pgx.Tx, day time.Time) error {
	name := partitionPrefix + day.Format(partitionDay)
	var there bool
	if err := tx.QueryRow(ctx, `SELECT to_regclass($1) IS NOT NULL`, name).Scan(&there); err != nil || there {
		return err
	}
	_, err := tx.Exec(ctx, `CREATE TABLE `+name+` (LIKE entries INCLUDING ALL)`)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `ALTER TABLE entries ATTACH PARTITION `+name+` FOR VALUES FROM ('`+
		day.Format(time.DateOnly)+`') TO ('`+day.AddDate(0, 0, 1).Format(time.DateOnly)+`')`)
	return err
}

// prepareDays makes the partitions of the days that come, so that no write has to.
func (s *Store) prepareDays(ctx context.Context, now time.Time) error {
	var coming []time.Time
	for ahead := range daysAhead + 1 {
		coming = append(coming, now.UTC().Truncate(24*time.Hour).AddDate(0, 0, ahead))
	}
	return s.addPartitions(ctx, coming)
}

// partitions gives the days that have one, oldest first.
func partitions(ctx context.Context, conn *pgx.Conn) ([]time.Time, error) {
	rows, err := conn.Query(ctx, `SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
		WHERE i.inhparent = 'entries'::regclass`)
	if err != nil {
		return nil, err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, err
	}
	var found []time.Time
	for _, name := range names {
		day, err := time.Parse(partitionDay, strings.TrimPrefix(name, partitionPrefix))
		if err == nil { // else it is an operator's own, for whom it is to look after
			found = append(found, day)
		}
	}
	slices.SortFunc(found, time.Time.Compare)
	return found, nil
}

package postgres

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/ledger"
)

func mark(n int) string { return "$" + strconv.Itoa(n) }

// Usage gives the sums that a query asks for, from the roll-ups.
func (s *Store) Usage(ctx context.Context, q storage.UsageQuery) ([]storage.UsageSum, error) {
	if err := s.Ready(ctx); err != nil {
		return nil, outage(err)
	}
	// One snapshot, so that nothing is trimmed between the look at the borders and the sums.
	snapshot := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	var sums []storage.UsageSum
	err := pgx.BeginTxFunc(ctx, s.queries, snapshot, func(tx pgx.Tx) error {
		var borders ledger.Borders
		if err := tx.QueryRow(ctx, `SELECT minutes, hours FROM borders`).Scan(&borders.Minutes, &borders.Hours); err != nil {
			return err
		}
		query := ledger.SelectSums(&q, borders, mark)
		// Without a plan that is kept: the best one depends on the span.
		rows, err := tx.Query(ctx, query.Text, append([]any{pgx.QueryExecModeCacheDescribe}, query.Args...)...)
		if err != nil {
			return err
		}
		sums, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (storage.UsageSum, error) { return query.Scan(row.Scan) })
		query.Sort(sums)
		return err
	})
	if err != nil {
		return nil, outage(fmt.Errorf("usage: %w", err))
	}
	return sums, nil
}

// pageSize is how many entries are in memory at once.
const pageSize = 500

// Entries calls f for each entry that a query asks for, in the order of request id and attempt. f may use the store; an entry is its to keep. An error of f ends it.
func (s *Store) Entries(ctx context.Context, q storage.EntryQuery, f func(*storage.Entry) error) error {
	from, before, err := ledger.IDs(&q)
	if err != nil {
		return fmt.Errorf("entries: %w", err)
	}
	if err := s.Ready(ctx); err != nil {
		return outage(err)
	}
	at := page{from: from, before: before, at: from}
	if q.Newest {
		at.at = before
	}
	given := 0
	for more := true; more; {
		entries, err := at.read(ctx, s, &q)
		if err != nil {
			return outage(fmt.Errorf("entries: %w", err))
		}
		more = len(entries) == pageSize
		for _, e := range entries {
			at.at, at.attempt = e.RequestID, e.Attempt
			if !ledger.Matches(e, q.Where) {
				continue
			}
			if err := f(e); err != nil {
				return err
			}
			if given++; given == q.Limit {
				return nil
			}
		}
	}
	return nil
}

// page is where the entries of a query go on: behind an attempt.
type page struct {
	from, before uuid.UUID
	at           uuid.UUID
	attempt      int
}

func dayOf(id uuid.UUID) time.Time {
	e := storage.Entry{RequestID: id}
	return e.Day()
}

func (p *page) read(ctx context.Context, s *Store, q *storage.EntryQuery) ([]*storage.Entry, error) {
	behind, order := `>`, ``
	if q.Newest {
		behind, order = `<`, ` DESC`
	}
	args := []any{dayOf(p.from), p.from, dayOf(p.before), p.before, dayOf(p.at), p.at, p.attempt}
	sql := `SELECT e.entry FROM entries e WHERE e.day >= $1 AND e.day <= $3 AND e.request_id >= $2 AND e.request_id < $4
		AND (e.day, e.request_id, e.attempt) ` + behind + ` ($5, $6, $7)
		AND NOT EXISTS (SELECT 1 FROM entries n WHERE n.day = e.day AND n.request_id = e.request_id
			AND n.attempt = e.attempt AND n.revision > e.revision AND n.revision > 1)`
	if condition, more := ledger.SeriesOf(q.Where, len(args), mark); condition != "" {
		sql += ` AND e.series_id IN (SELECT id FROM series WHERE ` + condition + `)`
		args = slices.Concat(args, more)
	}
	sql += ` ORDER BY e.day` + order + `, e.request_id` + order + `, e.attempt` + order + ` LIMIT ` + strconv.Itoa(pageSize)
	rows, err := s.queries.Query(ctx, sql, append([]any{pgx.QueryExecModeCacheDescribe}, args...)...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (*storage.Entry, error) {
		var encoded []byte
		if err := row.Scan(&encoded); err != nil {
			return nil, err
		}
		e := new(storage.Entry)
		return e, e.Parse(encoded)
	})
}

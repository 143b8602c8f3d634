package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/google/uuid"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/ledger"
)

// Usage gives the sums of a query, from the roll-ups. Without By and Per it is always one.
func (l *Ledger) Usage(ctx context.Context, q storage.UsageQuery) ([]storage.UsageSum, error) {
	sums, err := l.usage(ctx, &q)
	if err != nil {
		return nil, fmt.Errorf("ledger %s: %w", l.path, err)
	}
	return sums, nil
}

func (l *Ledger) usage(ctx context.Context, q *storage.UsageQuery) ([]storage.UsageSum, error) {
	// Borders and sums are of one moment: a trim between them would leave a hole.
	tx, err := l.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }()
	borders, err := readBorders(ctx, tx)
	if err != nil {
		return nil, err
	}
	s := ledger.SelectSums(q, borders, mark)
	rows, err := tx.QueryContext(ctx, s.Text, s.Args...)
	if err != nil {
		return nil, err
	}
	sums, err := gather(rows, func(row scanner) (storage.UsageSum, error) { return s.Scan(row.Scan) })
	if err != nil {
		return nil, err
	}
	s.Sort(sums)
	return sums, nil
}

func readBorders(ctx context.Context, tx *sql.Tx) (b ledger.Borders, err error) {
	err = tx.QueryRowContext(ctx, `SELECT coalesce(max(start) FILTER (WHERE period = 'minute'), 0),
		coalesce(max(start) FILTER (WHERE period = 'hour'), 0) FROM borders`).Scan(&b.Minutes, &b.Hours)
	return b, err
}

// pageSize is how many entries are read at once.
const pageSize = 500

// Entries calls f for the entries of a query, each attempt in its latest revision, in the query's order.
// An error of f ends it and is given back. f is called outside of any transaction, so it may
// write; the entry is f's to keep.
func (l *Ledger) Entries(ctx context.Context, q storage.EntryQuery, f func(*storage.Entry) error) error {
	p, err := newPages(&q)
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	left := q.Limit
	for {
		rows, err := l.read.QueryContext(ctx, p.text, append([]any{p.from[:], p.before[:], p.at[:], p.attempt}, p.args...)...)
		if err != nil {
			return fmt.Errorf("ledger %s: %w", l.path, err)
		}
		entries, err := gather(rows, p.scan)
		if err != nil {
			return fmt.Errorf("ledger %s: %w", l.path, err)
		}
		for i := range entries {
			if !ledger.Matches(&entries[i], q.Where) {
				continue
			}
			if err := f(&entries[i]); err != nil {
				return err
			}
			if left--; left == 0 {
				return nil
			}
		}
		if len(entries) < pageSize {
			return nil
		}
	}
}

// pages reads entries in order, one page after the other, so that a long answer neither fills
// the memory nor holds up the log's checkpoints.
type pages struct {
	text         string
	args         []any
	from, before uuid.UUID
	at           uuid.UUID // the last request that was read, and its attempt
	attempt      int
}

func newPages(q *storage.EntryQuery) (*pages, error) {
	from, before, err := ledger.IDs(q)
	if err != nil {
		return nil, err
	}
	// Beside max(), SQLite takes the other columns from the row that has it.
	p := &pages{from: from, before: before, at: from}
	behind, order := `>`, ``
	if q.Newest {
		p.at, behind, order = before, `<`, ` DESC`
	}
	p.text = `SELECT request_id, attempt, entry, max(revision) FROM entries
		WHERE request_id >= ? AND request_id < ? AND (request_id, attempt) ` + behind + ` (?, ?)`
	if series, args := ledger.SeriesOf(q.Where, 4, mark); series != "" {
		p.text += ` AND series_id IN (SELECT id FROM series WHERE ` + series + `)`
		p.args = args
	}
	p.text += fmt.Sprintf(` GROUP BY request_id, attempt ORDER BY request_id%s, attempt%s LIMIT %d`, order, order, pageSize)
	return p, nil
}

func (p *pages) scan(row scanner) (e storage.Entry, err error) {
	var id, wire []byte
	var revision int
	if err := row.Scan(&id, &p.attempt, &wire, &revision); err != nil {
		return e, err
	}
	copy(p.at[:], id)
	if err := e.Parse(wire); err != nil {
		return e, fmt.Errorf("entry %s: %w", p.at, err)
	}
	return e, nil
}

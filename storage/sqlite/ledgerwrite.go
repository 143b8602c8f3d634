package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/google/uuid"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/ledger"
)

// ledgerWrite is one transaction of Ledger.Write.
type ledgerWrite struct {
	l       *Ledger
	ctx     context.Context // without an end: the transaction has it, and a watch on each statement would cost more than some of them
	entries []*storage.Entry
	batch   ledger.Batch
	own     []int // of each entry its series, by its place in the batch
	ids     []int64
}

func (w *ledgerWrite) run(tx *sql.Tx) error {
	known, err := w.known(tx)
	if err != nil {
		return err
	}
	w.entries = slices.DeleteFunc(w.entries, func(e *storage.Entry) bool { return known.has(e) })
	if err := w.dropOrphans(tx, known); err != nil {
		return err
	}
	w.own = make([]int, len(w.entries))
	var breath storage.Breath
	for i, e := range w.entries {
		if i%32 == 0 {
			breath.Take(len(w.entries))
		}
		w.own[i] = w.batch.Add(e, known.latest(e))
	}
	if w.ids, err = w.l.series.of(w.ctx, tx, w.batch.Series()); err != nil {
		return err
	}
	if err := w.insert(tx); err != nil {
		return err
	}
	return w.rollUp(tx)
}

// dropOrphans leaves out corrections of what was trimmed while they were made: without the row
// before it a correction would count a second time what the roll-ups still have.
func (w *ledgerWrite) dropOrphans(tx *sql.Tx, known attempts) error {
	orphan := func(e *storage.Entry) bool { return e.Revision > 1 && known.latest(e) == nil }
	if !slices.ContainsFunc(w.entries, orphan) {
		return nil
	}
	var border int64
	err := tx.QueryRowContext(w.ctx, `SELECT coalesce(max(start), 0) FROM borders WHERE period = ?`, rowBorder).Scan(&border)
	if err != nil {
		return err
	}
	var kept *storage.Entry
	w.entries = slices.DeleteFunc(w.entries, func(e *storage.Entry) bool {
		if orphan(e) && e.Began().Unix() <= border && (kept == nil || !ledger.SameAttempt(kept, e)) {
			return true
		}
		kept = e
		return false
	})
	return nil
}

// attempts is what the ledger has of some attempts: their revisions, and the latest of them.
type attempts map[attemptKey]*attempt

type attemptKey struct {
	request uuid.UUID
	attempt int
}

type attempt struct {
	revisions []int
	latest    storage.Entry
}

func (a attempts) has(e *storage.Entry) bool {
	known := a[attemptKey{e.RequestID, e.Attempt}]
	return known != nil && slices.Contains(known.revisions, e.Revision)
}

func (a attempts) latest(e *storage.Entry) *storage.Entry {
	if known := a[attemptKey{e.RequestID, e.Attempt}]; known != nil {
		return &known.latest
	}
	return nil
}

// known asks what the ledger has of the batch's requests: mostly nothing, and nothing between the
// first and the last of some, which is one question in place of one for each.
func (w *ledgerWrite) known(tx *sql.Tx) (attempts, error) {
	known := make(attempts)
	between := tx.StmtContext(w.ctx, w.l.made.between)
	err := w.l.made.known.each(w.ctx, tx, len(w.entries), func(s *sql.Stmt, from, to int) error {
		if to-from > 1 {
			var some bool
			err := between.QueryRowContext(w.ctx, w.entries[from].RequestID[:], w.entries[to-1].RequestID[:]).Scan(&some)
			if err != nil || !some {
				return err
			}
		}
		w.l.args = w.l.args[:0]
		for _, e := range w.entries[from:to] {
			w.l.args = append(w.l.args, e.RequestID[:])
		}
		rows, err := s.QueryContext(w.ctx, w.l.args...)
		if err != nil {
			return err
		}
		return known.read(rows)
	})
	return known, err
}

func (a attempts) read(rows *sql.Rows) (err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var id, wire sql.RawBytes
		var key attemptKey
		var revision int
		if err := rows.Scan(&id, &key.attempt, &revision, &wire); err != nil {
			return err
		}
		copy(key.request[:], id)
		known := a[key]
		if known == nil {
			known = new(attempt)
			a[key] = known
		}
		known.revisions = append(known.revisions, revision)
		if revision >= known.latest.Revision {
			known.latest = storage.Entry{}
			if err := known.latest.Parse(wire); err != nil {
				return err
			}
		}
	}
	return rows.Err()
}

// insert adds the entries themselves.
func (w *ledgerWrite) insert(tx *sql.Tx) error {
	return w.l.made.insert.each(w.ctx, tx, len(w.entries), func(s *sql.Stmt, from, to int) error {
		args, wire := w.l.args[:0], w.l.wire[:0]
		for i := from; i < to; i++ {
			e, begin := w.entries[i], len(wire)
			wire = e.Append(wire)
			args = append(args, e.RequestID[:], e.Attempt, e.Revision, w.ids[w.own[i]], wire[begin:len(wire):len(wire)])
		}
		w.l.args, w.l.wire = args, wire
		_, err := s.ExecContext(w.ctx, args...)
		return err
	})
}

// rollUp adds the batch's sums to the roll-ups.
func (w *ledgerWrite) rollUp(tx *sql.Tx) error {
	rows := w.batch.Rows(w.ids)
	for len(rows) > 0 {
		p, n := rows[0].Period, 1
		for n < len(rows) && rows[n].Period == p {
			n++
		}
		err := w.l.made.upsert[p].each(w.ctx, tx, n, func(s *sql.Stmt, from, to int) error {
			args := w.l.args[:0]
			for i := from; i < to; i++ {
				args = ledger.AppendArgs(args, &rows[i])
			}
			w.l.args = args
			_, err := s.ExecContext(w.ctx, args...)
			return err
		})
		if err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

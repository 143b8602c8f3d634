package postgres

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/aistrale/aistrale/storage"
)

// Audit notes what was done, in the transaction of what it tells of where ctx has one. The chain
// is made later, by ChainAudit, so that nobody waits for another's turn here.
func (s *Store) Audit(ctx context.Context, e storage.AuditEvent) error {
	body, err := e.Encode()
	if err != nil {
		return err
	}
	const insert = `INSERT INTO audit_inbox (id, workspace, body) VALUES ($1, $2, $3)`
	if tx, ok := ctx.Value(underWay{}).(pgx.Tx); ok {
		_, err = tx.Exec(ctx, insert, e.ID, e.Workspace, body)
	} else {
		_, err = s.exec(ctx, insert, e.ID, e.Workspace, body)
	}
	return named("audit event", e.ID, err)
}

// ChainAudit chains up to most of what Audit noted, in the order of its ids, and gives the chain's
// head and how many it chained. Of two that do it at once one waits for the other.
func (s *Store) ChainAudit(ctx context.Context, most int) (head storage.AuditHead, n int, err error) {
	ctx, cancel := context.WithTimeout(ctx, nounTimeout)
	defer cancel()
	if err := s.Ready(ctx); err != nil {
		return head, 0, err
	}
	var waits bool // mostly nothing does: nobody takes a turn for that
	if err := s.nouns.QueryRow(ctx, `SELECT EXISTS (SELECT FROM audit_inbox)`).Scan(&waits); err != nil {
		return head, 0, fmt.Errorf("audit log: %w", err)
	}
	if !waits {
		head, err = s.AuditHead(ctx)
		return head, 0, err
	}
	err = pgx.BeginFunc(ctx, s.nouns, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT FROM pg_advisory_xact_lock($1, `+schemaKey+`)`, lockAudit); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `SELECT body FROM audit_inbox ORDER BY id LIMIT $1`, most)
		if err != nil {
			return err
		}
		bodies, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
		if err != nil {
			return err
		}
		if head, err = auditHead(ctx, tx); err != nil {
			return err
		}
		batch := &pgx.Batch{}
		for _, body := range bodies {
			r := head.Next(body)
			if err := chain(batch, &r); err != nil {
				return err
			}
			head = r.Head()
		}
		n = len(bodies)
		return tx.SendBatch(ctx, batch).Close()
	})
	if err != nil {
		return storage.AuditHead{}, 0, fmt.Errorf("audit log: %w", err)
	}
	return head, n, nil
}

// chain writes one record and takes its event out of the inbox.
func chain(batch *pgx.Batch, r *storage.AuditRecord) error {
	e, err := storage.DecodeAuditEvent(r.Body)
	if err != nil {
		return err
	}
	batch.Queue(`INSERT INTO audit_log (seq, workspace, at, actor, action, target, outcome, body, prev, hash)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		r.Seq, e.Workspace, e.At, clean(e.Actor), clean(e.Action), clean(e.Target), string(e.Outcome), r.Body, r.Prev[:], r.Hash[:])
	batch.Queue(`DELETE FROM audit_inbox WHERE id = $1`, e.ID)
	return nil
}

// AuditHead gives the chain's newest record.
func (s *Store) AuditHead(ctx context.Context) (storage.AuditHead, error) {
	if err := s.Ready(ctx); err != nil {
		return storage.AuditHead{}, err
	}
	head, err := auditHead(ctx, s.reading(ctx))
	if err != nil {
		return head, fmt.Errorf("audit log: %w", err)
	}
	return head, nil
}

func auditHead(ctx context.Context, from reader) (head storage.AuditHead, err error) {
	rows, err := from.Query(ctx, `SELECT seq, hash FROM audit_log ORDER BY seq DESC LIMIT 1`)
	if err != nil {
		return head, err
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (h storage.AuditHead, err error) {
		var sum []byte
		if err := row.Scan(&h.Seq, &sum); err != nil {
			return h, err
		}
		return h, hash(&h.Hash, sum)
	})
	if err != nil || len(found) == 0 {
		return head, err
	}
	return found[0], nil
}

// AuditLog gives the records that a query asks for.
func (s *Store) AuditLog(ctx context.Context, q storage.AuditQuery) ([]storage.AuditRecord, error) {
	where, args := auditWhere(&q)
	order := "DESC"
	if q.Oldest {
		order = "ASC"
	}
	sql := `SELECT seq, body, prev, hash FROM audit_log WHERE ` + where + ` ORDER BY seq ` + order
	if q.Limit > 0 {
		sql += " LIMIT " + strconv.Itoa(q.Limit)
	}
	found, err := all(ctx, s, sql, scanAudit, args...)
	if err != nil {
		return nil, fmt.Errorf("audit log: %w", err)
	}
	return found, nil
}

func scanAudit(row pgx.CollectableRow) (storage.AuditRecord, error) {
	var r storage.AuditRecord
	var prev, sum []byte
	if err := row.Scan(&r.Seq, &r.Body, &prev, &sum); err != nil {
		return r, err
	}
	if err := hash(&r.Prev, prev); err != nil {
		return r, err
	}
	return r, hash(&r.Hash, sum)
}

func auditWhere(q *storage.AuditQuery) (where string, args []any) {
	terms := []string{"true"}
	add := func(term string, arg any) {
		args = append(args, arg)
		terms = append(terms, strings.ReplaceAll(term, "?", "$"+strconv.Itoa(len(args))))
	}
	if q.After != 0 && q.Oldest {
		add("seq > ?", q.After)
	} else if q.After != 0 {
		add("seq < ?", q.After)
	}
	if q.Workspace != "" {
		add("workspace = ?", q.Workspace)
	}
	for _, bound := range []struct {
		term string
		at   time.Time
	}{{"at >= ?", q.From}, {"at < ?", q.To}} {
		if !bound.at.IsZero() {
			add(bound.term, bound.at)
		}
	}
	for _, word := range []struct{ column, want string }{
		{"actor", q.Actor}, {"action", q.Action}, {"target", q.Target}, {"outcome", string(q.Outcome)},
	} {
		begin, many := strings.CutSuffix(word.want, "*")
		switch {
		case word.want == "":
		case many:
			add("starts_with("+word.column+", ?)", begin)
		default:
			add(word.column+" = ?", word.want)
		}
	}
	return strings.Join(terms, " AND "), args
}

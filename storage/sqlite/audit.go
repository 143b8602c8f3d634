package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// Audit notes what was done, in the transaction of what it tells of where ctx has one. The chain
// is made later, by ChainAudit.
func (s *Store) Audit(ctx context.Context, e storage.AuditEvent) error {
	body, err := e.Encode()
	if err != nil {
		return err
	}
	err = s.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO audit_inbox (id, workspace, body) VALUES (?, ?, ?)`, e.ID, e.Workspace, body)
		return err
	})
	return named("audit event", e.ID, err)
}

// ChainAudit chains up to most of what Audit noted, in the order of its ids, and gives the chain's
// head and how many it chained. Of two that do it at once one waits for the other.
func (s *Store) ChainAudit(ctx context.Context, most int) (head storage.AuditHead, n int, err error) {
	var waits bool // mostly nothing does: the file's one writer is not kept for that
	if err := s.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM audit_inbox)`).Scan(&waits); err != nil {
		return head, 0, fmt.Errorf("audit log: %w", err)
	}
	if !waits {
		head, err = s.AuditHead(ctx)
		return head, 0, err
	}
	err = s.change(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT body FROM audit_inbox ORDER BY id LIMIT ?`, most)
		if err != nil {
			return err
		}
		bodies, err := gather(rows, func(row scanner) (body []byte, err error) { return body, row.Scan(&body) })
		if err != nil {
			return err
		}
		if head, err = auditHead(ctx, tx); err != nil {
			return err
		}
		for n = range bodies {
			r := head.Next(bodies[n])
			if err := chain(ctx, tx, &r); err != nil {
				return err
			}
			head = r.Head()
		}
		n = len(bodies)
		return nil
	})
	if err != nil {
		return storage.AuditHead{}, 0, fmt.Errorf("audit log: %w", err)
	}
	return head, n, nil
}

// chain writes one record and takes its event out of the inbox.
func chain(ctx context.Context, tx *sql.Tx, r *storage.AuditRecord) error {
	e, err := storage.DecodeAuditEvent(r.Body)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO audit_log (seq, workspace, at, actor, action, target, outcome, body, prev, hash)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, r.Seq, e.Workspace, e.At.UnixMicro(), e.Actor, e.Action, e.Target, string(e.Outcome), r.Body, r.Prev[:], r.Hash[:])
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM audit_inbox WHERE id = ?`, e.ID)
	return err
}

// AuditHead gives the chain's newest record.
func (s *Store) AuditHead(ctx context.Context) (storage.AuditHead, error) {
	head, err := auditHead(ctx, s.reading(ctx))
	if err != nil {
		return head, fmt.Errorf("audit log: %w", err)
	}
	return head, nil
}

func auditHead(ctx context.Context, from reader) (head storage.AuditHead, err error) {
	rows, err := from.QueryContext(ctx, `SELECT seq, hash FROM audit_log ORDER BY seq DESC LIMIT 1`)
	if err != nil {
		return head, err
	}
	found, err := gather(rows, func(row scanner) (h storage.AuditHead, err error) { return h, row.Scan(&h.Seq, (*hash)(&h.Hash)) })
	if err != nil || len(found) == 0 {
		return head, err
	}
	return found[0], nil
}

// AuditLog gives the records that a query asks for.
func (s *Store) AuditLog(ctx context.Context, q storage.AuditQuery) ([]storage.AuditRecord, error) {
	where, args := auditWhere(&q)
	order, limit := "DESC", -1
	if q.Oldest {
		order = "ASC"
	}
	if q.Limit > 0 {
		limit = q.Limit
	}
	rows, err := s.read.QueryContext(ctx, `SELECT seq, body, prev, hash FROM audit_log WHERE `+where+` ORDER BY seq `+order+` LIMIT ?`, append(args, limit)...)
	if err != nil {
		return nil, fmt.Errorf("audit log: %w", err)
	}
	found, err := gather(rows, func(row scanner) (r storage.AuditRecord, err error) {
		return r, row.Scan(&r.Seq, &r.Body, (*hash)(&r.Prev), (*hash)(&r.Hash))
	})
	if err != nil {
		return nil, fmt.Errorf("audit log: %w", err)
	}
	return found, nil
}

func auditWhere(q *storage.AuditQuery) (where string, args []any) {
	terms := []string{"1"}
	add := func(term string, arg any) { terms, args = append(terms, term), append(args, arg) }
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
			add(bound.term, bound.at.UnixMicro())
		}
	}
	for _, word := range []struct{ column, want string }{
		{"actor", q.Actor}, {"action", q.Action}, {"target", q.Target}, {"outcome", string(q.Outcome)},
	} {
		begin, many := strings.CutSuffix(word.want, "*")
		switch {
		case word.want == "":
		case many:
			add("substr("+word.column+", 1, length(?)) = ?", begin)
			args = append(args, begin)
		default:
			add(word.column+" = ?", word.want)
		}
	}
	return strings.Join(terms, " AND "), args
}

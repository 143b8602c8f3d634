package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/aistrale/aistrale/storage"
)

const documentColumns = `kind, workspace, id, ref, body, revision, served, created_at, updated_at, expires_at, data_key, sealed`

// Document gives a document. It wraps ErrNotFound.
func (s *Store) Document(ctx context.Context, kind storage.Kind, workspace, id string) (storage.Document, error) {
	rows, err := s.reading(ctx).QueryContext(ctx, `SELECT `+documentColumns+` FROM documents WHERE kind = ? AND workspace = ? AND id = ?`,
		kind.Name, workspace, id)
	if err != nil {
		return storage.Document{}, named(kind.Name, id, err)
	}
	d, err := first(rows, scanDocument)
	return d, named(kind.Name, id, err)
}

// DocumentByRef gives the document that has this second name. It wraps ErrNotFound.
func (s *Store) DocumentByRef(ctx context.Context, kind storage.Kind, ref string) (storage.Document, error) {
	rows, err := s.reading(ctx).QueryContext(ctx, `SELECT `+documentColumns+` FROM documents WHERE kind = ? AND ref = ?`, kind.Name, ref)
	if err != nil {
		return storage.Document{}, named(kind.Name, ref, err)
	}
	d, err := first(rows, scanDocument)
	return d, named(kind.Name, ref, err)
}

// Documents gives what a query asks for.
func (s *Store) Documents(ctx context.Context, q storage.DocumentQuery) ([]storage.Document, error) {
	limit := q.Limit
	if limit <= 0 {
		limit = -1
	}
	rows, err := s.reading(ctx).QueryContext(ctx, `SELECT `+documentColumns+` FROM documents
		WHERE kind = ?1 AND (?2 OR workspace = ?3) AND id > ?4 AND substr(id, 1, length(?5)) = ?5
		ORDER BY id, workspace LIMIT ?6`, q.Kind.Name, q.All, q.Workspace, q.After, q.Prefix, limit)
	if err != nil {
		return nil, fmt.Errorf("%ss: %w", q.Kind.Name, err)
	}
	found, err := gather(rows, scanDocument)
	if err != nil {
		return nil, fmt.Errorf("%ss: %w", q.Kind.Name, err)
	}
	return found, nil
}

// AddDocument adds a document. It wraps ErrExists where its id or its ref is taken.
func (s *Store) AddDocument(ctx context.Context, d storage.Document) error {
	if err := d.Check(); err != nil {
		return err
	}
	d = d.Stamp()
	err := s.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO documents (`+documentColumns+`) VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?)`,
			d.Kind.Name, d.Workspace, d.ID, orNull(d.Ref), d.Body, d.Kind.Served,
			d.CreatedAt.UnixMicro(), d.UpdatedAt.UnixMicro(), perhaps(d.ExpiresAt), orNull(d.Sealed.DataKeyID), d.Sealed.Blob)
		return err
	})
	return named(d.Kind.Name, d.ID, err)
}

// ChangeDocument puts a document in the place of the revision that d has. It wraps ErrNotFound,
// ErrExists where its ref is taken, and ErrChanged where the revision is another.
func (s *Store) ChangeDocument(ctx context.Context, d storage.Document) error {
	if err := d.Check(); err != nil {
		return err
	}
	d = d.Stamp()
	err := s.change(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, `UPDATE documents SET ref = ?, body = ?, updated_at = ?, expires_at = ?, data_key = ?, sealed = ?, revision = revision + 1
			WHERE kind = ? AND workspace = ? AND id = ? AND revision = ?`,
			orNull(d.Ref), d.Body, d.UpdatedAt.UnixMicro(), perhaps(d.ExpiresAt), orNull(d.Sealed.DataKeyID), d.Sealed.Blob,
			d.Kind.Name, d.Workspace, d.ID, d.Revision)
		if err != nil {
			return err
		}
		return untouched(ctx, tx, done, &d)
	})
	return named(d.Kind.Name, d.ID, err)
}

// RemoveDocument removes the revision that d has. It wraps ErrNotFound and ErrChanged.
func (s *Store) RemoveDocument(ctx context.Context, d storage.Document) error {
	err := s.change(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, `DELETE FROM documents WHERE kind = ? AND workspace = ? AND id = ? AND revision = ?`,
			d.Kind.Name, d.Workspace, d.ID, d.Revision)
		if err != nil {
			return err
		}
		return untouched(ctx, tx, done, &d)
	})
	return named(d.Kind.Name, d.ID, err)
}

// untouched says why a statement that names a revision changed no row; nil where it changed one.
func untouched(ctx context.Context, tx *sql.Tx, done sql.Result, d *storage.Document) error {
	if n, err := done.RowsAffected(); err != nil || n > 0 {
		return err
	}
	var revision int64
	err := tx.QueryRowContext(ctx, `SELECT revision FROM documents WHERE kind = ? AND workspace = ? AND id = ?`,
		d.Kind.Name, d.Workspace, d.ID).Scan(&revision)
	if err != nil {
		return err
	}
	return storage.ErrChanged
}

// ExpireDocuments removes those whose time is over, and says how many.
func (s *Store) ExpireDocuments(ctx context.Context, before time.Time) (int64, error) {
	var n int64
	err := s.change(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, `DELETE FROM documents WHERE expires_at < ?`, before.UnixMicro())
		if err != nil {
			return err
		}
		n, err = done.RowsAffected()
		return err
	})
	return n, err
}

func scanDocument(row scanner) (storage.Document, error) {
	var d storage.Document
	var ref, dataKey sql.NullString
	var expires sql.NullInt64
	err := row.Scan(&d.Kind.Name, &d.Workspace, &d.ID, &ref, &d.Body, &d.Revision, &d.Kind.Served,
		(*moment)(&d.CreatedAt), (*moment)(&d.UpdatedAt), &expires, &dataKey, &d.Sealed.Blob)
	d.Ref, d.ExpiresAt, d.Sealed.DataKeyID = ref.String, pointer(expires), dataKey.String
	return d, err
}

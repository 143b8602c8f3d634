package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/aistrale/aistrale/storage"
)

const documentColumns = `kind, workspace, id, ref, body, revision, served, created_at, updated_at, expires_at, data_key, sealed`

// Document gives a document. It wraps ErrNotFound.
func (s *Store) Document(ctx context.Context, kind storage.Kind, workspace, id string) (storage.Document, error) {
	d, err := sole(ctx, s, `SELECT `+documentColumns+` FROM documents WHERE kind = $1 AND workspace = $2 AND id = $3`,
		scanDocument, kind.Name, workspace, id)
	return d, named(kind.Name, id, err)
}

// DocumentByRef gives the document that has this second name. It wraps ErrNotFound.
func (s *Store) DocumentByRef(ctx context.Context, kind storage.Kind, ref string) (storage.Document, error) {
	d, err := sole(ctx, s, `SELECT `+documentColumns+` FROM documents WHERE kind = $1 AND ref = $2`, scanDocument, kind.Name, ref)
	return d, named(kind.Name, ref, err)
}

// Documents gives what a query asks for.
func (s *Store) Documents(ctx context.Context, q storage.DocumentQuery) ([]storage.Document, error) {
	var limit *int
	if q.Limit > 0 {
		limit = &q.Limit
	}
	found, err := all(ctx, s, `SELECT `+documentColumns+` FROM documents
		WHERE kind = $1 AND ($2 OR workspace = $3) AND id > $4 AND starts_with(id, $5)
		ORDER BY id, workspace LIMIT $6`, scanDocument, q.Kind.Name, q.All, q.Workspace, q.After, q.Prefix, limit)
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
	err := s.change(ctx, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO documents (`+documentColumns+`) VALUES ($1, $2, $3, $4, $5, 1, $6, $7, $8, $9, $10, $11)`,
			d.Kind.Name, d.Workspace, d.ID, orNull(d.Ref), d.Body, d.Kind.Served, d.CreatedAt, d.UpdatedAt, d.ExpiresAt,
			orNull(d.Sealed.DataKeyID), d.Sealed.Blob)
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
	err := s.change(ctx, func(ctx context.Context, tx pgx.Tx) error {
		done, err := tx.Exec(ctx, `UPDATE documents SET ref = $1, body = $2, updated_at = $3, expires_at = $4, data_key = $5, sealed = $6, revision = revision + 1
			WHERE kind = $7 AND workspace = $8 AND id = $9 AND revision = $10`,
			orNull(d.Ref), d.Body, d.UpdatedAt, d.ExpiresAt, orNull(d.Sealed.DataKeyID), d.Sealed.Blob, d.Kind.Name, d.Workspace, d.ID, d.Revision)
		if err != nil {
			return err
		}
		return untouched(ctx, tx, done, &d)
	})
	return named(d.Kind.Name, d.ID, err)
}

// RemoveDocument removes the revision that d has. It wraps ErrNotFound and ErrChanged.
func (s *Store) RemoveDocument(ctx context.Context, d storage.Document) error {
	err := s.change(ctx, func(ctx context.Context, tx pgx.Tx) error {
		done, err := tx.Exec(ctx, `DELETE FROM documents WHERE kind = $1 AND workspace = $2 AND id = $3 AND revision = $4`,
			d.Kind.Name, d.Workspace, d.ID, d.Revision)
		if err != nil {
			return err
		}
		return untouched(ctx, tx, done, &d)
	})
	return named(d.Kind.Name, d.ID, err)
}

// untouched says why a statement that names a revision changed no row; nil where it changed one.
func untouched(ctx context.Context, tx pgx.Tx, done pgconn.CommandTag, d *storage.Document) error {
	if done.RowsAffected() > 0 {
		return nil
	}
	var revision int64
	err := tx.QueryRow(ctx, `SELECT revision FROM documents WHERE kind = $1 AND workspace = $2 AND id = $3`,
		d.Kind.Name, d.Workspace, d.ID).Scan(&revision)
	if err != nil {
		return err
	}
	return storage.ErrChanged
}

// ExpireDocuments removes those whose time is over, and says how many.
func (s *Store) ExpireDocuments(ctx context.Context, before time.Time) (int64, error) {
	return s.exec(ctx, `DELETE FROM documents WHERE expires_at < $1`, before)
}

func scanDocument(row pgx.CollectableRow) (storage.Document, error) {
	var d storage.Document
	var ref, dataKey *string
	err := row.Scan(&d.Kind.Name, &d.Workspace, &d.ID, &ref, &d.Body, &d.Revision, &d.Kind.Served, &d.CreatedAt, &d.UpdatedAt, &d.ExpiresAt,
		&dataKey, &d.Sealed.Blob)
	d.Ref, d.Sealed.DataKeyID = orEmpty(ref), orEmpty(dataKey)
	utc(&d.CreatedAt, &d.UpdatedAt, d.ExpiresAt)
	return d, err
}

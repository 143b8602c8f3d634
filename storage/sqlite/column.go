package sqlite

import (
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/aistrale/aistrale/storage"
)

// moment is a time as the file keeps it: microseconds since 1970, UTC.
type moment time.Time

// Scan implements sql.Scanner.
func (m *moment) Scan(v any) error {
	n, ok := v.(int64)
	if !ok {
		return fmt.Errorf("a time is %T, not an integer", v)
	}
	*m = moment(time.UnixMicro(n).UTC())
	return nil
}

// perhaps is a moment that may be NULL.
func perhaps(t *time.Time) any {
	if t == nil {
		return nil
	}
	return t.UnixMicro()
}

func pointer(n sql.NullInt64) *time.Time {
	if !n.Valid {
		return nil
	}
	t := time.UnixMicro(n.Int64).UTC()
	return &t
}

// orNull keeps the empty string as NULL, which foreign keys let pass.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// list is a list of strings as the file keeps it: a JSON array.
type list []string

// text is the array to be written.
func (l list) text() (string, error) {
	if len(l) == 0 {
		return "[]", nil
	}
	b, err := json.Marshal([]string(l))
	return string(b), err
}

// Scan implements sql.Scanner. An empty array is a nil list.
func (l *list) Scan(v any) error {
	text, ok := v.(string)
	if !ok {
		return fmt.Errorf("a list is %T, not text", v)
	}
	var items []string
	if err := json.Unmarshal([]byte(text), &items); err != nil {
		return fmt.Errorf("a list: %w", err)
	}
	*l = nil
	if len(items) > 0 {
		*l = items
	}
	return nil
}

// hash is a SHA-256 sum in a blob.
type hash [32]byte

// Scan implements sql.Scanner.
func (h *hash) Scan(v any) error {
	b, ok := v.([]byte)
	if !ok || len(b) != len(h) {
		return errors.New("a hash is not a blob of 32 bytes")
	}
	*h = hash(b)
	return nil
}

// named says of which noun an error speaks, and gives SQLite's refusals the meaning that
// package storage has for them.
func named(what, name string, err error) error {
	if err == nil {
		return nil
	}
	var refused *sqlite.Error
	if errors.As(err, &refused) {
		switch refused.Code() {
		case lib.SQLITE_CONSTRAINT_UNIQUE, lib.SQLITE_CONSTRAINT_PRIMARYKEY:
			err = storage.ErrExists
		case lib.SQLITE_CONSTRAINT_FOREIGNKEY:
			err = fmt.Errorf("%w: %w", errMissing, storage.ErrNotFound)
		}
	}
	if errors.Is(err, sql.ErrNoRows) {
		err = storage.ErrNotFound
	}
	return fmt.Errorf("%s %q: %w", what, name, err)
}

package postgres

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/aistrale/aistrale/storage"
)

// Codes of PostgreSQL's refusals.
const (
	codeExists       = "23505" // unique_violation
	codeMissing      = "23503" // foreign_key_violation
	codeSchemaExists = "42P06" // duplicate_schema

	codeNoPartition   = "23514" // check_violation, which entries has no other cause for
	codeDeadlock      = "40P01"
	codeSerialization = "40001"
)

// refusal gives the server's code in an error, "" where the error is not the server's.
func refusal(err error) string {
	var said *pgconn.PgError
	if errors.As(err, &said) {
		return said.Code
	}
	return ""
}

// The driver gives times in the machine's zone; the nouns have theirs in UTC.
func utc(times ...*time.Time) {
	for _, t := range times {
		if t != nil {
			*t = t.UTC()
		}
	}
}

// orNull keeps the empty string as NULL, which foreign keys let pass.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// list makes of a nil list an empty one, because the columns are NOT NULL.
func list(items []string) []string {
	if items == nil {
		return []string{}
	}
	return items
}

// orNil makes of empty lists nil ones, as the nouns have them.
func orNil(lists ...*[]string) {
	for _, l := range lists {
		if len(*l) == 0 {
			*l = nil
		}
	}
}

// hash takes the bytes of a SHA-256 sum.
func hash(to *[32]byte, from []byte) error {
	if len(from) != len(to) {
		return errors.New("a hash is not 32 bytes long")
	}
	*to = [32]byte(from)
	return nil
}

// named says of which noun an error speaks, and gives the server's refusals the meaning that
// package storage has for them.
func named(what, name string, err error) error {
	if err == nil {
		return nil
	}
	switch {
	case refusal(err) == codeExists:
		err = storage.ErrExists
	case refusal(err) == codeMissing:
		err = fmt.Errorf("%w: %w", errMissing, storage.ErrNotFound)
	case errors.Is(err, pgx.ErrNoRows):
		err = storage.ErrNotFound
	}
	return fmt.Errorf("%s %q: %w", what, name, err)
}

// clean makes a text one that TEXT takes: valid UTF-8 without NUL.
func clean(s string) string {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

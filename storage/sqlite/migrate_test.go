package sqlite

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

func TestOpenAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), FileName)
	first := open(t, path)
	k, _ := storage.NewKey("ci", time.Now())
	if err := first.AddKey(t.Context(), k); err != nil {
		t.Fatal(err)
	}
	before := schemaOf(t, first)
	second := open(t, path)
	if after := schemaOf(t, second); after != before {
		t.Fatalf("opening again changed the schema:\n%s\nwas\n%s", after, before)
	}
	keys, err := second.Keys(t.Context())
	if err != nil || len(keys) != 1 {
		t.Fatalf("%d keys, error %v", len(keys), err)
	}
}

// schemaOf is every table and index, and which migrations ran when.
func schemaOf(t *testing.T, s *Store) string {
	t.Helper()
	var text string
	err := s.read.QueryRowContext(t.Context(), `SELECT (SELECT group_concat(sql, char(10)) FROM sqlite_schema) ||
		(SELECT group_concat(version_id || ' ' || tstamp) FROM goose_db_version)`).Scan(&text)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Every row that belongs to someone must say to which workspace it belongs, from the first
// migration on.
func TestWorkspaceColumns(t *testing.T) {
	s := fresh(t)
	rows, err := s.read.QueryContext(t.Context(), `SELECT name FROM sqlite_schema t
		WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT IN ('goose_db_version', 'workspaces', 'revision')
		AND NOT EXISTS (SELECT 1 FROM pragma_table_info(t.name) c WHERE c.name = 'workspace')`)
	if err != nil {
		t.Fatal(err)
	}
	missing, err := gather(rows, func(row scanner) (name string, err error) { return name, row.Scan(&name) })
	if err != nil || len(missing) > 0 {
		t.Fatalf("without a workspace: %v, error %v", missing, err)
	}
}

func TestRefusesFile(t *testing.T) {
	f := func(want string, prepare ...string) {
		t.Helper()
		path := filepath.Join(t.TempDir(), FileName)
		db, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		for _, statement := range prepare {
			if _, err := db.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		before := contents(t, path)
		s, err := Open(t.Context(), path)
		if err == nil {
			_ = s.Close()
			t.Fatalf("opened; want an error with %q", want)
		}
		if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("error %q; want one with %q and the path", err, want)
		}
		if contents(t, path) != before {
			t.Errorf("%q: the file was changed", want)
		}
	}
	version := func(n int) []string {
		return []string{
			`PRAGMA journal_mode = WAL`, `PRAGMA application_id = 1095324500`,
			`CREATE TABLE goose_db_version (id INTEGER PRIMARY KEY, version_id INTEGER, is_applied INTEGER, tstamp TIMESTAMP)`,
			fmt.Sprintf(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, 1), (1, 1), (%d, 1)`, n),
		}
	}
	f("run the newer release", version(9999)...)
	f("another program", `CREATE TABLE bookmarks (url TEXT)`)
	f("another program", append(version(1), `PRAGMA application_id = 7`)...)
}

func contents(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A first start that dies between goose's own table and the first migration must not lock the
// operator out.
func TestInterruptedFirstStart(t *testing.T) {
	path := filepath.Join(t.TempDir(), FileName)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		`CREATE TABLE goose_db_version (id INTEGER PRIMARY KEY AUTOINCREMENT, version_id INTEGER NOT NULL, is_applied INTEGER NOT NULL, tstamp TIMESTAMP DEFAULT (datetime('now')))`,
		`INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, 1)`,
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s := open(t, path)
	if _, err := s.Keys(t.Context()); err != nil {
		t.Fatal(err)
	}
}

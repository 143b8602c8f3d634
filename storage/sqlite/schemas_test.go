package sqlite

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The schema that an empty file gets is what the migrations make of one: AISTRALE_UPDATE=1 writes
// it anew, for whoever adds a migration.
func TestSchemas(t *testing.T) {
	f := func(k kind) {
		t.Helper()
		want := "-- Written by AISTRALE_UPDATE=1 go test ./storage/sqlite -run TestSchemas: what the migrations make.\n" +
			dump(t, migrated(t, k))
		path := filepath.Join("schemas", k.name+".sql")
		if os.Getenv("AISTRALE_UPDATE") != "" {
			if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
				t.Fatal(err)
			}
			k.newest = want
		}
		if k.newest != want {
			t.Errorf("%s is not what the migrations make; AISTRALE_UPDATE=1 writes it anew", path)
		}
		made, err := openFile(t.Context(), filepath.Join(t.TempDir(), "made.db"), k)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = made.Close() }()
		if got := dump(t, made); !strings.HasSuffix(want, got) {
			t.Errorf("%s makes\n%s\nwant\n%s", path, got, want)
		}
	}
	f(storeKind())
	f(ledgerKind())
}

// migrated is a file that came to its schema by one migration after the other.
func migrated(t *testing.T, k kind) file {
	t.Helper()
	f, err := connect(filepath.Join(t.TempDir(), "migrated.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	provider, err := k.provider(f.write)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	return f
}

// dump is a file as the statements that make it: its tables, their rows, then its indexes and triggers.
func dump(t *testing.T, f file) string {
	t.Helper()
	var id, version int
	for pragma, to := range map[string]*int{"application_id": &id, "user_version": &version} {
		if err := f.read.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(to); err != nil {
			t.Fatal(err)
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "PRAGMA application_id = %d;\nPRAGMA user_version = %d;\n", id, version)
	const ours = `FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' AND type `
	write := func(query string, args ...any) {
		for _, s := range firstColumn(t, f, query, args...) {
			b.WriteString(s + ";\n")
		}
	}
	write(`SELECT sql ` + ours + `= 'table' ORDER BY rowid`)
	for _, table := range firstColumn(t, f, `SELECT name `+ours+`= 'table' ORDER BY rowid`) {
		columns := firstColumn(t, f, `SELECT name FROM pragma_table_info(?) WHERE NOT (name IN ('id', 'tstamp') AND ?1 = 'goose_db_version')`, table)
		list := strings.Join(columns, ", ")
		write(`SELECT 'INSERT INTO ` + table + ` (` + list + `) VALUES (' || quote(` + strings.Join(columns, `) || ', ' || quote(`) + `) || ')' FROM ` + table)
	}
	write(`SELECT sql ` + ours + `<> 'table' ORDER BY rowid`)
	return b.String()
}

// firstColumn gives the first column of a query's rows.
func firstColumn(t *testing.T, f file, query string, args ...any) []string {
	t.Helper()
	rows, err := f.read.QueryContext(context.WithoutCancel(t.Context()), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	all, err := gather(rows, func(row scanner) (s string, err error) { return s, row.Scan(&s) })
	if err != nil {
		t.Fatal(err)
	}
	return all
}

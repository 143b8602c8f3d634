package sqlite

import (
	"bytes"
	"database/sql"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/ledger"
)

// The migration spells out what package ledger's statements name.
func TestLedgerColumns(t *testing.T) {
	l := freshLedger(t)
	f := func(table string, want []string) {
		t.Helper()
		rows, err := l.read.QueryContext(t.Context(), `SELECT name FROM pragma_table_info(?)`, table)
		if err != nil {
			t.Fatal(err)
		}
		got, err := gather(rows, func(row scanner) (name string, err error) { return name, row.Scan(&name) })
		slices.Sort(got) // a later migration's stand at the end
		slices.Sort(want)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s has the columns\n%v, want\n%v, error %v", table, got, want, err)
		}
	}
	f("series", append([]string{"id"}, ledger.SeriesColumns()...))
	for _, p := range storage.Periods() {
		f(ledger.Table(p), append([]string{"series_id", "start"}, ledger.Measures()...))
	}
}

// Sums that were written before a table had all of its columns are there in it as they were.
func TestLedgerMigrates(t *testing.T) {
	db, path := oldLedger(t, 2)
	names := func(table string) (all []string) {
		rows, err := db.QueryContext(t.Context(), `SELECT name FROM pragma_table_info(?)`, table)
		if err == nil {
			all, err = gather(rows, func(row scanner) (name string, err error) { return name, row.Scan(&name) })
		}
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	tables, had := []string{"usage_minute", "usage_hour", "usage_day"}, names("usage_minute")
	for i, table := range tables {
		values := make([]string, len(had))
		for c := range had {
			values[c] = strconv.Itoa(1000*(i+1) + c)
		}
		if _, err := db.ExecContext(t.Context(), `INSERT INTO `+table+` VALUES (`+strings.Join(values, ", ")+`)`); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	l := openLedger(t, path)
	for i, table := range tables {
		for c, name := range had {
			var got int
			if err := l.read.QueryRowContext(t.Context(), `SELECT `+name+` FROM `+table).Scan(&got); err != nil || got != 1000*(i+1)+c {
				t.Errorf("%s.%s is %d, want %d, error %v", table, name, got, 1000*(i+1)+c, err)
			}
		}
		var first int
		if err := l.read.QueryRowContext(t.Context(), `SELECT first_token_31 FROM `+table).Scan(&first); err != nil || first != 0 {
			t.Errorf("%s: a bucket that nobody counted is %d, error %v", table, first, err)
		}
	}
}

// Rows that lay in their key's own tree are there, in their order.
func TestLedgerMigrates_Entries(t *testing.T) {
	db, path := oldLedger(t, 3)
	if _, err := db.ExecContext(t.Context(), `INSERT INTO series VALUES (1, '', '', '', '', '', '', '', '', '')`); err != nil {
		t.Fatal(err)
	}
	source := steady()
	var entries []storage.Entry
	for i := range 20 {
		e := source.entry(source.at.Add(time.Duration(i) * time.Millisecond))
		entries = append(entries, e)
		if _, err := db.ExecContext(t.Context(), `INSERT INTO entries VALUES (?, 1, 1, 1, ?)`, e.RequestID[:], e.Append(nil)); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	l := openLedger(t, path)
	err := l.Entries(t.Context(), storage.EntryQuery{}, func(e *storage.Entry) error {
		if len(entries) == 0 || !bytes.Equal(e.Append(nil), entries[0].Append(nil)) {
			t.Errorf("%s is not as it was, or not in its place", e.RequestID)
		}
		entries = entries[min(1, len(entries)):]
		return nil
	})
	if err != nil || len(entries) > 0 {
		t.Errorf("%d entries are gone, error %v", len(entries), err)
	}
}

// oldLedger makes the file as it was before a migration.
func oldLedger(t *testing.T, version int64) (db *sql.DB, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), LedgerFileName)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	old, err := ledgerKind().provider(db)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := old.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
	return db, path
}

func TestLedgerOpenAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), LedgerFileName)
	schema := func(l *Ledger) (text string) {
		t.Helper()
		err := l.read.QueryRowContext(t.Context(), `SELECT (SELECT group_concat(sql, char(10)) FROM sqlite_schema) ||
			(SELECT group_concat(version_id || ' ' || tstamp) FROM goose_db_version)`).Scan(&text)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	before := schema(openLedger(t, path))
	if after := schema(openLedger(t, path)); after != before {
		t.Fatalf("opening again changed the schema:\n%s\nwas\n%s", after, before)
	}
}

// Neither file is taken for the other, nor for that of a newer release.
func TestLedgerRefusesFile(t *testing.T) {
	f := func(want string, path string) {
		t.Helper()
		l, err := OpenLedger(t.Context(), path)
		if err == nil {
			_ = l.Close()
			t.Fatalf("opened; want an error with %q", want)
		}
		if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("error %q; want one with %q and the path", err, want)
		}
	}
	f("another program", fresh(t).path)
	l := freshLedger(t)
	if s, err := Open(t.Context(), l.path); err == nil || !strings.Contains(err.Error(), "another program") {
		_ = s.Close()
		t.Errorf("the ledger opens as a store, error %v", err)
	}
	err := l.change(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	f("run the newer release", l.path)
}

func TestLedgerFileModes(t *testing.T) {
	l := freshLedger(t)
	for _, suffix := range []string{"", "-wal", "-shm", ".lock"} {
		info, err := os.Stat(l.path + suffix)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, error %v", suffix, info, err)
		}
	}
}

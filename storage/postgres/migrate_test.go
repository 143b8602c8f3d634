package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/ledger"
	"github.com/aistrale/aistrale/storage/storagetest"
)

// later is our migrations and one more.
func later(t *testing.T, sql string) fs.FS {
	t.Helper()
	all := fstest.MapFS{"09999_later.sql": {Data: []byte("-- +goose Up\n" + sql)}}
	files, err := fs.Glob(embedded(), "*.sql")
	do(t, err)
	for _, name := range files {
		b, err := fs.ReadFile(embedded(), name)
		do(t, err)
		all[name] = &fstest.MapFile{Data: b}
	}
	return all
}

func openWith(t *testing.T, address string, migrations fs.FS) (*Store, error) {
	t.Helper()
	s, err := open(t.Context(), Options{URL: storage.NewSecret(address)}, migrations)
	if err == nil {
		t.Cleanup(func() { do(t, s.Close()) })
	}
	return s, err
}

func TestOpenAtOnce(t *testing.T) {
	address := storagetest.Postgres(t)
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			s, err := Open(context.Background(), Options{URL: storage.NewSecret(address)})
			if err != nil {
				t.Error(err)
				return
			}
			k, _ := storage.NewKey(fmt.Sprintf("key-%d", i), time.Now())
			if err := errors.Join(s.AddKey(t.Context(), k), s.Write(t.Context(), entriesAt(noon, uint64(i)*10, 10)), s.Close()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	s := openAt(t, address)
	keys, err := s.Keys(t.Context())
	if err != nil || len(keys) != 6 {
		t.Fatalf("%d keys, error %v", len(keys), err)
	}
	var applied, distinct int
	do(t, s.nouns.QueryRow(t.Context(), `SELECT count(*), count(DISTINCT version_id) FROM goose_db_version`).Scan(&applied, &distinct))
	if applied != distinct {
		t.Errorf("%d migrations ran, %d of them different", applied, distinct)
	}
}

// A gateway of the release before goes on while the next one migrates under it, and starts again
// after that.
func TestMigratedUnder(t *testing.T) {
	address := storagetest.Postgres(t)
	s := openAt(t, address)
	j := journalOn(t, s, JournalOptions{})
	stop := make(chan struct{})
	var wg sync.WaitGroup
	var sent []storage.Entry
	begun := make(chan struct{})
	wg.Go(func() {
		for n := uint64(0); ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			e := entryAt(noon, n)
			if err := errors.Join(j.Append(openedOf(e)), j.Append(&e), s.SetMeta(context.Background(), "n", fmt.Sprint(n))); err != nil {
				t.Error(err)
				return
			}
			sent = append(sent, e)
			if n == 20 {
				close(begun)
			}
		}
	})
	<-begun
	next, err := openWith(t, address, later(t, `
		ALTER TABLE entries ADD COLUMN region TEXT NOT NULL DEFAULT '';
		ALTER TABLE keys ADD COLUMN budget BIGINT;
		ALTER TABLE usage_minute ADD COLUMN videos BIGINT NOT NULL DEFAULT 0;
		CREATE INDEX keys_owner ON keys (owner);`))
	do(t, err)
	do(t, next.SetMeta(t.Context(), "seen", "yes"))
	close(stop)
	wg.Wait()
	wantUsage(t, s, sent)
	again := openAt(t, address)
	more := entriesAt(noon.Add(time.Minute), 0, 5)
	do(t, again.Write(t.Context(), more))
	wantUsage(t, again, slices.Concat(sent, more))
}

func TestRefusesSchema(t *testing.T) {
	f := func(want string, prepare func(address string)) {
		t.Helper()
		address := storagetest.Postgres(t)
		prepare(address)
		before := schemaOf(t, address)
		s, err := Open(t.Context(), Options{URL: storage.NewSecret(address)})
		if err == nil {
			_ = s.Close()
			t.Fatalf("opened; want an error with %q", want)
		}
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q; want one with %q", err, want)
		}
		if after := schemaOf(t, address); after != before {
			t.Errorf("the schema was changed:\n%s\nwas\n%s", after, before)
		}
	}
	f("run the newer release", func(address string) {
		s, err := open(t.Context(), Options{URL: storage.NewSecret(address)}, later(t, `UPDATE schema_info SET oldest_compatible = 9999;`))
		do(t, err)
		do(t, s.Close())
	})
	f("another program", func(address string) {
		execute(t, address, `CREATE SCHEMA aistrale; CREATE TABLE aistrale.users (id int)`)
	})
	f("another program", func(address string) {
		execute(t, address, `CREATE SCHEMA aistrale; CREATE TABLE aistrale.goose_db_version
			(id serial, version_id bigint, is_applied boolean, tstamp timestamp);
			INSERT INTO aistrale.goose_db_version (version_id, is_applied) VALUES (0, true), (1, true)`)
	})
}

func execute(t *testing.T, address, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	do(t, err)
	defer func() { do(t, conn.Close(t.Context())) }()
	_, err = conn.Exec(t.Context(), sql)
	do(t, err)
}

func schemaOf(t *testing.T, address string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	do(t, err)
	defer func() { do(t, conn.Close(t.Context())) }()
	var columns string
	do(t, conn.QueryRow(t.Context(), `SELECT coalesce(string_agg(table_name || '.' || column_name, ' ' ORDER BY table_name, column_name), '')
		FROM information_schema.columns WHERE table_schema = 'aistrale'`).Scan(&columns))
	return columns
}

// Every row that belongs to someone says to which workspace it belongs, from the first migration
// on; the ledger's say it by their series.
func TestWorkspaceColumns(t *testing.T) {
	s := fresh(t)
	rows, err := s.nouns.Query(t.Context(), `SELECT tablename::text FROM pg_tables t WHERE schemaname = 'aistrale'
		AND tablename NOT IN ('goose_db_version', 'workspaces', 'schema_info', 'revision', 'borders', 'instances', 'open_attempts')
		AND NOT EXISTS (SELECT 1 FROM information_schema.columns c WHERE c.table_schema = 'aistrale'
			AND c.table_name = t.tablename AND c.column_name IN ('workspace', 'series_id'))`)
	do(t, err)
	missing, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(missing) > 0 {
		t.Fatalf("without a workspace: %v, error %v", missing, err)
	}
}

// The tables must have what package ledger writes.
func TestColumns(t *testing.T) {
	s := fresh(t)
	f := func(table string, want []string) {
		t.Helper()
		rows, err := s.nouns.Query(t.Context(), `SELECT column_name::text FROM information_schema.columns
			WHERE table_schema = 'aistrale' AND table_name = $1 ORDER BY ordinal_position`, table)
		do(t, err)
		got, err := pgx.CollectRows(rows, pgx.RowTo[string])
		do(t, err)
		slices.Sort(got) // a later migration's stand at the end
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s has %v, want %v", table, got, want)
		}
	}
	for _, p := range storage.Periods() {
		f(ledger.Table(p), append([]string{"series_id", "start"}, ledger.Measures()...))
	}
	f("series", append([]string{"id"}, ledger.SeriesColumns()...))
	var names []string
	for _, c := range entryColumns() {
		names = append(names, c.name)
	}
	f("entries", names)
}

package postgres

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/aistrale/aistrale/storage"
)

// part is one of a dump.
type part struct {
	name string
	text []byte
}

func dumpOf(t *testing.T, s *Store) (parts []part) {
	t.Helper()
	do(t, s.Dump(t.Context(), func(name string, r io.Reader) error {
		text, err := io.ReadAll(r)
		parts = append(parts, part{name, text})
		return err
	}))
	return parts
}

func from(parts []part) func() (string, io.Reader, error) {
	return func() (string, io.Reader, error) {
		if len(parts) == 0 {
			return "", nil, io.EOF
		}
		p := parts[0]
		parts = parts[1:]
		return p.name, bytes.NewReader(p.text), nil
	}
}

// differs names a part that two dumps have not in common. Days that have a partition are left
// out: the store makes them when it likes.
func differs(a, b []part) string {
	if len(a) != len(b) {
		return "the number of parts"
	}
	for i := range a {
		if a[i].name != b[i].name || a[i].name != partDays && !bytes.Equal(a[i].text, b[i].text) {
			return b[i].name
		}
	}
	return ""
}

// full fills a store with some of everything.
func full(t *testing.T) (*Store, []storage.Entry) {
	t.Helper()
	s := fresh(t)
	k, _ := storage.NewKey("ci", noon)
	k.Owner, k.Project, k.Tags = "ada@example.com", "search", []string{"a", "b"}
	do(t, s.AddKey(t.Context(), k))
	token, _ := storage.NewAdminToken("root", noon)
	do(t, s.AddAdminToken(t.Context(), token))
	do(t, s.SetMeta(t.Context(), "odd", "tab\t, line\n, NUL\x00, \\N"))
	do(t, s.AddPrices(t.Context(), []storage.Price{{ID: "a", Provider: "mock", Model: "gpt", From: noon, Source: "list\t\\ 'x'\n"}}))
	entries := slices.Concat(entriesAt(noon, 0, 50), entriesAt(noon.AddDate(0, 0, -3), 50, 50))
	for i := range entries {
		entries[i].Tags = []string{"x"}
	}
	do(t, s.Write(t.Context(), entries))
	_, err := s.Trim(t.Context(), noon.AddDate(0, 0, 1), storage.Keep{Minutes: time.Hour})
	do(t, err)
	j := NewJournal(s, JournalOptions{})
	open := entryAt(noon, 1000)
	do(t, j.Append(openedOf(open)))
	do(t, j.Close())
	return s, entries
}

func TestDumpRestore(t *testing.T) {
	s, entries := full(t)
	parts := dumpOf(t, s)
	other := fresh(t)
	do(t, other.Restore(t.Context(), from(parts)))
	if name := differs(dumpOf(t, other), parts); name != "" {
		t.Errorf("%s is another after a dump and a restore", name)
	}
	wantUsage(t, other, entries)
	// Life goes on: new series and prices get numbers of their own.
	more := entriesAt(noon.Add(time.Minute), 0, 5)
	for i := range more {
		more[i].Model = "new"
	}
	do(t, other.Write(t.Context(), more))
	wantUsage(t, other, slices.Concat(entries, more))
	do(t, other.AddPrices(t.Context(), []storage.Price{{ID: "b", Provider: "mock", Model: "gpt", From: noon}}))
	if n := openAttempts(t, other); n != 1 {
		t.Errorf("%d attempts are open, want the one that was", n)
	}
}

// A restore that fails changes nothing.
func TestRestoreRefuses(t *testing.T) {
	s, _ := full(t)
	parts := dumpOf(t, s)
	other := fresh(t)
	f := func(want string, into *Store, parts []part) {
		t.Helper()
		before := dumpOf(t, into)
		err := into.Restore(t.Context(), from(parts))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v; want one with %q", err, want)
		}
		if name := differs(dumpOf(t, into), before); name != "" {
			t.Errorf("%q: %s was changed", want, name)
		}
	}
	changed := func(name, text string) []part {
		all := slices.Clone(parts)
		i := slices.IndexFunc(all, func(p part) bool { return p.name == name })
		all[i].text = []byte(text)
		return all
	}
	f("not empty", s, parts)
	f("not whole", other, parts[:len(parts)-1])
	f("not whole", other, parts[:1])
	f("not whole", other, nil)
	f("version", other, changed(partSchema, "2\n"))
	f("keys", other, changed("keys", "nonsense\n"))
	f("no such part", other, slices.Insert(slices.Clone(parts), 1, part{"pg_authid", nil}))
	f("no dump", other, parts[1:])
	f("prices is missing", other, slices.DeleteFunc(slices.Clone(parts), func(p part) bool { return p.name == "prices" }))
}

// A dump whose reader fails leaves a connection that can be used.
func TestDumpStops(t *testing.T) {
	s, entries := full(t)
	enough := errors.New("enough")
	for range int(queriesPool.most) + 1 {
		err := s.Dump(t.Context(), func(part string, r io.Reader) error {
			if part == "entries" {
				_, err := r.Read(make([]byte, 10))
				return errors.Join(enough, err)
			}
			return nil
		})
		if !errors.Is(err, enough) {
			t.Fatalf("error %v, want %v", err, enough)
		}
	}
	wantUsage(t, s, entries)
}

// No table may be forgotten.
func TestDumpedTables(t *testing.T) {
	s := fresh(t)
	rows, err := s.nouns.Query(t.Context(), `SELECT relname::text FROM pg_class WHERE relnamespace = current_schema()::regnamespace
		AND relkind IN ('r', 'p') AND NOT relispartition AND relname NOT IN ('goose_db_version', 'schema_info', 'revision', 'instances')`)
	do(t, err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	do(t, err)
	want := dumped()
	slices.Sort(tables)
	slices.Sort(want)
	if !slices.Equal(tables, want) {
		t.Errorf("a dump has %v, the schema %v", want, tables)
	}
}

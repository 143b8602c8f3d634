package postgres

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/storagetest"
)

func TestDownAtStart(t *testing.T) {
	server := storagetest.PostgresServer(t)
	server.Stop(t)
	s := openAt(t, server.URL)
	_, err := s.Keys(t.Context())
	if err == nil || !strings.Contains(err.Error(), "storage.postgres") {
		t.Fatalf("error %v; want one that names storage.postgres", err)
	}
	if err := s.Ready(t.Context()); err == nil {
		t.Fatal("it is ready without a server")
	}
	server.Start(t)
	until(t, s.contact.made.Load) // by itself
	k, _ := storage.NewKey("ci", time.Now())
	do(t, s.AddKey(t.Context(), k))
	server.Kill(t)
	server.Start(t)
	until(t, func() bool { // connections from before are found broken once
		keys, err := s.Keys(t.Context())
		return err == nil && len(keys) == 1
	})
}

// A URL that is wrong, and a server that says no, are for the operator to mend: Open fails.
func TestRefusedAtOpen(t *testing.T) {
	f := func(address, want string) {
		t.Helper()
		s, err := Open(t.Context(), Options{URL: storage.NewSecret(address), ConnectTimeout: time.Second})
		if err == nil {
			do(t, s.Close())
			t.Fatalf("opened; want an error with %q", want)
		}
		if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "storage.postgres") {
			t.Errorf("error %q; want one with %q that names storage.postgres", err, want)
		}
		if strings.Contains(err.Error(), canary) || strings.Contains(fmt.Sprintf("%+v %#v", err, err), canary) {
			t.Errorf("the error shows the password: %q", err)
		}
	}
	f("", "postgres://")
	f("mysql://u:"+canary+"@localhost/x", "postgres://")
	f("host=localhost password="+canary, "postgres://")
	f("postgres://u:"+canary+"@[::1/x", "not a URL")
	f("postgres://u:"+canary+"%zz@localhost/x", "not a URL")
	f("postgres://u:"+canary+"@localhost:none/x", "not a URL")
	f("postgres://u:"+canary+"@localhost:99999/x", "port")
	f("postgres://u:"+canary+"@localhost/x?sslmode="+canary, "storage.postgres")
	f("postgres://u@localhost/x?password="+canary+"&sslmode=maybe", "sslmode")
	f("postgres://u:"+canary+"@localhost/x?search_path=", "search_path")
	real, err := url.Parse(storagetest.Postgres(t))
	do(t, err)
	real.User = url.UserPassword("nobody_here", canary)
	f(real.String(), "nobody_here")
	real.User = url.UserPassword("test", canary)
	real.Path = "/no_such_database"
	f(real.String(), "no_such_database")
}

const canary = "canary-0123456789"

// Whatever goes wrong, the password shows nowhere.
func TestSecretStaysSecret(t *testing.T) {
	var log bytes.Buffer
	u := "postgres://test:" + canary + "@127.0.0.1:1/x?connect_timeout=1&sslpassword=" + canary
	s, err := Open(t.Context(), Options{URL: storage.NewSecret(u), Log: slog.New(slog.NewTextHandler(&log, nil))})
	do(t, err)
	var errs []error
	_, err = s.Keys(t.Context())
	errs = append(errs, err, s.Ready(t.Context()), s.SetMeta(t.Context(), "a", "b"), s.Write(t.Context(), entriesAt(noon, 0, 1)))
	_, err = s.Usage(t.Context(), storage.UsageQuery{})
	errs = append(errs, err)
	j := NewJournal(s, JournalOptions{Log: slog.New(slog.NewTextHandler(&log, nil))})
	e := entryAt(noon, 1)
	errs = append(errs, j.Append(openedOf(e)), j.Close())
	do(t, s.Close())
	for _, err := range errs {
		if strings.Contains(fmt.Sprintf("%v %+v", err, err), canary) {
			t.Errorf("the error shows the password: %q", err)
		}
	}
	if log.Len() == 0 || strings.Contains(log.String(), canary) {
		t.Errorf("the log is empty or shows the password: %q", log.String())
	}
	if said := fmt.Sprintf("%+v", Options{URL: storage.NewSecret(u)}); strings.Contains(said, canary) {
		t.Errorf("the options show the password: %q", said)
	}
}

// Each pool has its own limits, and all of them the schema.
func TestSettings(t *testing.T) {
	s := fresh(t)
	f := func(name string, conn interface {
		QueryRow(context.Context, string, ...any) pgx.Row
	}, setting, want string,
	) {
		t.Helper()
		var got string
		do(t, conn.QueryRow(t.Context(), `SELECT current_setting($1)`, setting).Scan(&got))
		if got != want {
			t.Errorf("%s of %s is %s, want %s", setting, name, got, want)
		}
	}
	f("nouns", s.nouns, "statement_timeout", "10s")
	f("writer", s.writer, "statement_timeout", "30s")
	f("queries", s.queries, "statement_timeout", "2min")
	f("nouns", s.nouns, "search_path", "aistrale")
	f("queries", s.queries, "jit", "off")
	f("writer", s.writer, "application_name", "aistrale")
}

// Several gateways in one database, each in its own schema.
func TestSchemaOfTheURL(t *testing.T) {
	address := storagetest.Postgres(t)
	a, b := openAt(t, address+"&search_path=one,public"), openAt(t, address+"&search_path=two")
	do(t, a.SetMeta(t.Context(), "who", "one"))
	do(t, a.Write(t.Context(), entriesAt(noon, 0, 3)))
	do(t, b.SetMeta(t.Context(), "who", "two"))
	do(t, b.Write(t.Context(), entriesAt(noon, 0, 5)))
	wantUsage(t, a, entriesAt(noon, 0, 3))
	wantUsage(t, b, entriesAt(noon, 0, 5))
	got, err := a.Meta(t.Context(), "who")
	if err != nil || got != "one" {
		t.Errorf("got %q, error %v", got, err)
	}
}

func TestCloseEnds(t *testing.T) {
	server := storagetest.PostgresServer(t)
	server.Stop(t)
	s, err := Open(t.Context(), Options{URL: storage.NewSecret(server.URL)})
	do(t, err)
	var wg sync.WaitGroup
	for range 2 { // closing twice is closing once
		wg.Go(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

package main

import (
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/sqlite"
)

func TestUserCommands(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.in = "correct horse battery\n"
	d.must("user", "create", "ada@example.com", "--role", "admin")
	d.refuses(1, "already exists", "user", "create", "ada@example.com", "--role", "admin")
	d.refuses(1, "last user who is an admin", "user", "disable", "ada@example.com")
	d.refuses(1, "role", "user", "create", "eve", "--role", "god")
	d.must("user", "create", "grace@example.com", "--no-password", "--role", "viewer", "--workspace", "team")
	d.must("user", "role", "grace@example.com", "admin")
	d.must("user", "remove", "ada@example.com")
	if list := d.must("user", "list"); strings.Contains(list, "ada") || !strings.Contains(list, "*=admin,team=viewer") {
		t.Fatalf("the list says\n%s", list)
	}
	rows := flat(t, d.must("user", "list", "--json"))
	if len(rows) != 1 || rows[0]["name"] != "grace@example.com" {
		t.Fatalf("got %v", rows)
	}
	d.hides("correct horse battery")
}

// remote serves the API of a desk's store, and gives another desk, a token, and where the API is.
func remote(t *testing.T) (far, near *desk, address, token string) {
	t.Helper()
	far = newDesk(t)
	home := t.TempDir()
	near = &desk{t: t, dir: home, vars: map[string]string{"AISTRALE_DATA_DIR": "/nonexistent", "HOME": home}, now: far.now}
	config, err := loadConfig("", func(name string) string { return far.vars[name] })
	if err != nil {
		t.Fatal(err)
	}
	s := &store{nounStore: far.store(), env: environment{Now: func() time.Time { return near.now }}}
	plane, err := newControl(s, config, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	books, err := sqlite.OpenLedger(t.Context(), filepath.Join(far.dir, sqlite.LedgerFileName))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = books.Close() })
	server := httptest.NewServer(plane.api(func() *Config { return config }, books))
	t.Cleanup(server.Close)
	made, text := storage.NewAdminToken("root", near.now)
	if err := s.AddAdminToken(t.Context(), made); err != nil {
		t.Fatal(err)
	}
	return far, near, server.URL, text.Reveal()
}

// The same commands ask a running gateway, with a token.
func TestUserCommands_Remote(t *testing.T) {
	t.Parallel()
	_, near, address, token := remote(t)
	near.refuses(2, "AISTRALE_ADMIN_TOKEN", "user", "list", "--url", address)
	near.vars["AISTRALE_ADMIN_URL"], near.vars["AISTRALE_ADMIN_TOKEN"] = address, token
	near.must("user", "create", "ada@example.com", "--no-password", "--role", "admin")
	if list := near.must("user", "list"); !strings.Contains(list, "ada@example.com") {
		t.Fatalf("the list says\n%s", list)
	}
	near.vars["AISTRALE_ADMIN_TOKEN"] = "wrong"
	near.refuses(1, "not known", "user", "list")
	if strings.Contains(near.printed.String(), token) {
		t.Fatal("the token was printed")
	}
}

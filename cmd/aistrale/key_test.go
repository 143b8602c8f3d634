package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

func TestKeyCommands(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	server := d.store()
	before, err := server.Version(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	text := strings.TrimSuffix(d.must("key", "create", "ci", "--models", "anthropic/*, fast", "--expires=720h", "--owner", "ada@example.com", "--tags", "a,b"), "\n")
	id, ok := storage.ParseKey(text)
	if !ok || !strings.Contains(d.err.String(), id) {
		t.Fatalf("stdout %q, stderr %q; want a bare key, and its id beside it", text, d.err.String())
	}
	if after, err := server.Version(t.Context()); err != nil || after == before {
		t.Fatalf("a running server sees nothing: version %d, error %v", after, err)
	}
	keys, err := server.Keys(t.Context())
	if err != nil || len(keys) != 1 {
		t.Fatalf("%d keys, error %v", len(keys), err)
	}
	k := keys[0]
	if !k.Matches([]byte(text), time.Time{}) || k.ID != id || k.Owner != "ada@example.com" ||
		strings.Join(k.Models, " ") != "anthropic/* fast" || strings.Join(k.Tags, " ") != "a b" || !k.ExpiresAt.Equal(d.now.Add(720*time.Hour)) {
		t.Fatalf("got %+v", k)
	}

	d.printed.Reset() // the key was to be shown that once
	d.refuses(1, "already exists", "key", "create", "ci")
	if list := d.must("key", "list"); !strings.Contains(list, id) || !strings.Contains(list, "active") || !strings.Contains(list, "anthropic/*,fast") {
		t.Errorf("the list says\n%s", list)
	}
	if said := d.must("key", "revoke", "ci"); !strings.Contains(said, id) {
		t.Errorf("said %q", said)
	}
	d.refuses(1, "not found", "key", "revoke", "ci")
	d.must("key", "create", "ci")
	d.hides(text[len(text)-43:])
}

func TestKeyJSON(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	if got := d.must("key", "list", "--json"); got != "[]\n" {
		t.Fatalf("an empty list is %q", got)
	}
	made := flat(t, d.must("key", "create", "--json", "ci", "--allow", "speed"))
	if len(made) != 1 || d.err.Len() > 0 {
		t.Fatalf("%d rows, stderr %q", len(made), d.err.String())
	}
	text, _ := made[0]["key"].(string)
	if id, ok := storage.ParseKey(text); !ok || id != made[0]["id"] {
		t.Fatalf("got %v", made[0])
	}
	d.printed.Reset()

	f := func(want map[string]any, args ...string) {
		t.Helper()
		rows := flat(t, d.must(args...))
		if len(rows) != 1 {
			t.Fatalf("%d rows", len(rows))
		}
		for name, value := range want {
			if rows[0][name] != value {
				t.Errorf("%q: %s is %v, want %v", args, name, rows[0][name], value)
			}
		}
		if _, ok := rows[0]["key"]; ok {
			t.Errorf("%q shows the key again", args)
		}
	}
	f(map[string]any{
		"id": made[0]["id"], "name": "ci", "state": "active", "models": "*", "allow": "speed", "tags": "",
		"workspace": "default", "project": "default", "owner": "", "created_at": "2026-01-02T03:04:05Z",
		"expires_at": nil, "revoked_at": nil, "old_until": nil,
	}, "key", "list", "--json")
	d.now = d.now.Add(time.Hour)
	// Who revokes a leaked key has its text at hand, and may paste all of it.
	f(map[string]any{"state": "revoked", "revoked_at": "2026-01-02T04:04:05Z"}, "key", "revoke", text, "--json")
	f(map[string]any{"state": "revoked"}, "key", "list", "--json")
	d.hides(text)
}

// A key in the store may have all that one in the configuration may.
func TestKeySettings(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	write := func(text string) string {
		path := filepath.Join(t.TempDir(), "key.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	all := write(`
models: [fast, smart]
tags: [a]
owner: ada
project: search
deny: [service_tier]
deny_models: ["openai/*"]
allow_providers: [anthropic, openai]
deny_providers: [groq]
timeouts: {first_byte: 2s, total: 1m}
defaults: {temperature: 0.5}
force: {user: null}
priority: 3
sticky: session
cache: 1h
`)
	d.must("key", "create", "ci", "--settings", all, "--models", "fast", "--owner", "bob")
	keys, err := d.store().Keys(t.Context())
	if err != nil || len(keys) != 1 {
		t.Fatalf("%d keys, error %v", len(keys), err)
	}
	k := keys[0]
	if strings.Join(k.Models, " ") != "fast" || k.Owner != "bob" || k.Project != "search" || strings.Join(k.Tags, " ") != "a" {
		t.Errorf("a flag goes before the file, and the file before what is usual: %+v", k)
	}
	const want = `{"deny":["service_tier"],"deny_models":["openai/*"],"allow_providers":["anthropic","openai"],"deny_providers":["groq"],` +
		`"timeouts":{"first_byte":"2s","total":"1m0s"},"defaults":{"temperature":0.5},"force":{"user":null},"priority":3,"sticky":"session","cache":"1h0m0s"}`
	if row := flat(t, d.must("key", "list", "--json"))[0]; row["settings"] != want {
		t.Errorf("settings are %s\nwant %s", row["settings"], want)
	}
	f := func(want, text string) {
		t.Helper()
		d.refuses(1, want, "key", "create", "other", "--settings", write(text))
	}
	f("key.yaml:1: stickyness: unknown key", "stickyness: session")
	f("is no setting", "key: sk-ais-12345678-0123456789012345678901234567890123456789012")
	f("no provider", "deny_providers: [nobody]")
	f("is no governed field", "deny: [temperature]")
	d.refuses(2, "sticky", "key", "create", "other", "--settings", write("sticky: always"))
	d.refuses(1, "--settings", "key", "create", "other", "--settings", filepath.Join(d.dir, "none.yaml"))
}

// A key's text is rotated and its settings are changed, here or on a running gateway.
func TestKeyUpdate(t *testing.T) {
	t.Parallel()
	far, near, address, token := remote(t)
	near.vars["AISTRALE_ADMIN_URL"], near.vars["AISTRALE_ADMIN_TOKEN"] = address, token
	for _, d := range []*desk{far, near} {
		name := map[bool]string{true: "here", false: "there"}[d == far]
		file := filepath.Join(t.TempDir(), "key.yaml")
		if err := os.WriteFile(file, []byte("priority: 3\ncache: 1h\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		old := strings.TrimSpace(d.must("key", "create", name, "--settings", file, "--models", "fast", "--tags", "a"))
		d.must("key", "update", name, "--tags", "", "--owner", "ada", "--expires", "1h")
		row := flat(t, d.must("key", "show", name, "--json"))[0]
		if row["tags"] != "" || row["owner"] != "ada" || row["models"] != "fast" || !strings.Contains(row["settings"].(string), "1h0m0s") {
			t.Errorf("what nothing was said of is changed: %v", row)
		}
		if err := os.WriteFile(file, []byte("{}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		d.must("key", "update", name, "--settings", file)
		if shown := d.must("key", "show", name); strings.Contains(shown, "cache") {
			t.Errorf("settings are not replaced:\n%s", shown)
		}
		young := strings.TrimSpace(d.must("key", "rotate", name, "--overlap", "30m"))
		keys, err := far.store().Keys(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		k := keys[slices.IndexFunc(keys, func(k storage.Key) bool { return k.Name == name })]
		if young == old || !k.Matches([]byte(old), d.now) || k.Matches([]byte(old), d.now.Add(time.Hour)) || !k.Matches([]byte(young), d.now.Add(59*time.Minute)) {
			t.Errorf("%s: the overlap is not what was asked for", name)
		}
		d.refuses(2, "nothing is to be changed", "key", "update", name)
		d.refuses(1, "not found", "key", "rotate", "nobody")
		if list := d.must("key", "list", "--state", "active", "--owner", "ada", "--workspace", "default"); !strings.Contains(list, name) {
			t.Errorf("the list says\n%s", list)
		}
		d.must("key", "revoke", young)
	}
}

func TestKeyExpired(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.must("key", "create", "ci", "--expires", "1h")
	d.now = d.now.Add(time.Hour)
	if rows := flat(t, d.must("key", "list", "--json")); rows[0]["state"] != "expired" {
		t.Fatalf("got %v", rows[0])
	}
}

func TestKeyUsage(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	f := func(want string, args ...string) { t.Helper(); d.refuses(2, want, args...) }
	f("usage:", "key")
	f("no such command", "key", "make")
	f("0 words where 1", "key", "create")
	f("2 words where 1", "key", "create", "a", "b")
	f("not defined", "key", "create", "a", "--modles", "x")
	f("--expires", "key", "create", "a", "--expires", "-1h")
	f("expires", "key", "create", "a", "--expires", "soon")
	f("a/b", "key", "create", "a/b")
	f("models", "key", "create", "a", "--models", "x,,y")
	f("1 words where 0", "key", "list", "a")
	f("0 words where 1", "key", "revoke")
	d.refuses(1, "not found", "key", "create", "a", "--workspace", "elsewhere")
	d.refuses(1, "--config", "key", "list", "--config", filepath.Join(d.dir, "none.yaml"))
	for _, args := range [][]string{{"key", "--help"}, {"key", "create", "-h"}, {"key", "list", "--help"}, {"key", "revoke", "x", "--help"}} {
		if said := d.must(args...); !strings.HasPrefix(said, "usage: aistrale key") {
			t.Errorf("%q prints %q", args, said)
		}
	}
}

func TestKeyWithConfig(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	delete(d.vars, "AISTRALE_DATA_DIR")
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte("data_dir: "+d.dir+"\nproviders: [{name: mock}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.must("key", "create", "ci", "--config", file)
	keys, err := d.store().Keys(t.Context())
	if err != nil || len(keys) != 1 {
		t.Fatalf("%d keys, error %v", len(keys), err)
	}
}

// A command that is interrupted fails, rather than half working.
func TestKeyInterrupted(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	env := environment{
		Getenv: func(name string) string { return d.vars[name] },
		Stdin:  strings.NewReader(""), Stdout: &d.out, Stderr: &d.err, Now: func() time.Time { return d.now },
	}
	if err := keyCreate(ctx, env, []string{"ci"}); err == nil || d.out.Len() > 0 {
		t.Fatalf("error %v, printed %q", err, d.out.String())
	}
}

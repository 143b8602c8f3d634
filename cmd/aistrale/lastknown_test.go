package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

func TestLastKnown(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	url := storage.NewSecret("postgres://u:" + canary + "@127.0.0.1:5432/db?search_path=a&sslmode=disable")
	l := newLastKnown(dir, url)
	if _, _, err := l.load(); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("error %v", err)
	}

	now := time.Date(2026, 1, 2, 3, 4, 5, 678_000, time.UTC)
	key, text := storage.NewKey("ci", now)
	key.RevokedAt, key.Allow, key.Tags = &now, []string{}, []string{}
	key.Deny, key.Sticky, key.Priority, key.Cache = []string{"speed"}, "session", 2, time.Minute
	key.Timeouts = storage.KeyTimeouts{FirstByte: time.Second, StreamIdle: time.Minute, Total: time.Hour}
	key.Parameters = storage.Parameters{Defaults: []storage.Parameter{{Name: "seed", Value: []byte("1")}}, Force: []storage.Parameter{{Name: "user", Value: []byte("null")}}}
	input := int64(1)
	price := storage.Price{Provider: "mine", Model: "llama", Rates: []storage.Rate{{Input: &input}}}
	price.ID = price.MakeID()
	want := &nouns{
		Keys:        []storage.Key{key},
		Credentials: []storage.Credential{{ID: "r", Name: "openai", Sealed: []byte{0, 1, 2}, CreatedAt: now, LastUsedAt: &now}},
		DataKeys:    []storage.DataKey{{ID: "dk-1", Wrapped: []byte{3, 0xff}, CreatedAt: now}},
		Prices:      []storage.Price{price},
		Workspaces:  []storage.Tenant{{Name: "team", Settings: []byte(`{}`), Revision: 1, CreatedAt: now}},
		Projects:    []storage.Tenant{{Workspace: "team", Name: "search", Settings: []byte(`{"limits":[{"concurrent":1}]}`), Revision: 1, CreatedAt: now}},
		Prompts:     []storage.Document{{Kind: storage.Kind{Name: "prompt", Served: true}, Workspace: "team", ID: "greeting", Body: []byte(`{"latest":1}`), Revision: 2, CreatedAt: now, UpdatedAt: now}},
		LogRules:    []storage.Document{{Kind: storage.LogRuleKind(), ID: "level", Body: []byte(`{"Level":"debug"}`), Revision: 1, CreatedAt: now, UpdatedAt: now}},
	}
	for range 2 { // the second replaces the first
		if err := l.save(want, now); err != nil {
			t.Fatal(err)
		}
	}
	got, saved, err := l.load()
	if err != nil || !saved.Equal(now) || !reflect.DeepEqual(got, want) {
		t.Fatalf("got %+v of %s, %v\nwant %+v", got, saved, err, want)
	}
	if !got.Keys[0].Matches([]byte(text.Reveal()), time.Time{}) {
		t.Error("the key does not know its text any more")
	}

	names, err := os.ReadDir(dir)
	if err != nil || len(names) != 1 {
		t.Fatalf("%v, %v: want one file", names, err)
	}
	info, err := os.Stat(l.path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	b, err := os.ReadFile(l.path)
	if err != nil || bytes.Contains(b, []byte(canary)) || bytes.Contains(b, []byte(text.Reveal()[len("sk-ais-12345678-"):])) {
		t.Errorf("a secret stands in the file, %v", err)
	}
}

// A copy that is of another database, or is broken, is not served by.
func TestLastKnown_refuses(t *testing.T) {
	t.Parallel()
	const mine = "postgres://u:p@h:1/db"
	f := func(url string, change func([]byte) []byte, accepted bool) {
		t.Helper()
		dir := t.TempDir()
		l := newLastKnown(dir, storage.NewSecret(mine))
		if err := l.save(&nouns{}, time.Time{}); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(l.path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(l.path, change(b), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := newLastKnown(dir, storage.NewSecret(url)).load(); (err == nil) != accepted || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: error %v", url, err)
		}
	}
	same := func(b []byte) []byte { return b }
	f(mine, same, true)
	f("postgres://other:q@h:1/db?sslmode=disable", same, true) // the same database by another user
	f("postgres://u:p@h:2/db", same, false)
	f("postgres://u:p@h:1/db2", same, false)
	f("postgres://u:p@h:1/db?search_path=x", same, false)
	f(mine, func(b []byte) []byte { return b[:len(b)/2] }, false)
	f(mine, func([]byte) []byte { return nil }, false)
	f(mine, func([]byte) []byte { return []byte("{}") }, false)
}

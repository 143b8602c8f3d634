package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/storagetest"
)

func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	file := filepath.Join(t.TempDir(), "b.tar")
	text := strings.TrimSpace(d.must("key", "create", "ci"))
	d.in = canary
	d.must("credential", "add", "openai")
	d.spent(entryAt(d.now.Add(-time.Hour), 1, "gpt", 19, 42))
	d.hides(canary)
	running := d.store() // a gateway that has the store open

	if said := d.must("backup", file); !strings.Contains(said, "master key is not in it") {
		t.Errorf("said %q", said)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	d.refuses(1, "exists", "backup", file)
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(file), "*")); err != nil || len(left) != 1 {
		t.Errorf("left beside it: %q, %v", left, err)
	}
	if keys, err := running.Keys(t.Context()); err != nil || len(keys) != 1 {
		t.Errorf("the running gateway has %d keys, %v", len(keys), err)
	}
	b, err := os.ReadFile(file)
	if err != nil || bytes.Contains(b, []byte(canary)) || bytes.Contains(b, []byte(text[len(text)-43:])) {
		t.Errorf("a secret stands in the backup, %v", err)
	}
	d.refuses(1, "is not empty", "restore", file)

	// The master key, which is kept elsewhere, comes first.
	other := newDesk(t)
	key, err := os.ReadFile(filepath.Join(d.dir, masterKeyName))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.MkdirAll(other.dir, 0o700), os.WriteFile(filepath.Join(other.dir, masterKeyName), key, 0o600)); err != nil {
		t.Fatal(err)
	}
	rows := flat(t, other.must("restore", file, "--json"))
	if len(rows) != 2 || rows[0]["name"] != "aistrale.db" || rows[1]["name"] != "ledger.db" || rows[0]["store"] != "sqlite" || rows[0]["schema"] == 0.0 {
		t.Errorf("restored %v", rows)
	}
	if got, want := other.must("key", "list"), d.must("key", "list"); got != want {
		t.Errorf("keys are\n%swere\n%s", got, want)
	}
	if got, want := other.must("usage", "rows", "--json"), d.must("usage", "rows", "--json"); got != want || strings.Count(got, `"request_id"`) != 1 {
		t.Errorf("rows are\n%swere\n%s", got, want)
	}
	if got := other.opened("https://api.openai.com"); got != canary {
		t.Errorf("the credential is %q", got)
	}
	if left, err := filepath.Glob(filepath.Join(other.dir, ".restore-*")); err != nil || len(left) > 0 {
		t.Errorf("left: %q, %v", left, err)
	}
	other.refuses(1, "is not empty", "restore", file)
}

// What is no whole backup leaves the data folder as it was.
func TestRestore_refuses(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	file := filepath.Join(t.TempDir(), "b.tar")
	d.must("key", "create", "ci")
	d.must("backup", file)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	f := func(want string, b []byte, vars ...string) {
		t.Helper()
		other := newDesk(t)
		for i := 0; i < len(vars); i += 2 {
			other.vars[vars[i]] = vars[i+1]
		}
		path := filepath.Join(t.TempDir(), "bad.tar")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		other.refuses(1, want, "restore", path)
		if left, err := os.ReadDir(other.dir); err == nil && len(left) > 0 {
			t.Errorf("%s: left %v", want, left)
		}
	}
	f("it is no backup of aistrale", nil)
	f("it is no backup of aistrale", []byte("hello"))
	f("unexpected EOF", whole[:len(whole)/2])
	f("ledger.db is missing", whole[:bytes.Index(whole, []byte("ledger.db\x00"))])
	flipped := bytes.Clone(whole)
	flipped[bytes.LastIndex(flipped, []byte("SQLite format 3"))+200] ^= 1
	f("ledger.db is damaged", flipped)
	f("it is of sqlite, and the configuration names postgres", whole, "AISTRALE_STORAGE_POSTGRES", "postgres://127.0.0.1:1/db")
	f("format 2", repack(t, whole, func(name string, b []byte) (string, []byte) {
		return name, bytes.Replace(b, []byte(`"format": 1`), []byte(`"format": 2`), 1)
	}))
	f("does not hold", repack(t, whole, func(name string, b []byte) (string, []byte) {
		return name, bytes.Replace(b, []byte("ledger.db"), []byte("../../x.b"), 1)
	}))
	f("is not what manifest.json says", repack(t, whole, func(name string, b []byte) (string, []byte) {
		if name == "ledger.db" {
			name = "../x.db"
		}
		return name, b
	}))
}

// A backup of PostgreSQL is made beside gateways that use it, and fills an empty database.
func TestBackupAndRestore_postgres(t *testing.T) {
	t.Parallel()
	d, other := newDesk(t), newDesk(t)
	d.vars["AISTRALE_STORAGE_POSTGRES"], other.vars["AISTRALE_STORAGE_POSTGRES"] = storagetest.Postgres(t), storagetest.Postgres(t)
	d.vars[masterKeyEnv] = storage.NewMasterKey().Reveal()
	file := filepath.Join(t.TempDir(), "b.tar")
	text := strings.TrimSpace(d.must("key", "create", "ci"))
	d.in = canary
	d.must("credential", "add", "openai")
	config, nouns := d.nouns()
	ledger, err := openLedger(t.Context(), config, nouns)
	if err != nil {
		t.Fatal(err)
	}
	if err := ledger.Write(t.Context(), []storage.Entry{entryAt(d.now.Add(-time.Hour), 1, "gpt", 19, 42)}); err != nil {
		t.Fatal(err)
	}

	if said := d.must("backup", file); !strings.Contains(said, "of postgres backed up") {
		t.Errorf("said %q", said)
	}
	whole, err := os.ReadFile(file)
	if err != nil || bytes.Contains(whole, []byte(canary)) || bytes.Contains(whole, []byte(text[len(text)-43:])) {
		t.Errorf("a secret stands in the backup, %v", err)
	}
	f := func(want string, b []byte) {
		t.Helper()
		bad := filepath.Join(t.TempDir(), "bad.tar")
		if err := os.WriteFile(bad, b, 0o600); err != nil {
			t.Fatal(err)
		}
		other.refuses(1, want, "restore", bad)
	}
	f("unexpected EOF", whole[:bytes.Index(whole, []byte("openai"))])
	f("end is missing", whole[:bytes.LastIndex(whole, []byte("end\x00"))])
	flipped := bytes.Clone(whole)
	flipped[bytes.Index(flipped, []byte("openai"))] ^= 1
	f("credentials is damaged", flipped)

	other.must("restore", file)
	for _, args := range [][]string{{"key", "list"}, {"credential", "list"}, {"usage", "rows", "--json"}, {"usage", "--by", "model", "--json"}} {
		got, want := other.must(args...), d.must(args...)
		if got != want || !strings.Contains(got, "ci") && !strings.Contains(got, "openai") && !strings.Contains(got, "gpt") {
			t.Errorf("%q says\n%swas\n%s", args, got, want)
		}
	}
	other.refuses(1, "is not empty", "restore", file)
	other.vars["AISTRALE_STORAGE_POSTGRES"] = ""
	other.refuses(1, "it is of postgres, and the configuration names sqlite", "restore", file)
}

// repack changes the files of a tar file.
func repack(t *testing.T, whole []byte, change func(name string, b []byte) (string, []byte)) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for r := tar.NewReader(bytes.NewReader(whole)); ; {
		head, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		b, err2 := io.ReadAll(r)
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		name, b := change(head.Name, b)
		if err := addToTar(w, name, time.Time{}, b); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	rows := flat(t, d.must("migrate", "--json"))
	if len(rows) != 2 || rows[0]["store"] != "aistrale.db" || rows[1]["store"] != "ledger.db" {
		t.Fatalf("got %v", rows)
	}
	for _, row := range rows {
		if v, ok := row["schema"].(float64); !ok || v < 1 {
			t.Errorf("got %v", row)
		}
	}
	if again := flat(t, d.must("migrate", "--json")); again[0]["schema"] != rows[0]["schema"] {
		t.Errorf("a second time: %v", again)
	}
	if said := d.must("migrate"); !strings.HasPrefix(said, "STORE") || !strings.Contains(said, filepath.Join(d.dir, "ledger.db")) {
		t.Errorf("said %q", said)
	}
}

func TestBackup_wrong(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	f := func(code int, want string, args ...string) { t.Helper(); d.refuses(code, want, args...) }
	f(2, "0 words where 1", "backup")
	f(2, "2 words where 1", "backup", "a", "b")
	f(2, "0 words where 1", "restore")
	f(2, "1 words where 0", "migrate", "a")
	f(1, "no such file", "backup", filepath.Join(d.dir, "none", "b.tar"))
	f(1, "no such file", "restore", filepath.Join(d.dir, "none.tar"))
	for _, verb := range []string{"backup", "restore", "migrate"} {
		if said := d.must(verb, "--help"); !strings.HasPrefix(said, "usage: aistrale "+verb) {
			t.Errorf("%s prints %q", verb, said)
		}
	}
}

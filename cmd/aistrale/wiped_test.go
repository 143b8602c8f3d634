package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/storagetest"
)

// What a gateway had is lost with all of its store, and comes back from a backup: keys,
// credentials, users, prompts, the ledger and the audit log, which goes on where it was and
// verifies by a key and a checkpoint that were noted before.
func TestWipeAndRestore(t *testing.T) {
	t.Parallel()
	f := func(name string, postgres bool) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.vars[masterKeyEnv] = storage.NewMasterKey().Reveal()
			wipe := func() {
				if err := os.RemoveAll(d.dir); err != nil {
					t.Fatal(err)
				}
				if postgres {
					d.vars["AISTRALE_STORAGE_POSTGRES"] = storagetest.Postgres(t)
				}
			}
			wipe() // to begin with
			d.furnish()
			folder := t.TempDir()
			at := func(name string) string { return filepath.Join(folder, name) }
			note := func(name string, args ...string) {
				if err := os.WriteFile(at(name), []byte(d.must(args...)), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			note("key", "audit", "key")
			note("checkpoint", "audit", "checkpoint")
			told := d.tells()

			d.must("backup", at("b.tar"))
			wipe()
			if got := d.must("key", "list"); strings.Contains(got, "ci") {
				t.Fatalf("the store was not wiped: %s", got)
			}
			wipe()
			d.must("restore", at("b.tar"))
			for what, got := range d.tells() {
				if was := told[what]; got != was {
					t.Errorf("%s says\n%swas\n%s", what, got, was)
				}
			}
			if got := d.opened("https://api.openai.com"); got != canary {
				t.Errorf("the credential is %q", got)
			}
			d.must("user", "create", "after", "--no-password", "--role", "viewer")
			d.must("audit", "export", "--out", at("audit.jsonl"))
			d.must("audit", "verify", at("audit.jsonl"), "--key", at("key"), "--checkpoint", at("checkpoint"))
			if list := d.must("audit", "list", "--json"); !strings.Contains(list, "user/before") || !strings.Contains(list, "user/after") {
				t.Errorf("the audit log does not go on: %s", list)
			}
		})
	}
	f("sqlite", false)
	f("postgres", true)
}

// furnish puts one of everything into a desk's store.
func (d *desk) furnish() {
	d.t.Helper()
	d.must("key", "create", "ci")
	d.in = canary
	d.must("credential", "add", "openai")
	d.in = ""
	d.must("user", "create", "before", "--no-password", "--role", "viewer")
	file := filepath.Join(d.t.TempDir(), "greeting.json")
	text := `{"messages":[{"role":"system","content":"Greet {{name}}."}],"model":"mock/gpt","variables":{"name":{"type":"string"}}}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
	d.must("prompt", "create", "greeting", "--file", file, "--label", "production")
	config, nouns := d.nouns()
	ledger, err := openLedger(d.t.Context(), config, nouns)
	if err != nil {
		d.t.Fatal(err)
	}
	defer ledger.Close()
	if err := ledger.Write(d.t.Context(), []storage.Entry{entryAt(d.now.Add(-time.Hour), 1, "gpt", 19, 42)}); err != nil {
		d.t.Fatal(err)
	}
}

// tells is what a desk's store says of all that it has, by command.
func (d *desk) tells() map[string]string {
	d.t.Helper()
	told := map[string]string{}
	for _, args := range [][]string{
		{"key", "list"}, {"credential", "list"}, {"user", "list"}, {"prompt", "list"}, {"prompt", "show", "greeting@production"},
		{"prompt", "render", "greeting", "--var", "name=Ada"}, {"usage", "rows", "--json"}, {"usage", "--by", "model", "--json"}, {"audit", "list", "--json"},
	} {
		said := d.must(args...)
		if len(said) < 20 {
			d.t.Errorf("%q says %q", args, said)
		}
		told[strings.Join(args, " ")] = said
	}
	return told
}

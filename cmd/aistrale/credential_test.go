package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/storage"
)

// opened gives the secret of the only credential, as a server would open it.
func (d *desk) opened(baseURL string) string {
	d.t.Helper()
	wrapper, err := loadMasterKey(func(name string) string { return d.vars[name] }, &Config{DataDir: d.dir, Developer: true})
	if err != nil {
		d.t.Fatal(err)
	}
	_, store := d.nouns()
	keys, err := store.DataKeys(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	vault := storage.NewVault(wrapper)
	if err := vault.Load(d.t.Context(), keys); err != nil {
		d.t.Fatal(err)
	}
	all, err := store.Credentials(d.t.Context())
	if err != nil || len(all) != 1 {
		d.t.Fatalf("%d credentials, error %v", len(all), err)
	}
	secret, err := all[0].Open(vault, baseURL)
	if err != nil {
		d.t.Fatal(err)
	}
	return secret.Reveal()
}

func TestCredentialCommands(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.in = canary + "\r\n"
	if said := d.must("credential", "add", "openai"); !strings.Contains(said, "https://api.openai.com:443") {
		t.Errorf("said %q", said)
	}
	if got := d.opened("https://api.openai.com/v1"); got != canary {
		t.Error("another secret was stored")
	}
	if list := d.must("credential", "list"); !strings.Contains(list, "openai") || !strings.Contains(list, "ghij") {
		t.Errorf("the list says\n%s", list)
	}

	d.in, d.vars["MY_KEY"] = "", "another-secret-of-the-same-name"
	d.must("credential", "add", "openai", "--from-env", "MY_KEY", "--base-url", "http://10.0.0.7:8000/v1", "--provider", "mine")
	if got := d.opened("http://10.0.0.7:8000/v1"); got != d.vars["MY_KEY"] {
		t.Error("another secret was stored")
	}
	rows := flat(t, d.must("credential", "list", "--json"))
	if len(rows) != 1 || rows[0]["provider"] != "mine" || rows[0]["target"] != "http://10.0.0.7:8000" || rows[0]["last_used_at"] != nil {
		t.Fatalf("got %v", rows)
	}

	d.hides(canary)
	d.hides(d.vars["MY_KEY"])
	d.must("credential", "remove", "openai")
	d.refuses(1, "not found", "credential", "remove", "openai")
	if got := d.must("credential", "list", "--json"); got != "[]\n" {
		t.Fatalf("left: %q", got)
	}
}

func TestCredentialAddress(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "config.yaml")
	f := func(config, want string, args ...string) {
		t.Helper()
		d := newDesk(t)
		d.in, d.vars[masterKeyEnv] = canary, storage.NewMasterKey().Reveal()
		if err := os.WriteFile(file, []byte("data_dir: "+d.dir+"\n"+config), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append([]string{"credential", "add"}, append(args, "--config", file, "--json")...)
		if rows := flat(t, d.must(args...)); rows[0]["target"] != want {
			t.Errorf("%q: the target is %v, want %s", args, rows[0]["target"], want)
		}
		wantNote := strings.Contains(config, "api_key")
		if noted := strings.Contains(d.err.String(), "goes before"); noted != wantNote {
			t.Errorf("%q: stderr says %q", args, d.err.String())
		}
		d.hides(canary)
	}
	const mine = "providers: [{name: mine, dialect: openai, base_url: 'http://10.0.0.7:8000/v1'}]\n"
	f(mine, "http://10.0.0.7:8000", "mine")
	f(mine, "http://10.0.0.7:8000", "spare", "--provider", "mine")
	f(mine, "https://other.example.com:443", "mine", "--base-url", "https://other.example.com")
	f("providers: [{name: openai, base_url: 'https://eu.example.com/v1'}]\n", "https://eu.example.com:443", "openai")
	f("providers: [{name: openai, api_key: none}]\n", "https://api.openai.com:443", "openai")
	f("providers: [{name: mock}]\n", "https://generativelanguage.googleapis.com:443", "gemini")
}

func TestCredentialRefused(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	f := func(code int, want, stdin string, args ...string) {
		t.Helper()
		d.in = stdin
		d.refuses(code, want, append([]string{"credential"}, args...)...)
	}
	f(2, "usage:", "")
	f(2, "no such command", "", "create")
	f(1, "--base-url", canary, "add", "unheard-of")
	f(2, "credential", canary, "add", "a/b")
	f(1, "scheme", canary, "add", "mine", "--base-url", "ftp://example.com")
	f(1, "password", canary, "add", "mine", "--base-url", "https://user:"+canary+"@example.com")
	f(1, "empty", "", "add", "openai")
	f(1, "empty", " \n", "add", "openai")
	f(1, "header", "two lines\r\nx-evil: 1", "add", "openai")
	f(1, "header", "ключ", "add", "openai")
	f(1, "longer", strings.Repeat("a", maxSecret+1), "add", "openai")
	f(1, "NOT_SET", canary, "add", "openai", "--from-env", "NOT_SET")
	// A secret as an argument is refused, and not repeated on the screen.
	f(2, "2 words where 1", "", "add", "openai", canary)
	f(2, "not defined", "", "add", "openai", "--api-key", canary)
	f(2, "not defined", "", "add", "openai", "--api-key="+canary)
	if rows := flat(t, d.must("credential", "list", "--json")); len(rows) != 0 {
		t.Errorf("stored all the same: %v", rows)
	}
	d.hides(canary)
	if said := d.must("credential", "add", "--help"); !strings.HasPrefix(said, "usage: aistrale credential add") {
		t.Errorf("help is %q", said)
	}
}

func TestCredentialMasterKey(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte("data_dir: "+d.dir+"\nproviders: [{name: mock}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.in = canary
	add := func(name string) []string { return []string{"credential", "add", name, "--config", file} }
	d.refuses(1, masterKeyEnv, add("openai")...)
	d.vars[masterKeyEnv] = storage.NewMasterKey().Reveal()
	d.must(add("openai")...)

	right := d.vars[masterKeyEnv]
	d.vars[masterKeyEnv] = storage.NewMasterKey().Reveal()
	d.refuses(1, "wrong master key", add("groq")...)
	d.vars[masterKeyEnv] = right // nothing is lost, and nothing was added under the wrong key
	if got := d.opened("https://api.openai.com"); got != canary {
		t.Error("another secret comes out")
	}
	delete(d.vars, masterKeyEnv)
	d.must("credential", "list", "--config", file) // names need no key
	d.hides(right)
}

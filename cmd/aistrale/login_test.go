package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func (d *desk) profileFile() string {
	return filepath.Join(d.vars["HOME"], ".config", "aistrale", "config.yaml")
}

func (d *desk) has(path, text string) bool {
	d.t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		d.t.Fatal(err)
	}
	return strings.Contains(string(b), text)
}

func TestLogin_Token(t *testing.T) {
	t.Parallel()
	_, near, address, token := remote(t)
	near.refuses(2, "--url", "login")
	near.in = "wrong"
	near.refuses(1, "not known", "login", "--url", address)
	if _, err := os.Stat(near.profileFile()); err == nil {
		t.Fatal("a token that is no good was kept")
	}
	near.in = token + "\n"
	if said := near.must("login", "--url", address); !strings.Contains(said, "installation's own token (profile default)") {
		t.Errorf("said %q", said)
	}
	about, err := os.Stat(near.profileFile())
	if err != nil || about.Mode().Perm() != 0o600 {
		t.Fatalf("%v, error %v", about, err)
	}
	near.must("user", "create", "ada", "--no-password", "--role", "admin")
	near.must("user", "list", "--profile", "default")
	near.refuses(1, `no profile "prod"`, "user", "list", "--profile", "prod")
	near.refuses(2, "give one of them", "user", "list", "--profile", "default", "--config", "x.yaml")
	// The profile's token goes to nobody else.
	near.refuses(2, "an API token is needed for http://127.0.0.1:1", "user", "list", "--url", "http://127.0.0.1:1")

	if err := os.Chmod(near.profileFile(), 0o640); err != nil {
		t.Fatal(err)
	}
	near.refuses(1, "mode 0640", "user", "list")
	if err := os.Chmod(near.profileFile(), 0o600); err != nil {
		t.Fatal(err)
	}
	near.must("logout")
	if near.has(near.profileFile(), token) {
		t.Error("the token is still in the file")
	}
	near.refuses(1, "not signed in", "logout")
	near.vars["AISTRALE_ADMIN_URL"], near.vars["AISTRALE_ADMIN_TOKEN"] = address, token
	near.must("user", "list") // it was not login that made it, so it is still good
	near.hides(token)
	near.hidden = nil
}

// With a password login makes a token of its own, and logout ends it.
func TestLogin_Password(t *testing.T) {
	t.Parallel()
	far, near, address, token := remote(t)
	near.vars["AISTRALE_ADMIN_URL"], near.vars["AISTRALE_ADMIN_TOKEN"] = address, token
	near.in = "correct horse battery"
	near.must("user", "create", "ada@example.com", "--role", "admin")
	delete(near.vars, "AISTRALE_ADMIN_URL")
	delete(near.vars, "AISTRALE_ADMIN_TOKEN")
	near.vars["PASSWORD"] = "correct horse battery"
	near.must("login", "--url", address+"/", "--user", "ada@example.com", "--from-env", "PASSWORD", "--profile", "prod")
	if list := near.must("user", "list"); !strings.Contains(list, "ada@example.com") {
		t.Errorf("the list says\n%s", list)
	}
	tokens, err := far.store().AdminTokens(t.Context())
	if err != nil || len(tokens) != 2 {
		t.Fatalf("%d tokens, error %v", len(tokens), err)
	}
	near.must("logout", "--profile", "prod")
	if tokens, err = far.store().AdminTokens(t.Context()); err != nil {
		t.Fatal(err)
	}
	revoked := 0
	for _, k := range tokens {
		if k.RevokedAt != nil {
			revoked++
		}
	}
	if revoked != 1 {
		t.Errorf("%d tokens are revoked, want login's alone", revoked)
	}
	if strings.Contains(near.printed.String(), "correct horse") {
		t.Error("the password was printed")
	}
}

func TestTarget(t *testing.T) {
	d := &desk{t: t, vars: map[string]string{"HOME": t.TempDir()}}
	known := &profiles{path: d.profileFile(), Current: "a", Named: map[string]profile{
		"a": {URL: "http://a", Token: "token-a"}, "b": {URL: "http://b", Token: "token-b"},
	}}
	if err := known.save(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("token-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := func(wantURL, wantToken string, vars map[string]string, args ...string) {
		t.Helper()
		getenv := func(name string) string {
			if v, ok := vars[name]; ok {
				return v
			}
			return d.vars[name]
		}
		c := newControlCommand(environment{Getenv: getenv}, "usage:")
		if _, err := c.parse(args, 0); err != nil {
			t.Fatal(err)
		}
		at, err := c.target()
		if err != nil || at.URL != wantURL || at.Token != wantToken {
			t.Errorf("%q with %v: %s by %s, error %v; want %s by %s", args, vars, at.URL, at.Token, err, wantURL, wantToken)
		}
	}
	none := map[string]string{}
	env := map[string]string{"AISTRALE_ADMIN_URL": "http://env", "AISTRALE_ADMIN_TOKEN": "token-env"}
	f("http://a", "token-a", none)
	f("http://b", "token-b", map[string]string{"AISTRALE_PROFILE": "b"})
	f("http://b", "token-b", none, "--profile", "b")
	f("http://env", "token-env", env)
	f("http://b", "token-b", env, "--profile", "b")
	f("http://flag", "token-env", env, "--url", "http://flag")
	f("http://a", "token-a", none, "--url", "http://a")
	f("http://a", "token-file", none, "--token-file", file)
	f("http://a", "token-env", map[string]string{"AISTRALE_ADMIN_TOKEN": "token-env"})
	f("", "", env, "--config", "x.yaml")
	f("", "", map[string]string{"HOME": ""})
}

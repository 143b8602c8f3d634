package main_test

import (
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tidwall/gjson"
)

// anywhere is the head of a config that takes free ports.
const anywhere = "listen: \"127.0.0.1:0\"\nadmin_listen: \"127.0.0.1:0\"\n"

// masterKey makes a master key of one repeated byte.
func masterKey(b byte) string {
	return base64.StdEncoding.EncodeToString([]byte(strings.Repeat(string(rune(b)), 32)))
}

func TestProgram_exitCodes(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.write(t, "good.yaml", "providers: [{name: mock}]")
	p.write(t, "typo.yaml", "lisen: x\nproviders: [{name: mock}]")
	p.write(t, "tab.yaml", "listen: \":0\"\n\tadmin_listen: x\n")
	p.write(t, "file", "x")
	// out and errs are texts that stdout and stderr must hold; where one is empty, nothing may
	// have been printed there.
	f := func(code int, out, errs string, args ...string) {
		t.Helper()
		gotCode, gotOut, gotErrs := p.run(t, "", args...)
		says := func(got, want string) bool {
			return want == "" && got == "" || want != "" && strings.Contains(got, want)
		}
		if gotCode != code || !says(gotOut, out) || !says(gotErrs, errs) {
			t.Errorf("%q: %d %q %q, want %d %q %q", args, gotCode, gotOut, gotErrs, code, out, errs)
		}
	}
	f(2, "usage: aistrale COMMAND", "")
	f(0, "usage: aistrale COMMAND", "", "help")
	f(0, "usage: aistrale COMMAND", "", "--help")
	f(2, "", `unknown command "sevre"`, "sevre")
	f(0, "aistrale dev", "", "version")
	f(0, "aistrale dev", "", "--version")
	f(2, "", "usage: aistrale version", "version", "x")

	f(0, "usage: aistrale serve", "", "serve", "--help")
	f(2, "", "-cofig", "serve", "--cofig", "x")
	f(2, "", "usage: aistrale serve", "serve", "x")
	f(1, "", "--config: open none.yaml: no such file", "serve", "--config", "none.yaml")
	f(1, "", `typo.yaml:1: lisen: unknown key, did you mean "listen"?`, "serve", "--config", "typo.yaml")
	f(1, "", "tab.yaml:2: is not YAML", "serve", "--config", "tab.yaml")

	f(0, "OK\n", "", "check", "--config", "good.yaml")
	f(1, "", `did you mean "listen"?`, "check", "--config", "typo.yaml")
	f(2, "", "usage: aistrale check", "check")
	f(2, "", "usage: aistrale mock", "mock", "--what")
	f(1, "", "--listen", "mock", "--listen", "nowhere:x")
	f(0, "usage: aistrale key COMMAND", "", "key", "--help")
	f(2, "", "usage: aistrale key COMMAND", "key")
	f(1, "", `key "nobody": not found`, "key", "revoke", "nobody")
	f(2, "", "usage: aistrale credential COMMAND", "credential", "what")

	g := func(env, errs string) {
		t.Helper()
		p.env = append([]string{"AISTRALE_LISTEN=127.0.0.1:0", "AISTRALE_ADMIN_LISTEN=127.0.0.1:0"}, env)
		f(1, "", errs, "serve")
	}
	g("AISTRALE_DATA_DIR=file", "data_dir: mkdir")
	g("AISTRALE_DATA_DIR=/proc/nothing", "data_dir: mkdir /proc/nothing")
	g("AISTRALE_MASTER_KEY=short", "AISTRALE_MASTER_KEY: ")
	g("AISTRALE_LISTEN=8080", `AISTRALE_LISTEN: listen: "8080" is not an address`)
	g("OPENAI_API_KEY=sk a", "OPENAI_API_KEY: the secret has a space")
}

func TestServe_runsWhatTheFileSays(t *testing.T) {
	t.Parallel()
	up := newUpstream(t)
	p := newPlace(t, "UP_URL="+up.url, "AISTRALE_CI_KEY="+fullKey, "OPENAI_API_KEY=sk-of-the-environment", "AISTRALE_NODE=here")
	secret := p.write(t, "secret", "sk-of-the-file\n")
	g := p.serve(t, anywhere+`
data_dir: ./store
providers:
  - {name: up, dialect: openai, base_url: "${UP_URL}", api_key: "${file:`+secret+`}"}
  - {name: openai}
keys: [{name: ci, key: "${AISTRALE_CI_KEY}", project: "${PROJECT:-demo}"}]
aliases: {fast: [up/one]}
`)
	if status, body := g.chat(t, fullKey, "fast"); status != http.StatusOK || up.last() != "Bearer sk-of-the-file" {
		t.Errorf("%d %s with %q", status, body, up.last())
	}
	if status, body := g.chat(t, fullKey, "mock/gpt"); status != http.StatusNotFound || gjson.Get(body, "error.code").Str != "model_not_found" {
		t.Errorf("a provider that the file does not name: %d %s", status, body)
	}
	// The environment's keys are developer mode's alone.
	if status, body := g.chat(t, fullKey, "openai/gpt-4o-mini"); status != http.StatusBadGateway || gjson.Get(body, "error.code").Str != "provider_auth" {
		t.Errorf("a provider without a key: %d %s", status, body)
	}
	g.says(t, `"project":"demo"`)
	g.says(t, `"node":"here"`)
	for _, made := range []string{"sk-ais-", "ais-admin-", "AISTRALE is serving"} {
		if strings.Contains(g.out.String(), made) {
			t.Errorf("%q is printed", made)
		}
	}
	if keys := p.must(t, "", "key", "list", "--json", "--config", "aistrale.yaml"); keys != "[]" {
		t.Errorf("keys of the store: %s", keys)
	}
	if _, err := os.Stat(filepath.Join(p.dir, "store", "aistrale.db")); err != nil {
		t.Error(err)
	}

	p.env = nil
	code, out, errs := p.run(t, "", "serve", "--config", "aistrale.yaml")
	if code != 1 || out != "" || !strings.Contains(errs, "environment variable UP_URL is not set") || strings.Contains(errs, "sk-of-the-file") {
		t.Errorf("without its variables: %d %q %q", code, out, errs)
	}
}

// What other processes change in the store, a running server does.
func TestServe_besideCommands(t *testing.T) {
	t.Parallel()
	up := newUpstream(t)
	p := newPlace(t, "AISTRALE_MASTER_KEY="+masterKey('m'))
	g := p.serve(t, anywhere+`
providers: [{name: up, dialect: openai, base_url: "`+up.url+`"}, {name: mock}]
keys: [{name: ci, key: `+fullKey+`}]
`)
	const config = "--config=aistrale.yaml"

	key := p.must(t, "", "key", "create", "bob", config)
	g.turns(t, key, "mock/gpt", http.StatusOK)
	p.must(t, "", "key", "revoke", "bob", config)
	g.turns(t, key, "mock/gpt", http.StatusUnauthorized)
	if status, body := g.chat(t, key, "mock/gpt"); gjson.Get(body, "error.code").Str != "invalid_api_key" {
		t.Errorf("a revoked key: %d %s", status, body)
	}

	none := func() {
		t.Helper()
		status, header, body := do(t, g.request(t, fullKey, "up/one", ""))
		if status != http.StatusBadGateway || gjson.Get(body, "error.code").Str != "provider_auth" || header.Get("x-should-retry") != "false" {
			t.Errorf("without a credential: %d %v %s", status, header, body)
		}
	}
	none()
	if up.count() != 0 {
		t.Errorf("without a credential the upstream was asked %d times", up.count())
	}
	p.must(t, "sk-first-0123456789", "credential", "add", "up", config)
	g.turns(t, fullKey, "up/one", http.StatusOK)
	p.must(t, "sk-second-0123456789", "credential", "add", "up", config)
	eventually(t, "the new credential is sent", func() bool {
		g.chat(t, fullKey, "up/one")
		return up.last() == "Bearer sk-second-0123456789"
	})
	p.must(t, "", "credential", "remove", "up", config)
	g.turns(t, fullKey, "up/one", http.StatusBadGateway)
	none()
}

// A credential that cannot be opened stops calls to its provider, and nothing else.
func TestServe_masterKey(t *testing.T) {
	t.Parallel()
	up := newUpstream(t)
	p := newPlace(t, "AISTRALE_MASTER_KEY="+masterKey('m'))
	config := anywhere + `
providers: [{name: up, dialect: openai, base_url: "` + up.url + `"}, {name: mock}]
keys: [{name: ci, key: ` + fullKey + `}]
`
	p.write(t, "aistrale.yaml", config)
	p.must(t, "sk-sealed-0123456789", "credential", "add", "up", "--config=aistrale.yaml")
	f := func(name string, env []string, log string) {
		t.Helper()
		p.env = env
		before := up.count()
		g := p.serve(t, config)
		status, body := g.chat(t, fullKey, "up/one")
		if status != http.StatusBadGateway || gjson.Get(body, "error.code").Str != "provider_auth" || strings.Contains(body, "MASTER") {
			t.Errorf("%s: %d %s", name, status, body)
		}
		if up.count() != before {
			t.Errorf("%s: the upstream was asked without a credential", name)
		}
		if status, body := g.chat(t, fullKey, "mock/gpt"); status != http.StatusOK {
			t.Errorf("%s: another provider: %d %s", name, status, body)
		}
		for _, url := range []string{g.url + "/healthz", g.url + "/readyz", g.admin + "/healthz", g.admin + "/readyz"} {
			if status, body := get(t, url); status != http.StatusOK {
				t.Errorf("%s: %s: %d %s", name, url, status, body)
			}
		}
		g.says(t, log)
		g.stop(t)
		if strings.Contains(g.out.String(), "sk-sealed") || strings.Contains(g.out.String(), masterKey('w')) {
			t.Errorf("%s: the log shows a secret", name)
		}
	}
	f("no master key", nil, "no master key: set AISTRALE_MASTER_KEY")
	f("a wrong master key", []string{"AISTRALE_MASTER_KEY=" + masterKey('w')}, "wrong master key: AISTRALE_MASTER_KEY")

	p.env = []string{"AISTRALE_MASTER_KEY_FILE=" + p.write(t, "master", masterKey('m')+"\n")}
	g := p.serve(t, config)
	if status, body := g.chat(t, fullKey, "up/one"); status != http.StatusOK || up.last() != "Bearer sk-sealed-0123456789" {
		t.Errorf("the right master key: %d %s with %q", status, body, up.last())
	}
}

func TestServe_portInUse(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	f := func(knob, other string) {
		t.Helper()
		p := newPlace(t, knob+"="+taken.Addr().String(), other+"=127.0.0.1:0")
		code, out, errs := p.run(t, "", "serve")
		if code != 1 || out != "" || !strings.Contains(errs, "another program listens on "+taken.Addr().String()) || !strings.Contains(errs, knob) {
			t.Errorf("%d %q %q", code, out, errs)
		}
		// The first keys were not spent on a start that failed.
		p.env = []string{"AISTRALE_LISTEN=127.0.0.1:0", "AISTRALE_ADMIN_LISTEN=127.0.0.1:0"}
		g := p.begin(t, "serve")
		g.says(t, "virtual key   sk-ais-")
	}
	f("AISTRALE_LISTEN", "AISTRALE_ADMIN_LISTEN")
	f("AISTRALE_ADMIN_LISTEN", "AISTRALE_LISTEN")
}

func TestServe_listensOnIPv6(t *testing.T) {
	t.Parallel()
	if l, err := net.Listen("tcp", "[::1]:0"); err != nil {
		t.Skip("this machine has no IPv6 loopback")
	} else if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	p := newPlace(t)
	g := p.serve(t, fmt.Sprintf("listen: %q\nadmin_listen: %q\nproviders: [{name: mock}]\nkeys: [{name: ci, key: %s}]\n", "[::1]:0", "[::1]:0", fullKey))
	if status, body := g.chat(t, fullKey, "mock/gpt"); status != http.StatusOK {
		t.Errorf("%d %s", status, body)
	}
}

func TestMock_program(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	c := p.command(t, "mock", "--listen", "127.0.0.1:0")
	var out transcript
	c.Stdout, c.Stderr = &out, &out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var url string
	eventually(t, "the emulator listens", func() bool {
		_, after, ok := strings.Cut(out.String(), "listens on ")
		url, _, _ = strings.Cut(after, "\n")
		return ok
	})
	if status, body := get(t, url+"/bill"); status != http.StatusOK || !gjson.Valid(body) {
		t.Errorf("%d %s", status, body)
	}
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if err := c.Wait(); err != nil {
		t.Errorf("%v: %s", err, out.String())
	}
}

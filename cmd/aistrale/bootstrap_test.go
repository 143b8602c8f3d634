package main_test

import (
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/tidwall/gjson"
)

// developer is a place for developer mode on free ports.
func developer(t *testing.T, env ...string) *place {
	t.Helper()
	return newPlace(t, append(env, "AISTRALE_LISTEN=127.0.0.1:0", "AISTRALE_ADMIN_LISTEN=127.0.0.1:0")...)
}

var (
	printedKey   = regexp.MustCompile(`\bsk-ais-[0-9a-z]{8}-[0-9A-Za-z_-]{43}`)
	printedToken = regexp.MustCompile(`\bais-admin-[0-9a-z]{8}-[0-9A-Za-z_-]{43}`)
)

func TestDeveloper_firstStart(t *testing.T) {
	t.Parallel()
	p := developer(t)
	g := p.begin(t, "serve")
	g.says(t, `"content":"Hello!"`)
	said := g.out.String()
	key := printedKey.FindString(said)
	if key == "" || len(printedToken.FindAllString(said, -1)) != 1 {
		t.Fatalf("the first start says:\n%s", said)
	}
	pasted(t, said[strings.Index(said, "  curl "):])
	if status, body := g.chat(t, key, "mock/claude"); status != http.StatusOK {
		t.Errorf("%d %s", status, body)
	}
	modes(t, filepath.Join(p.dir, "data"))
	g.signal(t, syscall.SIGHUP) // there is no file to read; it must not end the program
	g.says(t, `"msg":"reloaded"`)
	g.stop(t)

	g = p.begin(t, "serve")
	g.says(t, "another key:")
	said = g.out.String()
	if printedKey.MatchString(said) || printedToken.MatchString(said) {
		t.Errorf("a later start shows keys:\n%s", said)
	}
	if status, body := g.chat(t, key, "mock/gemini"); status != http.StatusOK {
		t.Errorf("the first key at a later start: %d %s", status, body)
	}
	// What it says to do, done.
	_, command, _ := strings.Cut(said, "another key:")
	command, _, _ = strings.Cut(strings.TrimSpace(command), "\n")
	c := exec.Command("sh", "-c", strings.Replace(command, "NAME", "ann", 1))
	c.Dir, c.Env = p.dir, p.env
	another, err := c.Output()
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	g.turns(t, strings.TrimSpace(string(another)), "mock/gpt", http.StatusOK)
}

// pasted runs a command as a shell would that it is pasted into.
func pasted(t *testing.T, command string) {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("curl is missing")
		}
		t.Log("curl is missing: the printed command is not tried")
		return
	}
	out, err := exec.Command("sh", "-c", command).Output()
	if err != nil || gjson.GetBytes(out, "object").Str != "chat.completion" {
		t.Errorf("%s\n%v: %s", command, err, out)
	}
}

// modes checks that nobody else may read a data folder.
func modes(t *testing.T, dir string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return gone(err)
		}
		info, err := d.Info()
		if err != nil {
			return gone(err)
		}
		want := fs.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		} else {
			files++
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %o", path, info.Mode().Perm())
		}
		return nil
	})
	if err != nil || files == 0 {
		t.Fatalf("%d files, %v", files, err)
	}
}

// Keys of providers are taken from the environment, sealed, and replaced where they have changed.
func TestDeveloper_environment(t *testing.T) {
	t.Parallel()
	up := newUpstream(t)
	p := developer(t, `AISTRALE_PROVIDERS=[{name: openai, base_url: "`+up.url+`"}, {name: mock}]`)
	settings := p.env
	key := p.must(t, "", "key", "create", "test")
	f := func(want string, env ...string) {
		t.Helper()
		p.env = append(env, settings...)
		g := p.begin(t, "serve")
		status, body := g.chat(t, key, "openai/gpt-4o-mini")
		if status != http.StatusOK || up.last() != "Bearer "+want {
			t.Errorf("%d %s with %q, want %q", status, body, up.last(), want)
		}
		g.stop(t)
		if strings.Contains(g.out.String(), want) {
			t.Error("the log shows the provider's key")
		}
	}
	const first, second = "sk-environment-one-0123456789", "sk-environment-two-0123456789"
	f(first, "OPENAI_API_KEY="+first, "GOOGLE_API_KEY=google-key-aaaabbbbccccdddd-0123456789", "GROQ_API_KEY=gsk-0123456789", "HF_TOKEN=hf-0123456789", "ANTHROPIC_API_KEY= sk-ant-0123456789\n")
	f(first) // it is kept
	f(second, "OPENAI_API_KEY="+second, "GEMINI_API_KEY=gemini-key-aaaabbbbccccdddd-9876543210", "GOOGLE_API_KEY=google-key-aaaabbbbccccdddd-0123456789")
	f(second, "OPENAI_API_KEY="+second)
	var names, hints []string
	for _, c := range gjson.Parse(p.must(t, "", "credential", "list", "--json")).Array() {
		names, hints = append(names, c.Get("name").Str), append(hints, c.Get("hint").Str)
	}
	if got := strings.Join(names, " "); got != "anthropic gemini groq huggingface openai" {
		t.Errorf("credentials: %s", got)
	}
	if got := strings.Join(hints, " "); !strings.Contains(got, "3210") {
		t.Errorf("GEMINI_API_KEY does not go before GOOGLE_API_KEY: %s", got)
	}
	modes(t, filepath.Join(p.dir, "data"))
	for name, content := range contents(t, filepath.Join(p.dir, "data")) {
		for _, secret := range []string{first, second, "gemini-key-aaaabbbbccccdddd-9876543210", "sk-ant-0123456789"} {
			if strings.Contains(content, secret) {
				t.Errorf("%s holds %q", name, secret)
			}
		}
	}
}

// Who has made keys of that name before the first start gets the first keys all the same.
func TestDeveloper_nameTaken(t *testing.T) {
	t.Parallel()
	p := developer(t)
	p.must(t, "", "key", "create", "developer")
	p.must(t, "", "key", "create", "developer-2")
	g := p.begin(t, "serve")
	g.says(t, "virtual key   sk-ais-")
	key := printedKey.FindString(g.out.String())
	if status, body := g.chat(t, key, "mock/gpt"); status != http.StatusOK {
		t.Errorf("%d %s", status, body)
	}
	g.says(t, `"key":"developer-3"`)
}

package main_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// reloading gives a config whose only key's models tell one version from the next.
func reloading(models, more string) string {
	return anywhere + "providers: [{name: mock}]\nkeys: [{name: ci, key: " + fullKey + ", models: [" + models + "]}]\n" + more
}

// However a config file is changed, the change takes effect.
func TestReload_file(t *testing.T) {
	t.Parallel()
	f := func(name string, change func(t *testing.T, p *place, path, text string)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			path := filepath.Join(p.dir, "aistrale.yaml")
			lay(t, p, path, "1", reloading("mock/gpt", ""))
			g := p.begin(t, "serve", "--config", path)
			if status, body := g.chat(t, fullKey, "mock/claude"); status != http.StatusForbidden {
				t.Fatalf("before: %d %s", status, body)
			}
			change(t, p, path, reloading("mock/claude", ""))
			g.turns(t, fullKey, "mock/claude", http.StatusOK)
			if status, body := g.chat(t, fullKey, "mock/gpt"); status != http.StatusForbidden {
				t.Errorf("the old config is in force beside the new: %d %s", status, body)
			}
			g.says(t, `"msg":"reloaded"`)
		})
	}
	f("written in place", func(t *testing.T, _ *place, path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil { // through the links
			t.Fatal(err)
		}
	})
	f("replaced", func(t *testing.T, p *place, path, text string) {
		if err := os.Rename(p.write(t, "new", text), path); err != nil {
			t.Fatal(err)
		}
	})
	f("as Kubernetes does", func(t *testing.T, p *place, path, text string) {
		lay(t, p, path, "2", text)
	})
}

// lay lays a config as Kubernetes lays a ConfigMap: path is a link into ..data, which is a link
// to a folder of this version, and is replaced whole.
func lay(t *testing.T, p *place, path, version, text string) {
	t.Helper()
	folder := filepath.Join(p.dir, "..version_"+version)
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "aistrale.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	temporary, data := filepath.Join(p.dir, "..data_tmp"), filepath.Join(p.dir, "..data")
	if err := os.Symlink(filepath.Base(folder), temporary); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(temporary, data); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(path); err == nil {
		return
	}
	if err := os.Symlink(filepath.Join("..data", "aistrale.yaml"), path); err != nil {
		t.Fatal(err)
	}
}

// SIGHUP reads again what the file only points to, which no look at the file would notice.
func TestReload_signal(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	secret := p.write(t, "key", fullKey)
	g := p.serve(t, anywhere+"providers: [{name: mock}]\nkeys: [{name: ci, key: \"${file:"+secret+"}\"}]\n")
	p.write(t, "key", narrowKey)
	if status, body := g.chat(t, narrowKey, "mock/gpt"); status != http.StatusUnauthorized {
		t.Fatalf("before the signal: %d %s", status, body)
	}
	g.signal(t, syscall.SIGHUP)
	g.turns(t, narrowKey, "mock/gpt", http.StatusOK)
	if status, body := g.chat(t, fullKey, "mock/gpt"); status != http.StatusUnauthorized {
		t.Errorf("the old key: %d %s", status, body)
	}
}

func TestReload_badFile(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	g := p.serve(t, reloading("mock/gpt", ""))
	success := func(want string) {
		t.Helper()
		eventually(t, "last reload "+want, func() bool { return g.metric(t, "aistrale_config_last_reload_success") == want })
		if status, body := g.chat(t, fullKey, "mock/gpt"); status != http.StatusOK {
			t.Errorf("%d %s", status, body)
		}
	}
	success("1")
	f := func(text, says string) {
		t.Helper()
		p.write(t, "aistrale.yaml", text)
		g.says(t, says)
		success("0")
		p.write(t, "aistrale.yaml", reloading("mock/gpt", "# good after "+says))
		success("1")
	}
	f(reloading("mock/gpt", "lisen: x\n"), `lisen: unknown key`)
	f(reloading("mock/gpt", "\t\n"), `is not YAML`)
	f(reloading("mock/gpt", "metrics_token: ${NOT_SET}\n"), `NOT_SET is not set`)
	f("", `providers: there is none`)
	if err := os.Remove(filepath.Join(p.dir, "aistrale.yaml")); err != nil {
		t.Fatal(err)
	}
	g.says(t, "no such file")
	success("0")
}

// A reload changes what is allowed, and forgets nothing of what was counted.
func TestReload_limits(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	limit := func(n int) string {
		return fmt.Sprintf("limits: [{scope: key/ci, requests_per_day: %d}, {scope: key/nobody, concurrent: 1}]\n", n)
	}
	g := p.serve(t, reloading("mock/gpt", limit(2)))
	calls := func(granted int) {
		t.Helper()
		for i := range granted + 2 {
			want := http.StatusOK
			if i >= granted {
				want = http.StatusTooManyRequests
			}
			if status, body := g.chat(t, fullKey, "mock/gpt"); status != want {
				t.Errorf("call %d of %d: %d %s", i, granted, status, body)
			}
		}
	}
	reload := func(text, says string) {
		t.Helper()
		before := strings.Count(g.out.String(), says)
		p.write(t, "aistrale.yaml", reloading("mock/gpt", text))
		eventually(t, says, func() bool { return strings.Count(g.out.String(), says) > before })
	}
	const done = `"msg":"reloaded"`
	calls(2)
	g.says(t, `limits[1].scope: no key of the configuration or the store is named \"nobody\"`)
	reload(limit(2)+"queue: {max_depth: 5}\n", done)
	calls(0)
	reload("limits: [{scope: key/ci, requests_per_day: -1}]\n", "requests_per_day is -1")
	calls(0)
	reload("limits: [{scope: project/default, requests_per_day: 3}]\n", done)
	calls(3)
	reload(limit(2), done)
	calls(0)
	reload("", done)
	if status, body := g.chat(t, fullKey, "mock/gpt"); status != http.StatusOK {
		t.Errorf("without limits: %d %s", status, body)
	}
}

// A request works on with the config that it began with.
func TestReload_requestUnderWay(t *testing.T) {
	t.Parallel()
	up := newUpstream(t)
	p := newPlace(t)
	g := p.serve(t, reloading(`"*"`, "")+"# without it\n")
	with := strings.Replace(reloading(`"*"`, ""), "{name: mock}", `{name: mock}, {name: up, dialect: openai, base_url: "`+up.url+`", api_key: none}`, 1)
	p.write(t, "aistrale.yaml", with)
	g.turns(t, fullKey, "up/one", http.StatusOK)

	resp := open(t, g.request(t, fullKey, "up/slow", `,"stream":true`))
	begun := readUntil(t, resp.Body, `"first"`)
	p.write(t, "aistrale.yaml", reloading(`"*"`, ""))
	g.turns(t, fullKey, "up/one", http.StatusNotFound)
	up.release <- struct{}{}
	rest, err := io.ReadAll(resp.Body)
	if all := begun + string(rest); err != nil || !strings.Contains(all, `"second"`) || !strings.HasSuffix(all, "data: [DONE]\n\n") {
		t.Errorf("%v: %s", err, all)
	}
}

// readUntil reads a stream until it has said a text.
func readUntil(t *testing.T, r io.Reader, text string) string {
	t.Helper()
	var got []byte
	for b := make([]byte, 1024); !strings.Contains(string(got), text); {
		n, err := r.Read(b)
		got = append(got, b[:n]...)
		if err != nil && !strings.Contains(string(got), text) {
			t.Fatalf("%v after %q", err, got)
		}
	}
	return string(got)
}

func TestReload_whatCannotChange(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	g := p.serve(t, reloading("mock/gpt", ""))
	const fixed = `"msg":"this setting takes effect at the next start","setting":`
	p.write(t, "aistrale.yaml", reloading("mock/claude", "max_body: 1MiB\nbody_memory: 2MiB\ntimeouts: {idle: 3s}\nmetrics_token: abc\nstorage: {redis_mode: deny}\nnode: other\ndata_dir: elsewhere\n"))
	for _, setting := range []string{"data_dir", "node", "storage.redis or storage.redis_mode", "metrics_token", "max_body, max_header, body_memory or concurrency", "timeouts of the listener"} {
		g.says(t, fixed+`"`+setting+`"`)
	}
	g.turns(t, fullKey, "mock/claude", http.StatusOK) // the rest takes effect
	if out := g.out.String(); strings.Contains(out, fixed+`"listen"`) || strings.Contains(out, fixed+`"admin_listen"`) {
		t.Errorf("a setting is named that has not changed:\n%s", out)
	}
	p.write(t, "aistrale.yaml", strings.Replace(reloading("mock/gemini", "log_level: warn\n"), "listen:", `listen: "127.0.0.1:1" #`, 1))
	g.says(t, fixed+`"listen"`)
	g.turns(t, fullKey, "mock/gemini", http.StatusOK)
	if strings.Contains(g.out.String(), `"asked":"mock/gemini"`) {
		t.Error("log_level has not changed")
	}
}

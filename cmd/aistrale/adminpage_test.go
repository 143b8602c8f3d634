package main_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/storage"
)

const adminPage = "../../docs/admin-api.md"

// task is a row of the page's table.
type task struct {
	name           string
	curls, answers []string // what is typed
}

// code is what a cell has between backticks and can be typed.
var code = regexp.MustCompile("`((?:curl|aistrale|echo) [^`]*)`")

func tasksOf(t *testing.T) (all []task) {
	t.Helper()
	page, err := os.ReadFile(adminPage)
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(page), "| task | curl | command |\n|---|---|---|\n")
	if !found {
		t.Fatal("the page has no table of tasks")
	}
	typed := func(cell string) (lines []string) {
		for _, m := range code.FindAllStringSubmatch(cell, -1) {
			lines = append(lines, strings.ReplaceAll(m[1], "\x00", "|"))
		}
		return lines
	}
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.ReplaceAll(line, `\|`, "\x00"), "|")
		if len(cells) != 5 {
			break
		}
		one := task{name: strings.TrimSpace(cells[1]), curls: typed(cells[2]), answers: typed(cells[3])}
		if len(one.curls) == 0 {
			t.Errorf("%s: it has no curl", one.name)
		}
		all = append(all, one)
	}
	return all
}

// Every line of the page's table does what it says, in its order, on a new gateway: all by curl, and
// all by the command line as far as there is one.
func TestAdminPage(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("no curl here")
	}
	tasks := tasksOf(t)
	for _, way := range []string{"curl", "command"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			r := newReader(t)
			for _, one := range tasks {
				lines := one.curls
				if way == "command" && len(one.answers) > 0 {
					lines = one.answers
				}
				for _, line := range lines {
					if out, err := r.types(line); err != nil {
						t.Fatalf("%s: %s\n%v: %s", one.name, line, err, out)
					}
				}
			}
		})
	}
}

// reader tries the page, at a gateway of their own.
type reader struct {
	t     *testing.T
	at    *place
	g     *program
	token string
	key   string // the text of a key

	upstream string // answers whatever it is asked
	heard    string // the webhook that calls it
}

func newReader(t *testing.T) *reader {
	t.Helper()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("content-type", "application/json")
		_, _ = io.WriteString(w, `{"object":"list","data":[]}`)
	}))
	t.Cleanup(upstream.Close)
	r := &reader{t: t, upstream: upstream.URL, at: newPlace(t, "AISTRALE_MASTER_KEY="+storage.NewMasterKey().Reveal())}
	config := r.at.write(t, "aistrale.yaml", `
listen: 127.0.0.1:0
admin_listen: 127.0.0.1:0
data_dir: `+filepath.Join(r.at.dir, "data")+`
providers: [{name: mock}, {name: openai, base_url: "`+upstream.URL+`/v1"}]
aliases: {fast: [mock/gpt]}
outbound: {allow: [hooks.example.com, 127.0.0.1], http: true}
`)
	r.at.must(t, "correct horse battery", "user", "create", "ada@example.com", "--role", "admin", "--config", config)
	r.key = r.at.must(t, "", "key", "create", "page", "--config", config)
	r.g = r.at.begin(t, "serve", "--config", config)
	r.at.write(t, "credential.json", `{"name":"openai","secret":"sk-0123456789"}`)
	r.at.write(t, "greeting.yaml", "messages: [{role: system, content: 'Greet {{name}}.'}]\nmodel: fast\nvariables: {name: {type: string}}\n")
	r.at.write(t, "key.txt", "sk-0123456789\n")
	r.at.write(t, "batch.yaml", "limits: [{requests_per_minute: 60}]\nbudgets: [{usd: 25, per: month}]\n")
	r.at.env = append(r.at.env, "HOME="+r.at.dir, "PASSWORD=correct horse battery", "URL="+r.g.admin)
	r.at.must(t, "", "login", "--url", r.g.admin, "--user", "ada@example.com", "--from-env", "PASSWORD")
	profiles, err := os.ReadFile(filepath.Join(r.at.dir, ".config", "aistrale", "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	r.token = regexp.MustCompile(`ais-admin-\S+`).FindString(string(profiles))
	return r
}

// types runs a line in a shell as the page's reader does.
func (r *reader) types(line string) (string, error) {
	script := "set -euo pipefail\ncurl() { command curl -sS --fail-with-body \"$@\"; }\naistrale() { " + binary(r.t) + " \"$@\"; }\n" + line
	c := exec.CommandContext(r.t.Context(), "bash", "-c", script)
	c.Dir = r.at.dir
	c.Env = append([]string{"PATH=" + os.Getenv("PATH"), "A=" + r.g.admin + "/admin/v1", "T=" + r.token}, r.at.env...)
	for name, find := range map[string]func() string{"KEY": r.keyID, "REQUEST": r.request, "HOOK": r.hook, "DELIVERY": r.delivery} {
		if strings.Contains(line, "$"+name) {
			c.Env = append(c.Env, name+"="+find())
		}
	}
	out, err := c.CombinedOutput()
	return string(out), err
}

// ask asks the API beside the page.
func (r *reader) ask(method, path string) (got struct {
	Data []struct{ ID, Name, State string }
}, status int) {
	r.t.Helper()
	q, err := http.NewRequestWithContext(context.WithoutCancel(r.t.Context()), method, r.g.admin+"/admin/v1"+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	q.Header.Set("authorization", "Bearer "+r.token)
	response, err := http.DefaultClient.Do(q)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	_ = json.NewDecoder(response.Body).Decode(&got) // what is not a list has no ids
	return got, response.StatusCode
}

func (r *reader) first(path, name string) string {
	r.t.Helper()
	got, _ := r.ask(http.MethodGet, path)
	for _, one := range got.Data {
		if name == "" || one.Name == name {
			return one.ID
		}
	}
	r.t.Fatalf("%s: there is none", path)
	return ""
}

func (r *reader) keyID() string { return r.first("/keys?workspace=team&state=active", "ci") }

// hook gives a webhook that somebody listens to, as nobody does at the page's own.
func (r *reader) hook() string {
	r.t.Helper()
	if r.heard == "" {
		out, err := r.types(`curl "$A/webhooks?workspace=team" -H "authorization: Bearer $T" -H 'content-type: application/json' ` +
			`-d '{"name":"heard","url":"` + r.upstream + `","events":["key.created"]}'`)
		if err != nil {
			r.t.Fatal(out)
		}
		r.heard = r.first("/webhooks?workspace=team", "heard")
	}
	return r.heard
}

// delivery gives one that has ended.
func (r *reader) delivery() (id string) {
	path := "/webhooks/" + r.hook()
	r.ask(http.MethodPost, path+"/test?workspace=team")
	eventually(r.t, "the test is delivered", func() bool {
		got, _ := r.ask(http.MethodGet, path+"/deliveries?workspace=team")
		for _, one := range got.Data {
			if one.State == "delivered" {
				id = one.ID
			}
		}
		return id != ""
	})
	return id
}

// request makes a call and waits until it is in the ledger.
func (r *reader) request() string {
	q, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, r.g.url+"/v1/chat/completions",
		strings.NewReader(`{"model":"fast","messages":[{"role":"user","content":"hello"}]}`))
	if err != nil {
		r.t.Fatal(err)
	}
	q.Header.Set("authorization", "Bearer "+r.key)
	q.Header.Set("content-type", "application/json")
	response, err := http.DefaultClient.Do(q)
	if err != nil {
		r.t.Fatal(err)
	}
	_ = response.Body.Close()
	id := response.Header.Get("x-request-id")
	eventually(r.t, "the request is in the ledger", func() bool {
		_, status := r.ask(http.MethodGet, "/requests/"+id)
		return status == http.StatusOK
	})
	return id
}

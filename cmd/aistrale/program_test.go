package main_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A place is a folder and an environment in which the built program is run.
type place struct {
	dir     string
	env     []string // beside what the program needs to run at all
	program string   // "" the built one
}

func newPlace(t *testing.T, env ...string) *place {
	t.Helper()
	return &place{dir: t.TempDir(), env: env}
}

// write writes a file of the place and gives its path.
func (p *place) write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(p.dir, name)
	err := os.WriteFile(path+".new", []byte(text), 0o600)
	if err == nil {
		err = os.Rename(path+".new", path) // who reads it sees all of it
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func (p *place) command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	program := p.program
	if program == "" {
		program = binary(t)
	}
	c := exec.Command(program, args...)
	c.Dir = p.dir
	c.Env = append([]string{"PATH=" + os.Getenv("PATH"), "GORACE=atexit_sleep_ms=0"}, p.env...)
	return c
}

// run runs a command to its end.
func (p *place) run(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	c := p.command(t, args...)
	var out, errs bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(stdin), &out, &errs
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), out.String(), errs.String()
}

// must runs a command that has to succeed, and gives what it printed without the line end.
func (p *place) must(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	code, out, errs := p.run(t, stdin, args...)
	if code != 0 {
		t.Fatalf("aistrale %q exits with %d: %s", args, code, errs)
	}
	return strings.TrimSuffix(out, "\n")
}

// A program is the built program under way.
type program struct {
	cmd        *exec.Cmd
	out        transcript
	gone       chan struct{}
	url, admin string // http://host:port
}

// begin starts the program and waits until it serves. It is stopped when the test ends.
func (p *place) begin(t *testing.T, args ...string) *program {
	t.Helper()
	g := &program{cmd: p.command(t, args...), gone: make(chan struct{})}
	out, err := g.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	g.cmd.Stderr = &g.out
	if err := g.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	serving := make(chan [2]string, 1)
	go func() {
		defer close(g.gone)
		g.follow(out, serving)
		_ = g.cmd.Wait() // its end is read from ProcessState
	}()
	t.Cleanup(func() { g.stop(t) })
	select {
	case at := <-serving:
		g.url, g.admin = "http://"+at[0], "http://"+at[1]
	case <-g.gone:
		t.Fatalf("the program ended:\n%s", g.out.String())
	case <-time.After(patience):
		t.Fatalf("the program does not serve:\n%s", g.out.String())
	}
	return g
}

// serve begins with a config.
func (p *place) serve(t *testing.T, config string) *program {
	t.Helper()
	return p.begin(t, "serve", "--config", p.write(t, "aistrale.yaml", config))
}

func (g *program) follow(out io.Reader, serving chan<- [2]string) {
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadBytes('\n')
		_, _ = g.out.Write(line)
		var said struct {
			Msg    string
			Listen string
			Admin  string `json:"admin_listen"`
		}
		if json.Unmarshal(line, &said) == nil && said.Msg == "serving" {
			serving <- [2]string{said.Listen, said.Admin}
		}
		if err != nil {
			return
		}
	}
}

func (g *program) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := g.cmd.Process.Signal(s); err != nil {
		t.Fatalf("%s: %v", s, err)
	}
}

// ended waits for the program's end and gives its exit code, -1 where a signal ended it.
func (g *program) ended(t *testing.T) int {
	t.Helper()
	select {
	case <-g.gone:
	case <-time.After(patience):
		_ = g.cmd.Process.Kill()
		<-g.gone
		t.Errorf("the program does not end:\n%s", g.out.String())
	}
	return g.cmd.ProcessState.ExitCode()
}

// stop ends the program, unless it has ended, as an operator does.
func (g *program) stop(t *testing.T) {
	t.Helper()
	select {
	case <-g.gone:
	default:
		_ = g.cmd.Process.Signal(syscall.SIGTERM)
		if code := g.ended(t); code != 0 {
			t.Errorf("the program ended with %d", code)
		}
	}
	if out := g.out.String(); t.Failed() || strings.Contains(out, `"msg":"panic"`) || strings.Contains(out, "DATA RACE") {
		t.Errorf("the program said:\n%s", out)
	}
}

// killAmid makes things over the API, one after another, and kills the program amid the answers. It
// notes by their names which were answered.
func (g *program) killAmid(t *testing.T, token, path, prefix string, answered map[string]bool) {
	t.Helper()
	for n := range 40 {
		name := fmt.Sprintf("%s-%d", prefix, n)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.admin+"/admin/v1"+path, strings.NewReader(`{"name":"`+name+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("authorization", "Bearer "+token)
		req.Header.Set("content-type", "application/json")
		if n == 30 {
			go func() { _ = g.cmd.Process.Kill() }()
		}
		response, err := http.DefaultClient.Do(req)
		if err != nil {
			break
		}
		_ = response.Body.Close()
		answered[name] = response.StatusCode == http.StatusCreated
	}
	g.ended(t)
}

// says waits until the log holds a text.
func (g *program) says(t *testing.T, text string) {
	t.Helper()
	eventually(t, "the log says "+text, func() bool { return strings.Contains(g.out.String(), text) })
}

// do sends one request on a connection of its own.
func do(t *testing.T, req *http.Request) (status int, header http.Header, body string) {
	t.Helper()
	resp := open(t, req)
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s: %v after %q", req.URL, err, text)
	}
	return resp.StatusCode, resp.Header, string(text)
}

// open sends one request and leaves the answer's body to be read.
func open(t *testing.T, req *http.Request) *http.Response {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}}
	resp, err := client.Do(req.WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	status, _, body = do(t, req)
	return status, body
}

// request makes a chat request of one user message.
func (g *program) request(t *testing.T, key, model, more string) *http.Request {
	t.Helper()
	text := `{"model":"` + model + `","messages":[{"role":"user","content":"hi"}]` + more + `}`
	req, err := http.NewRequest(http.MethodPost, g.url+chatPath, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("authorization", "Bearer "+key)
	return req
}

func (g *program) chat(t *testing.T, key, model string) (status int, body string) {
	t.Helper()
	status, _, body = do(t, g.request(t, key, model, ""))
	return status, body
}

// turns waits until a chat request is answered with a status.
func (g *program) turns(t *testing.T, key, model string, want int) {
	t.Helper()
	eventually(t, model+" is answered", func() bool {
		status, _ := g.chat(t, key, model)
		return status == want
	})
}

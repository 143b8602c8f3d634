package main_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aistrale/aistrale/providers/mock"
)

// patience bounds every wait of these tests for something that must happen: it is a guard
// against a hanging suite, not a measure.
const patience = 60 * time.Second

// The virtual keys of a running gateway's config.
const (
	fullKey    = "sk-ais-fullkey1-0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
	narrowKey  = "sk-ais-narrow01-0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
	unknownKey = "sk-ais-nobody01-0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
)

// built is the program, built once for all tests of a run: with the race detector where there
// is a C compiler, as most of what these tests are to find are races.
var built struct {
	once sync.Once
	path string
	err  error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if built.path != "" {
		_ = os.RemoveAll(filepath.Dir(built.path))
	}
	os.Exit(code)
}

func binary(t *testing.T) string {
	t.Helper()
	built.once.Do(func() {
		folder, err := os.MkdirTemp("", "aistrale-built-")
		if err != nil {
			built.err = err
			return
		}
		built.path = filepath.Join(folder, "aistrale")
		args := []string{"build", "-o", built.path}
		if _, err := exec.LookPath("gcc"); err == nil {
			args = append(args, "-race")
		}
		if out, err := exec.Command("go", append(args, ".")...).CombinedOutput(); err != nil {
			built.err = fmt.Errorf("go build: %w\n%s", err, out)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.path
}

// A running is the built program serving with a config of its own, in front of the emulator.
type running struct {
	url    string // http://host:port
	config string // path of the config
	mock   *mock.Server
	cmd    *exec.Cmd
	gone   chan struct{}
	out    transcript
}

// transcript gathers what a process prints.
type transcript struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (x *transcript) Write(p []byte) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.b.Write(p)
}

func (x *transcript) String() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.b.String()
}

// start runs the program until the test ends; more is added to its config.
func start(t *testing.T, more string) *running {
	t.Helper()
	return startWith(t, "", more)
}

// startWith is start with one more provider, in which EMULATOR stands for the emulator's address.
func startWith(t *testing.T, provider, more string) *running {
	t.Helper()
	emulator, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &running{mock: mock.New(mock.Options{Calls: 512}), gone: make(chan struct{})}
	served := make(chan error, 1)
	go func() { served <- r.mock.Serve(emulator) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := r.mock.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	folder := t.TempDir()
	r.config = filepath.Join(folder, "aistrale.yaml")
	config := fmt.Sprintf(`listen: "127.0.0.1:0"
admin_listen: "127.0.0.1:0"
data_dir: %s
providers:
  - {name: mock, base_url: "http://%s", api_key: any}
  - {name: refused, dialect: openai, base_url: "http://%s/openai/v1", api_key: bad}
  - {name: chat, dialect: openai, base_url: "http://%s/openai/v1", api_key: any, forward: [x-mock]}
%s
keys:
  - {name: full, key: %s}
  - {name: narrow, key: %s, models: ["mock/gpt"]}
%s`, filepath.Join(folder, "data"), emulator.Addr(), emulator.Addr(), emulator.Addr(),
		strings.ReplaceAll(provider, "EMULATOR", emulator.Addr().String()), fullKey, narrowKey, more)
	if err := os.WriteFile(r.config, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	r.run(t)
	return r
}

func (r *running) run(t *testing.T) {
	t.Helper()
	r.cmd = exec.Command(binary(t), "serve", "--config", r.config)
	r.cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0") // by default it sleeps a second
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	r.cmd.Stderr = &r.out
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	serving := make(chan string, 1)
	read := make(chan struct{})
	go func() {
		defer close(read)
		r.follow(out, serving)
	}()
	go func() {
		<-read
		_ = r.cmd.Wait()
		close(r.gone)
	}()
	t.Cleanup(func() { r.stop(t) })
	select {
	case address := <-serving:
		r.url = "http://" + address
	case <-r.gone:
		t.Fatalf("the program ended:\n%s", r.out.String())
	case <-time.After(patience):
		t.Fatalf("the program does not serve:\n%s", r.out.String())
	}
}

// follow reads the log to its end and tells the address of the gateway.
func (r *running) follow(out io.Reader, serving chan<- string) {
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadBytes('\n')
		_, _ = r.out.Write(line)
		var said struct{ Msg, Listen string }
		if json.Unmarshal(line, &said) == nil && said.Msg == "serving" {
			serving <- said.Listen
		}
		if err != nil {
			return
		}
	}
}

// stop ends the program as an operator does; it must end cleanly, and without having raced.
func (r *running) stop(t *testing.T) {
	t.Helper()
	_ = r.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-r.gone:
	case <-time.After(patience):
		_ = r.cmd.Process.Kill()
		t.Errorf("the program does not end:\n%s", r.out.String())
		<-r.gone
	}
	out := r.out.String()
	if code := r.cmd.ProcessState.ExitCode(); code != 0 || strings.Contains(out, `"msg":"panic"`) {
		t.Errorf("the program ended with %d:\n%s", code, notable(out))
	}
}

// notable leaves the requests out of a log.
func notable(log string) string {
	var b strings.Builder
	for line := range strings.Lines(log) {
		if !strings.Contains(line, `"msg":"request"`) {
			b.WriteString(line)
		}
	}
	return b.String()
}

// alive reports whether the program still serves: the next request after a bad one.
func (r *running) alive(t *testing.T) {
	t.Helper()
	status, body := r.post(t, "/v1/chat/completions", fullKey, strings.NewReader(`{"model":"mock/gpt","messages":[{"role":"user","content":"still there?"}]}`))
	if status != http.StatusOK || !strings.Contains(body, `"chat.completion"`) {
		t.Errorf("the next request: %d %s", status, body)
	}
}

// post sends one request on a connection of its own.
func (r *running) post(t *testing.T, path, key string, body io.Reader, headers ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, r.url+path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Close = true
	req.Header.Set("content-type", "application/json")
	if key != "" {
		req.Header.Set("authorization", "Bearer "+key)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return r.send(t, req)
}

func (r *running) send(t *testing.T, req *http.Request) (int, string) {
	t.Helper()
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

// eventually waits for something that another process is about to do.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for tick := time.NewTicker(2 * time.Millisecond); !ok(); {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s: not within %s", what, patience)
		}
	}
}

//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// rig is everything that a run starts, and ends again.
type rig struct {
	dir     string
	mock    *process
	redis   *process
	targets []*target
	silent  *silentUpstream
}

// target is something that carries requests to the mock.
type target struct {
	*process
	addr    string
	prefix  string // before /chat/completions
	gateway bool
	// part is set for a gateway that differs from "aistrale" in one part, which this tells the
	// price of.
	part  bool
	admin string // the control plane's address, of gateways
}

const benchKey = "sk-ais-benchkey-kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"

func start(bin string, s servers) (_ *rig, err error) {
	r := &rig{}
	if r.dir, err = os.MkdirTemp("", "bench"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			r.stop()
		}
	}()
	mockAddr := free()
	if r.mock, err = launch("mock", 1, mockAddr, filepath.Join(bin, "aistrale"), "mock", "--listen", mockAddr); err != nil {
		return nil, err
	}
	if s.redis == "" {
		if path, missing := exec.LookPath("redis-server"); missing == nil {
			if s.redis, err = r.startRedis(path); err != nil {
				return nil, err
			}
		}
	}
	floorAddr := free()
	floor, err := launch("floor", 0, floorAddr, filepath.Join(bin, "floor"), "-listen", floorAddr, "-upstream", mockAddr)
	if err != nil {
		return nil, err
	}
	r.targets = append(r.targets, &target{process: floor, addr: floorAddr, prefix: "/openai/v1"})
	if r.silent, err = newSilentUpstream(); err != nil {
		return nil, err
	}
	for _, g := range gateways(s) {
		gateway, err := r.gateway(bin, mockAddr, g)
		if err != nil {
			return nil, err
		}
		r.targets = append(r.targets, gateway)
	}
	if path, missing := exec.LookPath("nginx"); missing == nil {
		nginx, err := r.nginx(path, mockAddr)
		if err != nil {
			return nil, err
		}
		r.targets = append(r.targets, nginx)
	}
	return r, nil
}

// flavour is a gateway with something in its config.
type flavour struct{ name, config string }

// The gateways that are measured: as it is run, with a limit, a budget and the ledger, and what
// differs from it in one part.
const (
	whole      = "aistrale"
	bare       = "bare" // no limits and no journal
	noJournal  = "no journal"
	heldBack   = "held back" // nothing is shipped to the ledger
	onPostgres = "postgres"
	onRedis    = "redis" // limits there, and no journal
	wholeRedis = "whole redis"
)

const benchLimits = `limits:
  - {scope: key/bench, requests_per_minute: 100000000, tokens_per_minute: 50000000000, concurrent: 100000}
budgets:
  - {scope: key/bench, usd: 1000000, per: month}
`

func gateways(s servers) []flavour {
	all := []flavour{
		{whole, benchLimits}, {heldBack, benchLimits + "ledger: {ship: false}\n"},
		{noJournal, benchLimits + "journal: off\n"}, {bare, "journal: off\n"},
	}
	if s.postgres != "" {
		all = append(all, flavour{onPostgres, benchLimits + fmt.Sprintf("storage: {postgres: %q}\n", s.postgres)})
	}
	if s.redis != "" {
		all = append(all, flavour{onRedis, benchLimits + fmt.Sprintf("journal: off\nstorage: {redis: %q}\n", s.redis)},
			flavour{wholeRedis, benchLimits + fmt.Sprintf("storage: {redis: %q}\n", s.redis)})
	}
	if s.gateways == "" {
		return all
	}
	return slices.DeleteFunc(all, func(f flavour) bool { return !strings.Contains(","+s.gateways+",", ","+f.name+",") })
}

// servers are those that a run may use, "" none, and which gateways it runs, "" all.
type servers struct{ postgres, redis, gateways string }

func (r *rig) gateway(bin, mockAddr string, f flavour) (*target, error) {
	addr, admin := free(), free()
	folder := filepath.Join(r.dir, strings.ReplaceAll(f.name, " ", "-"))
	config := folder + ".yaml"
	text := fmt.Sprintf(`listen: %q
admin_listen: %q
data_dir: %q
providers:
  - {name: mock, base_url: "http://%s"}
  - {name: silent, dialect: openai, base_url: "http://%s/v1", api_key: none}
keys:
  - {name: bench, key: %q, models: ["*"]}
%s`, addr, admin, folder, mockAddr, r.silent.addr(), benchKey, f.config)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	p, err := launch(f.name, 0, addr, filepath.Join(bin, "aistrale"), "serve", "--config", config)
	if err != nil {
		return nil, err
	}
	return &target{process: p, addr: addr, prefix: "/v1", gateway: true, part: f.name != whole, admin: admin}, nil
}

// startRedis runs a Redis for the run, beside the mock, and gives its URL.
func (r *rig) startRedis(path string) (url string, err error) {
	addr := free()
	host, port, _ := strings.Cut(addr, ":")
	answers := func() bool {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			return false
		}
		_ = conn.Close()
		return true
	}
	r.redis, err = launchUntil(answers, "redis", 1, path, "--bind", host, "--port", port, "--save", "", "--appendonly", "no", "--dir", r.dir)
	return "redis://" + addr, err
}

func (r *rig) nginx(path, mockAddr string) (*target, error) {
	addr := free()
	config := filepath.Join(r.dir, "nginx.conf")
	text := fmt.Sprintf(`daemon off; master_process off; pid %[1]s/nginx.pid; error_log stderr crit;
events { worker_connections 8192; }
http {
 access_log off; client_max_body_size 64m; client_body_buffer_size 1m; keepalive_requests 1000000;
 client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
 upstream mock { server %[3]s; keepalive 256; keepalive_requests 1000000; }
 server { listen %[2]s; location / { proxy_pass http://mock; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; } }
}
`, r.dir, addr, mockAddr)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	p, err := launch("nginx", 0, addr, path, "-c", config)
	if err != nil {
		return nil, err
	}
	return &target{process: p, addr: addr, prefix: "/openai/v1"}, nil
}

func (r *rig) stop() {
	for _, t := range r.targets {
		t.end()
	}
	for _, p := range []*process{r.mock, r.redis} {
		if p != nil {
			p.end()
		}
	}
	if r.silent != nil {
		r.silent.close()
	}
	_ = os.RemoveAll(r.dir)
}

// process is a program that a run started, pinned to one core.
type process struct {
	name  string
	cmd   *exec.Cmd
	began time.Duration // from its start to its first answer
}

func launch(name string, core int, addr, path string, args ...string) (*process, error) {
	healthy := func() bool {
		resp, err := http.Get("http://" + addr + "/healthz")
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return true
	}
	return launchUntil(healthy, name, core, path, args...)
}

func launchUntil(serves func() bool, name string, core int, path string, args ...string) (*process, error) {
	taskset, err := exec.LookPath("taskset")
	if err != nil {
		return nil, errors.New("taskset is needed to pin programs to cores (Debian: util-linux)")
	}
	cmd := exec.Command(taskset, append([]string{"-c", strconv.Itoa(core), path}, args...)...) //nolint:gosec // the bench's own programs
	cmd.Stderr = os.Stderr
	p := &process{name: name, cmd: cmd}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	for time.Since(began) < 10*time.Second {
		if serves() {
			p.began = time.Since(began)
			return p, nil
		}
		time.Sleep(time.Millisecond)
	}
	p.end()
	return nil, fmt.Errorf("%s did not begin to serve", name)
}

func (p *process) end() {
	_ = p.cmd.Process.Signal(unix.SIGTERM)
	_ = p.cmd.Wait()
}

// shipped waits until the ledger has all, so that what a round owes is counted as its cost.
func (t *target) shipped() error {
	if !t.gateway || t.name == heldBack {
		return nil
	}
	for until := time.Now().Add(time.Minute); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		resp, err := http.Get("http://" + t.admin + "/metrics")
		if err != nil {
			return err
		}
		text, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			return err
		}
		if bytes.Contains(text, []byte("\naistrale_ledger_lag_records 0\n")) {
			return nil
		}
	}
	return errors.New("the ledger does not catch up")
}

// cost gives the CPU time that the process spent while f ran, and what f counted.
func (p *process) cost(f func() (int, error)) (time.Duration, int, error) {
	before, err := p.cpu()
	if err != nil {
		return 0, 0, err
	}
	n, err := f()
	if err != nil {
		return 0, 0, err
	}
	after, err := p.cpu()
	if n == 0 && err == nil {
		err = errors.New("nothing was done")
	}
	return after - before, n, err
}

// cpu sums the time on a core of all the process's threads, in nanoseconds from the kernel's
// scheduler.
func (p *process) cpu() (time.Duration, error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.cmd.Process.Pid))
	if err != nil || len(files) == 0 {
		return 0, fmt.Errorf("read the CPU time of %s: %w", p.name, errors.Join(err, os.ErrNotExist))
	}
	var sum time.Duration
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		word, _, _ := strings.Cut(string(b), " ")
		n, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			return 0, err
		}
		sum += time.Duration(n)
	}
	return sum, nil
}

// memory is the process's resident set in bytes.
func (p *process) memory() (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(b))
	if len(fields) < 2 {
		return 0, errors.New("statm has no resident size")
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}

func pinSelf(core int) error {
	var set unix.CPUSet
	set.Set(core)
	threads, err := filepath.Glob("/proc/self/task/*")
	if err != nil {
		return err
	}
	for _, t := range threads {
		id, err := strconv.Atoi(filepath.Base(t))
		if err != nil {
			return err
		}
		if err := unix.SchedSetaffinity(id, &set); err != nil {
			return err
		}
	}
	return nil
}

func free() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "127.0.0.1:0"
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

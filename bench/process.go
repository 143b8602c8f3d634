//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// process is a program that a run started, pinned to one core.
type process struct {
	name  string
	cmd   *exec.Cmd
	began time.Duration // from its start to its first answer
}

// healthy reports whether the target answers.
func (t *target) healthy() bool {
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: t.certs.client(), DisableKeepAlives: true}}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, t.url(t.health()), nil)
	if err != nil {
		return false
	}
	resp, err := client.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return true
}

// program is what is to be started, pinned to a core, and how it is known that it serves.
type program struct {
	name   string
	core   int
	serves func() bool
	as     *syscall.SysProcAttr // nil: as this process
	path   string
	args   []string
}

func (p program) launch() (*process, error) {
	taskset, err := exec.LookPath("taskset")
	if err != nil {
		return nil, errors.New("taskset is needed to pin programs to cores (Debian: util-linux)")
	}
	cmd := exec.Command(taskset, append([]string{"-c", strconv.Itoa(p.core), p.path}, p.args...)...) //nolint:gosec // the bench's own programs
	cmd.Stderr, cmd.SysProcAttr = os.Stderr, p.as
	started := &process{name: p.name, cmd: cmd}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	for time.Since(began) < 20*time.Second {
		if p.serves() {
			started.began = time.Since(began)
			return started, nil
		}
		time.Sleep(time.Millisecond)
	}
	started.end()
	return nil, fmt.Errorf("%s did not begin to serve", p.name)
}

func (p *process) end() {
	_ = p.cmd.Process.Signal(unix.SIGTERM)
	_ = p.cmd.Wait()
}

// cpu sums the time on a core of all threads of the process and of its children, in nanoseconds
// from the kernel's scheduler.
func (p *process) cpu() (time.Duration, error) {
	pids := append([]string{strconv.Itoa(p.cmd.Process.Pid)}, children(p.cmd.Process.Pid)...)
	var sum time.Duration
	for _, pid := range pids {
		files, err := filepath.Glob("/proc/" + pid + "/task/*/schedstat")
		if err != nil || len(files) == 0 && pid == pids[0] {
			return 0, fmt.Errorf("read the CPU time of %s: %w", p.name, errors.Join(err, os.ErrNotExist))
		}
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
	}
	return sum, nil
}

// children lists a process's own ones: PostgreSQL has one for each connection.
func children(pid int) []string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return nil
	}
	return strings.Fields(string(b))
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

// pinSelf keeps this process to one core.
func pinSelf(core int) error {
	threads, err := filepath.Glob("/proc/self/task/*")
	if err != nil {
		return err
	}
	for _, t := range threads {
		id, err := strconv.Atoi(filepath.Base(t))
		if err != nil {
			return err
		}
		if err := pinThread(id, core); err != nil {
			return err
		}
	}
	return nil
}

// pinThread keeps a thread, 0 for the calling one, to one core.
func pinThread(id, core int) error {
	var set unix.CPUSet
	set.Set(core)
	return unix.SchedSetaffinity(id, &set)
}

func free() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "127.0.0.1:0"
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

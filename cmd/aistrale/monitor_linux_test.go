package main_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// All threads of a gateway sleep by the gateway's slack, or by what somebody has chosen before it
// began; and the process is the one that was started.
func TestCalmMonitor_TimerSlack(t *testing.T) {
	t.Parallel()
	needUsualSlack(t)
	g := newPlace(t).serve(t, anywhere+"providers: [{name: mock}]\n")
	for thread, slack := range timerSlacks(t, g.cmd.Process.Pid) {
		if slack != "1000000" {
			t.Errorf("thread %s: timer slack %s ns", thread, slack)
		}
	}

	runtime.LockOSThread() // a process takes it from the thread that starts it
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(70*time.Microsecond), 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	chosen := newPlace(t).serve(t, anywhere+"providers: [{name: mock}]\n")
	if err := unix.Prctl(unix.PR_SET_TIMERSLACK, 0, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	for thread, slack := range timerSlacks(t, chosen.cmd.Process.Pid) {
		if slack != "70000" {
			t.Errorf("thread %s: timer slack %s ns, 70000 were chosen", thread, slack)
		}
	}
}

// needUsualSlack skips a test where somebody has chosen a slack for the tests: a gateway keeps that.
func needUsualSlack(t *testing.T) {
	t.Helper()
	if now, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0); err != nil || now != 50_000 {
		t.Skipf("the tests themselves have no usual timer slack: %d, %v", now, err)
	}
}

func timerSlacks(t *testing.T, process int) map[string]string {
	t.Helper()
	threads, err := os.ReadDir(filepath.Join("/proc", strconv.Itoa(process), "task"))
	if err != nil {
		t.Fatal(err)
	}
	slacks := map[string]string{}
	for _, thread := range threads {
		text, err := os.ReadFile(filepath.Join("/proc", thread.Name(), "timerslack_ns"))
		if errors.Is(err, fs.ErrPermission) {
			t.Skip("the timer slack of another process is not shown to this user")
		}
		if err == nil { // else it has ended
			slacks[thread.Name()] = strings.TrimSpace(string(text))
		}
	}
	return slacks
}

// The runtime's monitor is kept awake; what an operator tells the runtime is heard, and heard last.
func TestCalmMonitor_Wakeful(t *testing.T) {
	t.Parallel()
	needUsualSlack(t)
	const ours = "GODEBUG=schedtrace=2147483647"
	for chosen, want := range map[string]string{
		"A=b":                         ours,
		"GODEBUG=":                    ours + ",",
		"GODEBUG=netdns=go":           ours + ",netdns=go",
		"GODEBUG=gctrace=0,netdns=go": ours + ",gctrace=0,netdns=go",
	} {
		g := newPlace(t, chosen).serve(t, anywhere+"providers: [{name: mock}]\n")
		environ, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(g.cmd.Process.Pid), "environ"))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(strings.Split(string(environ), "\x00"), want) {
			t.Errorf("%q: the gateway runs with %q, not %q", chosen, environ, want)
		}
	}
}

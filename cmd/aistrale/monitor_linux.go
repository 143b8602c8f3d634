package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// How late the kernel may wake a thread that sleeps, so that it need not do so for each alone: the
// kernel's own word, and the gateway's. Go's runtime looks at what its threads do every 20 µs
// whenever they have just come back from idling, and on one core each look interrupts a request;
// timers of a gateway are right to a millisecond at best, as it waits for them in epoll.
const (
	usualSlack = 50 * time.Microsecond
	timerSlack = time.Millisecond
)

// wakefulMonitor keeps the thread that looks from falling asleep whenever all others idle: each
// request would wake it, to be looked at again. Its pace is then one look in 10 ms. The runtime
// writes a line of its own to stderr after so many ms, which are 24 days and as many as there are.
const wakefulMonitor = "schedtrace=2147483647"

// calmMonitor has the program begin anew with timerSlack, which threads take from the one that
// makes them, and with wakefulMonitor: the thread that is meant exists before main does. The
// process stays the same one. Where anybody has chosen a slack already (systemd's TimerSlackNSec, a
// real-time scheduler, this function) it does nothing. An error means that all is as it was. See
// PR_SET_TIMERSLACK(2const), and package runtime's documentation for GODEBUG.
func calmMonitor() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	now, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	if err != nil || time.Duration(now) != usualSlack {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(timerSlack), 0, 0, 0); err != nil {
		return fmt.Errorf("prctl: %w", err)
	}
	err = syscall.Exec(program, os.Args, withWakefulMonitor(os.Environ())) //nolint:gosec // this program
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(usualSlack), 0, 0, 0)
	return fmt.Errorf("exec %s: %w", program, err)
}

// withWakefulMonitor adds it to what an environment has in GODEBUG, of which the last word counts.
func withWakefulMonitor(environ []string) []string {
	const knobs = "GODEBUG="
	for i, name := range environ {
		if chosen, ok := strings.CutPrefix(name, knobs); ok {
			environ[i] = knobs + wakefulMonitor + "," + chosen
			return environ
		}
	}
	return append(environ, knobs+wakefulMonitor)
}

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// terminal opens a pseudo-terminal: what is written to the master was typed by a person.
func terminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	t.Cleanup(func() { _ = master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	t.Cleanup(func() { _ = slave.Close() })
	return master, slave
}

func echoes(t *testing.T, terminal *os.File) bool {
	t.Helper()
	settings, err := unix.IoctlGetTermios(int(terminal.Fd()), termiosGet)
	if err != nil {
		t.Fatal(err)
	}
	return settings.Lflag&unix.ECHO != 0
}

// typist types a line as soon as it is asked, and remembers whether it would show.
type typist struct {
	t       *testing.T
	master  *os.File
	slave   *os.File
	line    string
	said    bytes.Buffer
	visible bool
}

func (p *typist) Write(b []byte) (int, error) {
	if strings.Contains(string(b), "Secret of") {
		p.visible = echoes(p.t, p.slave)
		if _, err := io.WriteString(p.master, p.line); err != nil {
			p.t.Error(err)
		}
	}
	return p.said.Write(b)
}

func TestSecretTyped(t *testing.T) {
	t.Parallel()
	master, slave := terminal(t)
	p := &typist{t: t, master: master, slave: slave, line: canary + "\n"}
	env := environment{Stdin: slave, Stderr: p}
	secret, err := env.secret(t.Context(), "", "Secret of openai: ")
	if err != nil || secret.Reveal() != canary {
		t.Fatalf("read %d bytes, error %v", len(secret.Reveal()), err)
	}
	if p.visible {
		t.Error("the secret shows while it is typed")
	}
	if !echoes(t, slave) {
		t.Error("the terminal stays silent")
	}
	if strings.Contains(p.said.String(), canary) {
		t.Error("the secret was printed")
	}
}

func TestSecretInterrupted(t *testing.T) {
	t.Parallel()
	_, slave := terminal(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	env := environment{Stdin: slave, Stderr: io.Discard}
	if _, err := env.secret(ctx, "", "Secret of openai: "); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want %v", err, context.Canceled)
	}
	if !echoes(t, slave) {
		t.Error("the terminal stays silent")
	}
}

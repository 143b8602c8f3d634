package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/aistrale/aistrale/storage"
)

// maxSecret bounds what is read as a secret, in bytes.
const maxSecret = storage.MaxSecret

// secret reads a secret that is sent in a header, as readSecret does.
func (e environment) secret(ctx context.Context, variable, prompt string) (storage.Secret, error) {
	where, text, err := e.readSecret(ctx, variable, prompt)
	if err != nil {
		return storage.Secret{}, err
	}
	return checkSecret(where, text)
}

// password reads a password, as readSecret does: any text of one line, spaces and all.
func (e environment) password(ctx context.Context, variable, prompt string) (storage.Secret, error) {
	where, text, err := e.readSecret(ctx, variable, prompt)
	if err != nil {
		return storage.Secret{}, err
	}
	text = strings.TrimRight(text, "\r\n")
	switch {
	case text == "":
		return storage.Secret{}, fmt.Errorf("%s: the password is empty", where)
	case len(text) > maxSecret:
		return storage.Secret{}, fmt.Errorf("%s: the password is longer than %d bytes", where, maxSecret)
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		return storage.Secret{}, fmt.Errorf("%s: the password is no single line of UTF-8", where)
	}
	return storage.NewSecret(text), nil
}

// readSecret reads a variable of the environment, or else stdin: asked for without an echo where
// that is a terminal. where names it in errors.
func (e environment) readSecret(ctx context.Context, variable, prompt string) (where, text string, err error) {
	if variable != "" {
		if text = e.Getenv(variable); text == "" {
			return "", "", fmt.Errorf("--from-env: %s is not set", variable)
		}
		return "--from-env: " + variable, text, nil
	}
	if terminal, ok := e.Stdin.(*os.File); ok && isTerminal(terminal) {
		text, err = e.ask(ctx, terminal, prompt)
	} else {
		var all []byte
		all, err = io.ReadAll(io.LimitReader(e.Stdin, maxSecret+2)) // one more than is taken, and a line end
		text = string(all)
	}
	if err != nil {
		return "", "", fmt.Errorf("stdin: %w", err)
	}
	return "stdin", text, nil
}

// checkSecret says where a secret that cannot be one was given.
func checkSecret(where, text string) (storage.Secret, error) {
	secret, err := storage.ReadSecret(text)
	if err != nil {
		return storage.Secret{}, fmt.Errorf("%s: %w", where, err)
	}
	return secret, nil
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), termiosGet)
	return err == nil
}

// ask reads one line from a terminal that does not show it. However it ends, the terminal shows
// what is typed again.
func (e environment) ask(ctx context.Context, terminal *os.File, prompt string) (line string, err error) {
	fd := int(terminal.Fd())
	before, err := unix.IoctlGetTermios(fd, termiosGet)
	if err != nil {
		return "", err
	}
	silent := *before
	silent.Lflag &^= unix.ECHO
	if err := unix.IoctlSetTermios(fd, termiosSet, &silent); err != nil {
		return "", err
	}
	defer func() {
		_, printed := fmt.Fprintln(e.Stderr)
		err = errors.Join(err, unix.IoctlSetTermios(fd, termiosSet, before), printed)
	}()
	if _, err := io.WriteString(e.Stderr, prompt); err != nil {
		return "", err
	}
	if err := awaitLine(ctx, fd); err != nil {
		return "", err
	}
	line, err = bufio.NewReader(io.LimitReader(terminal, maxSecret+2)).ReadString('\n')
	if errors.Is(err, io.EOF) && line != "" {
		err = nil
	}
	return line, err
}

// awaitLine waits until a terminal has a line to read, or the command is interrupted: a read
// cannot be, and would leave the terminal silent.
func awaitLine(ctx context.Context, fd int) error {
	const patience = 100 // milliseconds
	for ctx.Err() == nil {
		ready, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, patience)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
		if ready > 0 {
			return nil
		}
	}
	return ctx.Err()
}

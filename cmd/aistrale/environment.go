package main

import (
	"flag"
	"fmt"
	"io"
	"time"
)

// environment is what a command may see of the world outside its arguments, so that tests run
// the commands themselves and not a process.
type environment struct {
	Getenv func(string) string
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	Now    func() time.Time

	// asked, where it is set, is given the usage and the flags of a command in place of running it.
	asked func(usage string, flags *flag.FlagSet)
}

// usageError is a mistake in how a command was called: exit code 2.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...)}
}

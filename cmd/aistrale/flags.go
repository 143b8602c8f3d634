package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
)

// parse reads a command's flags, which are all that it takes.
func (e environment) parse(flags *flag.FlagSet, args []string, usage string) error {
	if err := e.parseSome(flags, args, usage); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return usagef("takes flags only\n%s", usage)
	}
	return nil
}

// parseSome reads flags up to the first word that is none. It prints the usage where it is asked
// to, and gives errHelped.
func (e environment) parseSome(flags *flag.FlagSet, args []string, usage string) error {
	flags.SetOutput(io.Discard)
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		_, err = fmt.Fprintln(e.Stdout, usage)
		return errors.Join(errHelped, err)
	}
	if err != nil {
		return usagef("%s\n%s", err, usage)
	}
	return nil
}

// errHelped ends a command that has printed its usage because it was asked to.
var errHelped = errors.New("help was printed")

// helped turns errHelped, and only that, into success.
func helped(err error) error {
	if errors.Is(err, errHelped) {
		return nil
	}
	return err
}

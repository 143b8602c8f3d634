package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
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
	if e.asked != nil {
		e.asked(usage, flags)
		return errHelped
	}
	flags.SetOutput(io.Discard)
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return errors.Join(errHelped, help(e.Stdout, usage, flags))
	}
	if err != nil {
		return usagef("%s\n%s", err, usage)
	}
	return nil
}

// help prints a command's usage and what each of its flags means.
func help(w io.Writer, usage string, flags *flag.FlagSet) error {
	if _, err := fmt.Fprintln(w, usage+"\n"); err != nil {
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	flags.VisitAll(func(f *flag.Flag) {
		means := f.Usage
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" && f.DefValue != "0s" && !strings.Contains(means, "without it") {
			means += " (" + f.DefValue + ")"
		}
		fmt.Fprintf(table, "  --%s\t%s\n", f.Name, means)
	})
	return table.Flush()
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

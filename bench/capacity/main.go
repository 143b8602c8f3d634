// Command capacity says what a load takes: cores, memory, Redis and PostgreSQL, from what one
// request was measured to take. It is a model on paper; docs/capacity.md says what it leaves out.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "capacity:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	m := usual
	flags := flag.NewFlagSet("capacity", flag.ContinueOnError)
	path := flags.String("figures", "", "figures of a whole run of the bench, with PostgreSQL and Redis (bin/bench -json)")
	flags.Float64Var(&m.busy, "busy", m.busy, "how busy a core may be, from 0 to 1")
	flags.Float64Var(&m.streams, "streams", m.streams, "which part of all requests are streams, from 0 to 1")
	flags.Float64Var(&m.events, "events", m.events, "events of a stream")
	flags.Float64Var(&m.lasts, "lasts", m.lasts, "seconds that a stream lasts")
	flags.Float64Var(&m.keep, "keep", m.keep, "days that single requests are kept")
	if err := flags.Parse(args); err != nil {
		return err
	}
	costs, err := readCosts(*path)
	if err != nil {
		return err
	}
	return write(out, costs, m)
}

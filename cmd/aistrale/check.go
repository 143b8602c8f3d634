package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
)

const checkUsage = "usage: aistrale check --config FILE"

// runCheck reads a configuration as serve would and says what is wrong with it: OK, or an error
// with a line for each mistake. It opens no store and calls nobody.
func runCheck(_ context.Context, env environment, args []string) error {
	flags := flag.NewFlagSet("check", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	file := flags.String("config", "", "the configuration to read")
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		_, err = fmt.Fprintln(env.Stdout, checkUsage)
		return err
	}
	if err != nil || *file == "" || flags.NArg() > 0 {
		return usagef("%s", checkUsage)
	}
	if _, err := loadConfig(*file, env.Getenv); err != nil {
		return err
	}
	_, err = fmt.Fprintln(env.Stdout, "OK")
	return err
}

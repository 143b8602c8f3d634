package main

import (
	"context"
	"flag"
	"fmt"
)

const checkUsage = "usage: aistrale check --config FILE"

// runCheck reads a configuration as serve would and says what is wrong with it: OK, or an error
// with a line for each mistake. It opens no store and calls nobody.
func runCheck(_ context.Context, env environment, args []string) error {
	flags := flag.NewFlagSet("check", flag.ContinueOnError)
	file := flags.String("config", "", "the configuration to read")
	if err := env.parse(flags, args, checkUsage); err != nil {
		return helped(err)
	}
	if *file == "" {
		return usagef("%s", checkUsage)
	}
	if _, err := loadConfig(*file, env.Getenv); err != nil {
		return err
	}
	_, err := fmt.Fprintln(env.Stdout, "OK")
	return err
}

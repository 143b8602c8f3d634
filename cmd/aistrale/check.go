package main

import (
	"context"
	"flag"
	"fmt"

	"github.com/aistrale/aistrale/policy"
)

const checkUsage = "usage: aistrale check --config FILE"

// runCheck reads a configuration as serve would and says what is wrong with it: OK, or an error
// with a line for each mistake. It opens no store and calls nobody. What may be a slip goes to
// stderr, and is no error.
func runCheck(_ context.Context, env environment, args []string) error {
	flags := flag.NewFlagSet("check", flag.ContinueOnError)
	file := flags.String("config", "", "the configuration to read")
	if err := env.parse(flags, args, checkUsage); err != nil {
		return helped(err)
	}
	if *file == "" {
		return usagef("%s", checkUsage)
	}
	config, err := loadConfig(*file, env.Getenv)
	if err != nil {
		return err
	}
	keys, err := keysOf(config)
	if err != nil {
		return err
	}
	if err := config.built(); err != nil {
		return config.located(err)
	}
	for _, text := range config.warnings(keys, "of the configuration (the store was not asked)") {
		if _, err := fmt.Fprintf(env.Stderr, "%s: warning: %s\n", *file, text); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintln(env.Stdout, "OK")
	return err
}

// built says what keeps serve from making a snapshot of the configuration alone.
func (c *Config) built() error {
	s := newState()
	s.means = policy.NewMeans()
	defer s.close()
	_, err := s.build(c, &stock{}, "http://127.0.0.1")
	return err
}

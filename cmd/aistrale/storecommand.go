package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/aistrale/aistrale/internal/sheet"
	"github.com/aistrale/aistrale/storage"
)

// storeCommand is a command that works on the store, with the flags that all of those take.
type storeCommand struct {
	env    environment
	usage  string
	flags  *flag.FlagSet
	config string
	json   bool
}

// newBareCommand makes one without those flags, for what touches no store.
func newBareCommand(env environment, usage string) *storeCommand {
	return &storeCommand{env: env, usage: usage, flags: flag.NewFlagSet("", flag.ContinueOnError)}
}

func newStoreCommand(env environment, usage string) *storeCommand {
	c := newBareCommand(env, usage)
	c.flags.StringVar(&c.config, "config", "", "the configuration; without it the store is in ./data")
	c.flags.BoolVar(&c.json, "json", false, "print one JSON array of flat objects")
	return c
}

// parse reads flags before, between and after the words, and wants exactly so many words. Its
// errors repeat no word: one may be a secret that was typed in the wrong place.
func (c *storeCommand) parse(args []string, words int) ([]string, error) {
	var found []string
	for {
		if err := c.env.parseSome(c.flags, args, c.usage); err != nil {
			return nil, err
		}
		if c.flags.NArg() == 0 {
			break
		}
		found = append(found, c.flags.Arg(0))
		args = c.flags.Args()[1:]
	}
	if len(found) != words {
		return nil, usagef("%d words where %d are wanted\n%s", len(found), words, c.usage)
	}
	return found, nil
}

// when reads how long ago (24h, 7d), a day in UTC, or a time; "" is zero.
func (c *storeCommand) when(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := storage.ParseDuration(text); err == nil && ago >= 0 {
		return c.env.Now().Add(-ago).UTC(), nil
	}
	if t, err := parseTime(text); err == nil {
		return t.UTC(), nil
	}
	return time.Time{}, usagef("%s: %q is neither how long ago, such as 24h or 7d, nor a time such as 2026-11-01 or 2026-11-01T12:00:00Z\n%s",
		flag, text, c.usage)
}

// withStore hands the store that the configuration names to do.
func (c *storeCommand) withStore(ctx context.Context, do func(nounStore, *Config) error) (err error) {
	config, err := loadConfig(c.config, c.env.Getenv)
	if err != nil {
		return err
	}
	store, err := openNouns(ctx, config, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return do(store, config)
}

// printDone says that something was done to what has a name, and there is no more to tell.
func (c *storeCommand) printDone(name, sentence string) error {
	if c.json {
		return printJSON(c.env.Stdout, []struct {
			Name string `json:"name"`
		}{{name}})
	}
	_, err := fmt.Fprintln(c.env.Stdout, sentence)
	return err
}

// print prints rows as JSON, else a sentence where there is one, else a table.
func (c *storeCommand) print(rows any, table [][]string, sentence string) error {
	switch {
	case c.json:
		return printJSON(c.env.Stdout, rows)
	case sentence != "":
		_, err := fmt.Fprintln(c.env.Stdout, sentence)
		return err
	}
	return printTable(c.env.Stdout, table)
}

// printJSON prints one array on one line; rows is never nil.
func printJSON(w io.Writer, rows any) error {
	text, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", text)
	return err
}

// printTable prints columns that a person reads.
func printTable(w io.Writer, rows [][]string) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		for _, cell := range row {
			if cell = sheet.Printable(cell); cell == "" {
				cell = "-"
			}
			if _, err := fmt.Fprint(table, cell, "\t"); err != nil {
				return err
			}
		}
		if _, err := fmt.Fprintln(table); err != nil {
			return err
		}
	}
	return table.Flush()
}

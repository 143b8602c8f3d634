package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/aistrale/aistrale/internal/sheet"
	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/journal"
)

// ledgerCommand is a command that asks the ledger.
type ledgerCommand struct {
	*storeCommand
	csv          bool
	since, until string
	where        repeated
}

// repeated is a flag that may stand several times.
type repeated []string

func (r *repeated) String() string { return strings.Join(*r, ",") }

// Set implements flag.Value.
func (r *repeated) Set(text string) error {
	*r = append(*r, text)
	return nil
}

func newLedgerCommand(env environment, usage string) *ledgerCommand {
	return newLedgerFlags(newStoreCommand(env, usage))
}

// newLedgerFlags gives a command the flags of those that ask the ledger.
func newLedgerFlags(of *storeCommand) *ledgerCommand {
	c := &ledgerCommand{storeCommand: of}
	c.flags.BoolVar(&c.csv, "csv", false, "print CSV")
	c.flags.StringVar(&c.until, "until", "", "up to when, as --since; without it, up to now")
	c.flags.Var(&c.where, "where", "only these: model=anthropic/*,key=ci; values of one dimension stand for any of them")
	return c
}

// form says how the answer is to be printed.
func (c *ledgerCommand) form() (sheet.Form, error) {
	switch {
	case c.json && c.csv:
		return 0, usagef("--json or --csv, not both\n%s", c.usage)
	case c.json:
		return sheet.JSON, nil
	case c.csv:
		return sheet.CSV, nil
	}
	return sheet.Table, nil
}

// span reads --since and --until. A zero until is the end of time.
func (c *ledgerCommand) span() (from, to time.Time, err error) {
	if from, err = c.when("--since", c.since); err != nil {
		return from, to, err
	}
	if to, err = c.when("--until", c.until); err != nil {
		return from, to, err
	}
	if !to.IsZero() && !from.Before(to) {
		return from, to, usagef("--since is not before --until\n%s", c.usage)
	}
	return from, to, nil
}

// books are the open stores of a command that works on the ledger.
type books struct {
	config *Config
	nouns  nounStore
	ledger ledgerStore
}

// withBooks hands the stores that the configuration names to do, once the ledger has what dead
// gateways of this node left in their journals.
func (c *storeCommand) withBooks(ctx context.Context, do func(*books) error) error {
	return c.withStore(ctx, func(nouns nounStore, config *Config) (err error) {
		ledger, err := openLedger(ctx, config, nouns)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, ledger.Close()) }()
		if err := c.shipDead(ctx, config, ledger); err != nil {
			return err
		}
		return do(&books{config, nouns, ledger})
	})
}

// shipDead ships the journals of gateways that were killed. Where that fails the answer is still
// worth having, with a word about what it lacks.
func (c *storeCommand) shipDead(ctx context.Context, config *Config, ledger ledgerStore) error {
	dir := config.journalDir()
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) || !config.Ledger.Ship {
		return nil
	}
	if _, err := journal.Adopt(ctx, dir, ledger, leaves(config)); err != nil {
		_, err = fmt.Fprintf(c.env.Stderr, "Note: records of a gateway that ended are not in the ledger yet: %v\n", err)
		return err
	}
	return nil
}

// errLeft keeps a dead gateway's journal for the next gateway.
var errLeft = errors.New("a gateway has to tell the counters in Redis of it")

// leaves says what becomes of what dead gateways had reserved: where the counters are in Redis,
// only a gateway can settle it, and adopts the journal once more for that.
func leaves(config *Config) func([]storage.Entry) error {
	if config.Storage.Redis.Empty() {
		return nil
	}
	return func([]storage.Entry) error { return errLeft }
}

// atHand is the ledger of a command on the local store. It is opened where it is asked, with what
// dead gateways of this node left in their journals: most commands never do.
type atHand struct {
	c      *storeCommand
	config *Config
	nouns  nounStore
	ledger ledgerStore
}

func (b *atHand) open(ctx context.Context) (err error) {
	if b.ledger != nil {
		return nil
	}
	if b.ledger, err = openLedger(ctx, b.config, b.nouns); err != nil {
		return err
	}
	return b.c.shipDead(ctx, b.config, b.ledger)
}

func (b *atHand) close() error {
	if b.ledger == nil {
		return nil
	}
	return b.ledger.Close()
}

// Usage implements admin.Ledger.
func (b *atHand) Usage(ctx context.Context, q storage.UsageQuery) ([]storage.UsageSum, error) {
	if err := b.open(ctx); err != nil {
		return nil, err
	}
	return b.ledger.Usage(ctx, q)
}

// Entries implements admin.Ledger.
func (b *atHand) Entries(ctx context.Context, q storage.EntryQuery, f func(*storage.Entry) error) error {
	if err := b.open(ctx); err != nil {
		return err
	}
	return b.ledger.Entries(ctx, q, f)
}

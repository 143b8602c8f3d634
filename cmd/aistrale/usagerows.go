package main

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/aistrale/aistrale/internal/sheet"
	"github.com/aistrale/aistrale/storage"
)

func usageRows(ctx context.Context, env environment, args []string) error {
	c := newUsageCommand(env, usageRowsUsage)
	c.flags.StringVar(&c.since, "since", "", "from when: how long ago, a day or a time; without it 24h, with --request any time")
	request := c.flags.String("request", "", "the request's id")
	limit := c.flags.Int("limit", 0, "at most so many; 0: all")
	if _, err := c.parse(args, 0); err != nil {
		return err
	}
	as, err := c.form()
	if err != nil {
		return err
	}
	if *limit < 0 {
		return usagef("--limit is negative\n%s", c.usage)
	}
	q := storage.EntryQuery{RequestID: *request, Limit: *limit}
	if _, err := uuid.Parse(*request); *request != "" && err != nil {
		return usagef("--request: %q is no request id\n%s", *request, c.usage)
	}
	if c.since == "" && *request == "" {
		c.since = "24h"
	}
	if q.From, q.To, err = c.span(); err != nil {
		return err
	}
	if api, err := c.remote(); err != nil || api != nil {
		if err != nil {
			return err
		}
		return c.remoteRows(ctx, api, &q, as)
	}
	return c.withBooks(ctx, func(b *books) error {
		if q.Where, err = c.filters(b.config); err != nil {
			return err
		}
		s := sheet.New(env.Stdout, as, sheet.EntryColumns())
		err := b.ledger.Entries(ctx, q, func(e *storage.Entry) error { return s.Row(sheet.EntryCells(e)...) })
		return errors.Join(err, s.Close())
	})
}

package main

import (
	"context"
	"errors"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"github.com/aistrale/aistrale/storage"
)

func usageRows(ctx context.Context, env environment, args []string) error {
	c := newLedgerCommand(env, usageRowsUsage)
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
	return c.withBooks(ctx, func(b *books) error {
		if q.Where, err = c.filters(b.config); err != nil {
			return err
		}
		s := newSheet(env.Stdout, as, rowColumns())
		err := b.ledger.Entries(ctx, q, func(e *storage.Entry) error { return s.row(rowCells(e)...) })
		return errors.Join(err, s.close())
	})
}

func rowColumns() []column {
	return []column{
		{"time", "TIME"}, {"request_id", "REQUEST"}, {"attempt", "ATTEMPT"}, {"revision", ""}, {"final", ""}, {"state", ""},
		{"node", ""}, {"workspace", ""}, {"project", ""}, {"key", ""}, {"key_name", "KEY"}, {"user", ""},
		{"provider", "PROVIDER"}, {"model", "MODEL"}, {"credential", ""}, {"prompt", ""}, {"asked", ""}, {"served", ""}, {"tier", ""},
		{"op", ""}, {"stream", ""}, {"exact", ""},
		{"status", "STATUS"}, {"upstream_status", ""}, {"outcome", "OUTCOME"}, {"fault", ""}, {"finish", ""}, {"retry", ""},
		{"input_tokens", "INPUT"}, {"output_tokens", "OUTPUT"}, {"cache_read_tokens", ""}, {"cache_write_tokens", ""},
		{"reasoning_tokens", ""}, {"audio_in_tokens", ""}, {"audio_out_tokens", ""}, {"images", ""}, {"searches", ""},
		{"characters", ""}, {"audio_in_seconds", ""}, {"audio_out_seconds", ""}, {"variant", ""},
		{"cost_usd", "COST USD"}, {"unpriced", "UNPRICED"}, {"estimated", ""}, {"price_id", ""},
		{"content_bytes", ""}, {"bytes_in", ""}, {"bytes_out", ""},
		{"latency_ms", "MS"}, {"first_byte_ms", ""}, {"overhead_ms", ""},
		{"tags", ""}, {"end_user", ""}, {"metadata", ""}, {"client_request_id", ""}, {"upstream_request_id", ""}, {"usage", ""},
	}
}

// rowCells has a cell for each of rowColumns.
func rowCells(e *storage.Entry) []jsontext.Value {
	state := "settled"
	if e.State == storage.EntryLost {
		state = "lost"
	}
	cost := cellNull
	if e.Known() {
		cost = cellUSD(e.CostNano)
	}
	cells := []jsontext.Value{
		cellTime(e.Time), cellText(e.RequestID.String()), cellInt(int64(e.Attempt)), cellInt(int64(e.Revision)), cellBool(e.Final), cellText(state),
		cellText(e.Node), cellText(e.Workspace), cellText(e.Project), cellText(e.Key), cellText(e.KeyName), cellText(e.User),
		cellText(e.Provider), cellText(e.Model), cellText(e.Credential), cellText(e.Prompt), cellText(e.Asked), cellText(e.Served), cellText(e.Tier),
		cellText(e.Op), cellBool(e.Stream), cellBool(e.Exact),
		cellInt(int64(e.Status)), cellInt(int64(e.UpstreamStatus)), cellText(string(e.Outcome)), cellText(e.Fault), cellText(e.Finish), cellInt(int64(e.Retry)),
	}
	t := storage.TotalsOf(e) // as the sums count them
	cells = append(append(cells, unitCells(&t)...), cellText(variantOf(e)))
	return append(cells,
		cost, cellText(e.Unpriced), cellBool(e.Charge.Estimated), cellText(e.PriceID),
		cellInt(e.ContentBytes), cellInt(e.BytesIn), cellInt(e.BytesOut),
		cellMillis(e.Duration), cellMillis(e.FirstByte), cellMillis(e.Overhead),
		cellText(strings.Join(e.Tags, ",")), cellText(e.EndUser), cellText(e.Metadata), cellText(e.ClientID), cellText(e.UpstreamID), cellText(string(e.UsageRaw)),
	)
}

// variantOf is what the price of the images of an attempt goes by beside the model, "" for none.
func variantOf(e *storage.Entry) string {
	for i := range e.Lines {
		if v := e.Lines[i].Variant; v != "" {
			return v
		}
	}
	return ""
}

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/aistrale/aistrale/admin"
	"github.com/aistrale/aistrale/storage/auditlog"
)

const (
	auditListUsage = `usage: aistrale audit list [--actor user/NAME] [--action keys.*] [--target key/ID] [--outcome done|denied|failed]
       [--since 24h|2026-11-01] [--limit N] [--config FILE | --url URL] [--json]
       The newest record first. What ends in * stands for all that begin so.`
	auditExportUsage = `usage: aistrale audit export [--out FILE] [--config FILE | --url URL]
       The whole log and its checkpoints as JSON lines, to FILE or stdout, also without --json.`
	auditVerifyUsage = `usage: aistrale audit verify FILE [--key PUB|FILE] [--checkpoint FILE]
       Works offline. With the key it checks the checkpoints in FILE, and those that a witness has kept.`
	auditKeyUsage        = "usage: aistrale audit key [--config FILE | --url URL] [--json]"
	auditCheckpointUsage = "usage: aistrale audit checkpoint [--config FILE | --url URL] [--json]"
)

// auditCommands work on the audit log.
func auditCommands() []command {
	return []command{
		{name: "list", summary: "list who did what, the newest first", run: auditList},
		{name: "export", summary: "write the whole log with its checkpoints as JSON lines", run: auditExport},
		{name: "verify", summary: "prove offline that nothing in an export was changed", run: auditVerify},
		{name: "key", summary: "show the key that verifies checkpoints", run: auditKey},
		{name: "checkpoint", summary: "make a checkpoint now", run: auditCheckpoint},
	}
}

func auditList(ctx context.Context, env environment, args []string) error {
	c := newControlCommand(env, auditListUsage)
	asked := url.Values{}
	for name, means := range map[string]string{
		"actor": "who did it", "action": "what was done", "target": "to what", "outcome": "how it ended",
	} {
		c.flags.Func(name, means, func(text string) error { asked.Set(name, text); return nil })
	}
	since := c.flags.String("since", "", "from when: how long ago, a day or a time")
	limit := c.flags.Int("limit", 50, "how many")
	if _, err := c.parse(args, 0); err != nil {
		return err
	}
	if *since != "" {
		from, err := c.when("--since", *since)
		if err != nil {
			return err
		}
		asked.Set("from", from.Format(time.RFC3339Nano))
	}
	return c.withAPI(ctx, func(api *apiClient) error {
		records, err := listOf[admin.AuditRecord](ctx, api, "/audit?"+asked.Encode(), *limit)
		if err != nil {
			return err
		}
		return c.printAudit(records)
	})
}

func (c *controlCommand) printAudit(records []admin.AuditRecord) error {
	if c.json {
		rows := make([]auditRow, 0, len(records))
		for i := range records {
			r := &records[i]
			rows = append(rows, auditRow{AuditRecord: *r, Before: string(r.Before), After: string(r.After)})
		}
		return printJSON(c.env.Stdout, rows)
	}
	table := [][]string{{"SEQ", "WHEN", "WHO", "WHAT", "OUTCOME", "ON", "WORKSPACE", "FROM"}}
	for i := range records {
		r := &records[i]
		table = append(table, []string{
			strconv.FormatInt(r.Seq, 10), r.At.UTC().Format(time.DateTime), r.Actor, r.Action, string(r.Outcome), r.Target, r.Workspace, r.Address,
		})
	}
	return printTable(c.env.Stdout, table)
}

// auditRow is a record as --json prints it: flat, with what was and what is as the text of JSON objects.
type auditRow struct {
	admin.AuditRecord `json:",inline"`
	Before            string `json:"before"`
	After             string `json:"after"`
}

func auditExport(ctx context.Context, env environment, args []string) error {
	c := newControlCommand(env, auditExportUsage)
	out := c.flags.String("out", "", "the file; without it stdout")
	if _, err := c.parse(args, 0); err != nil {
		return err
	}
	return c.withAPI(ctx, func(api *apiClient) error {
		if *out == "" {
			return api.download(ctx, "/audit/export", env.Stdout)
		}
		file, err := os.OpenFile(*out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return fmt.Errorf("--out: %w", err)
		}
		err = api.download(ctx, "/audit/export", file)
		return errors.Join(err, file.Sync(), file.Close())
	})
}

func auditVerify(_ context.Context, env environment, args []string) error {
	c := newBareCommand(env, auditVerifyUsage)
	keyText := c.flags.String("key", "", "the key, or a file that has it")
	kept := c.flags.String("checkpoint", "", "a file of checkpoints that a witness has kept")
	words, err := c.parse(args, 1)
	if err != nil {
		return err
	}
	key, given, err := auditTrust(*keyText, *kept)
	if err != nil {
		return err
	}
	file, err := os.Open(words[0])
	if err != nil {
		return err
	}
	defer file.Close()
	report, err := auditlog.Verify(bufio.NewReader(file), key, given)
	if err != nil {
		return fmt.Errorf("%s: %w", words[0], err)
	}
	return printReport(env.Stdout, &report, key != nil)
}

// auditTrust reads what a file is held against.
func auditTrust(keyText, kept string) (*auditlog.Key, []auditlog.Checkpoint, error) {
	if keyText == "" {
		if kept != "" {
			return nil, nil, usagef("--checkpoint needs --key\n%s", auditVerifyUsage)
		}
		return nil, nil, nil
	}
	if text, err := os.ReadFile(keyText); err == nil {
		keyText = string(text)
	}
	key, err := auditlog.ParseKey(keyText)
	if err != nil || kept == "" {
		return &key, nil, err
	}
	text, err := os.ReadFile(kept)
	if err != nil {
		return nil, nil, fmt.Errorf("--checkpoint: %w", err)
	}
	var given []auditlog.Checkpoint
	for _, note := range auditlog.Split(text) {
		one, err := key.Open(note)
		if err != nil {
			return nil, nil, fmt.Errorf("--checkpoint: %w", err)
		}
		given = append(given, one)
	}
	if len(given) == 0 {
		return nil, nil, errors.New("--checkpoint: there is none in the file")
	}
	return &key, given, nil
}

func printReport(w io.Writer, r *auditlog.Report, keyed bool) error {
	text := fmt.Sprintf("%d records, %d to %d: nothing was changed, taken out, put in or moved.\n", r.Records, r.First, r.Head.Seq)
	switch {
	case !keyed:
		text += "No key was given, so nothing says that the log was not made anew or cut off as a whole.\n"
	case r.Checkpoints == 0:
		text += "No checkpoint speaks for it.\n"
	default:
		text += fmt.Sprintf("%d checkpoints fit; they speak for it up to record %d.\n", r.Checkpoints, r.Witnessed)
	}
	_, err := io.WriteString(w, text)
	return err
}

func auditKey(ctx context.Context, env environment, args []string) error {
	c := newControlCommand(env, auditKeyUsage)
	if _, err := c.parse(args, 0); err != nil {
		return err
	}
	return c.withAPI(ctx, func(api *apiClient) error {
		var key admin.AuditKey
		if err := api.call(ctx, http.MethodGet, "/audit/key", nil, &key); err != nil {
			return err
		}
		if c.json {
			return printJSON(env.Stdout, []admin.AuditKey{key})
		}
		_, err := fmt.Fprintln(env.Stdout, key.Key)
		return err
	})
}

func auditCheckpoint(ctx context.Context, env environment, args []string) error {
	c := newControlCommand(env, auditCheckpointUsage)
	if _, err := c.parse(args, 0); err != nil {
		return err
	}
	return c.withAPI(ctx, func(api *apiClient) error {
		var made admin.Checkpoint
		if err := api.call(ctx, http.MethodPost, "/audit/checkpoints", nil, &made); err != nil {
			return err
		}
		if c.json {
			return printJSON(env.Stdout, []admin.Checkpoint{made})
		}
		_, err := io.WriteString(env.Stdout, made.Note)
		return err
	})
}

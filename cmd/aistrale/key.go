package main

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/aistrale/aistrale/storage"
)

const (
	keyCreateUsage = `usage: aistrale key create NAME [--models a,b] [--allow FIELD,…] [--tags a,b] [--expires 720h]
       [--settings FILE] [--project P] [--owner O] [--workspace W] [--config FILE] [--json]
       The file has what a key in the configuration may have but name, key and expires, such as
       deny_models, defaults or timeouts. What a flag says too is the flag's.`
	keyListUsage   = "usage: aistrale key list [--config FILE] [--json]"
	keyRevokeUsage = "usage: aistrale key revoke ID|NAME [--workspace W] [--config FILE] [--json]"
)

// keyCommands work on virtual keys.
func keyCommands() []command {
	return []command{
		{name: "create", summary: "make a virtual key", run: keyCreate},
		{name: "list", summary: "list virtual keys", run: keyList},
		{name: "revoke", summary: "revoke a virtual key", run: keyRevoke},
	}
}

func keyCreate(ctx context.Context, env environment, args []string) error {
	c := newStoreCommand(env, keyCreateUsage)
	k, secret := storage.NewKey("", env.Now())
	var said KeyConfig
	models := c.flags.String("models", "*", "models that the key may use")
	allow := c.flags.String("allow", "", "governed fields that the key may use")
	tags := c.flags.String("tags", "", "tags of its records")
	expires := c.flags.Duration("expires", 0, "how long the key is valid; 0: for ever")
	settings := c.flags.String("settings", "", "a file with settings of the key, as in the configuration")
	c.flags.StringVar(&said.Project, "project", k.Project, "the project it belongs to")
	c.flags.StringVar(&said.Owner, "owner", "", "the user it belongs to")
	c.flags.StringVar(&said.Workspace, "workspace", k.Workspace, "the workspace it belongs to")
	words, err := c.parse(args, 1)
	if err != nil {
		return err
	}
	k.Name, said.Models, said.Allow, said.Tags = words[0], split(*models), split(*allow), split(*tags)
	if *expires < 0 {
		return usagef("--expires is in the past\n%s", c.usage)
	}
	if *expires > 0 {
		at := k.CreatedAt.Add(*expires).Truncate(time.Microsecond)
		k.ExpiresAt = &at
	}
	file, err := readKeySettings(*settings, env)
	if err != nil {
		return err
	}
	c.flags.Visit(func(f *flag.Flag) { file.override(&said, f.Name) })
	file.config.put(&k)
	if err := k.Check(); err != nil {
		return usagef("%s\n%s", err, c.usage)
	}
	return c.withStore(ctx, func(store nounStore, config *Config) error {
		if err := file.check(config); err != nil {
			return err
		}
		if err := store.AddKey(ctx, k); err != nil {
			return err
		}
		return c.printNewKey(k, secret)
	})
}

// printNewKey prints the bare key to stdout, for scripts, and all else to stderr.
func (c *storeCommand) printNewKey(k storage.Key, secret storage.Secret) error {
	if c.json {
		row, err := keyRowOf(k, c.env.Now())
		if err != nil {
			return err
		}
		row.Key = secret.Reveal()
		return printJSON(c.env.Stdout, []keyRow{row})
	}
	if _, err := fmt.Fprintf(c.env.Stderr, "Key %s (%s). It is shown once and cannot be shown again:\n", k.Name, k.ID); err != nil {
		return err
	}
	_, err := fmt.Fprintln(c.env.Stdout, secret.Reveal())
	return err
}

func keyList(ctx context.Context, env environment, args []string) error {
	c := newStoreCommand(env, keyListUsage)
	if _, err := c.parse(args, 0); err != nil {
		return err
	}
	return c.withStore(ctx, func(store nounStore, _ *Config) error { return c.printKeys(ctx, store) })
}

func (c *storeCommand) printKeys(ctx context.Context, store nounStore) error {
	keys, err := store.Keys(ctx)
	if err != nil {
		return err
	}
	rows := make([]keyRow, 0, len(keys))
	table := [][]string{{"ID", "NAME", "STATE", "MODELS", "WORKSPACE", "PROJECT", "OWNER", "CREATED", "EXPIRES"}}
	for _, k := range keys {
		row, err := keyRowOf(k, c.env.Now())
		if err != nil {
			return err
		}
		rows = append(rows, row)
		table = append(table, []string{
			row.ID, row.Name, row.State, row.Models, row.Workspace, row.Project, row.Owner, day(&row.CreatedAt), day(row.ExpiresAt),
		})
	}
	if c.json {
		return printJSON(c.env.Stdout, rows)
	}
	return printTable(c.env.Stdout, table)
}

func keyRevoke(ctx context.Context, env environment, args []string) error {
	c := newStoreCommand(env, keyRevokeUsage)
	workspace := c.flags.String("workspace", storage.DefaultWorkspace, "the workspace of the key")
	words, err := c.parse(args, 1)
	if err != nil {
		return err
	}
	ref := words[0]
	if id, ok := storage.ParseKey(ref); ok { // who revokes a leaked key has its whole text at hand
		ref = id
	}
	return c.withStore(ctx, func(store nounStore, _ *Config) error {
		k, err := store.RevokeKey(ctx, *workspace, ref, env.Now())
		if err != nil {
			return err
		}
		if c.json {
			row, err := keyRowOf(k, env.Now())
			if err != nil {
				return err
			}
			return printJSON(env.Stdout, []keyRow{row})
		}
		_, err = fmt.Fprintf(env.Stdout, "Key %s (%s) is revoked.\n", k.Name, k.ID)
		return err
	})
}

// keyRow is a key as --json prints it: flat, lists joined by commas, never a hash. Its settings are
// the text of a JSON object, in the words of the configuration.
type keyRow struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Key       string     `json:"key,omitzero"` // of a new key only
	State     string     `json:"state"`        // active, expired, revoked
	Workspace string     `json:"workspace"`
	Project   string     `json:"project"`
	Owner     string     `json:"owner"`
	Models    string     `json:"models"`
	Allow     string     `json:"allow"`
	Tags      string     `json:"tags"`
	Settings  string     `json:"settings"` // a JSON object
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at"`
	RevokedAt *time.Time `json:"revoked_at"`
}

func keyRowOf(k storage.Key, now time.Time) (keyRow, error) {
	state := "active"
	if err := k.Valid(now); err != nil {
		state = err.Error()
	}
	settings, err := k.Settings()
	return keyRow{
		ID: k.ID, Name: k.Name, State: state, Workspace: k.Workspace, Project: k.Project, Owner: k.Owner,
		Models: strings.Join(k.Models, ","), Allow: strings.Join(k.Allow, ","), Tags: strings.Join(k.Tags, ","),
		Settings: string(settings), CreatedAt: k.CreatedAt, ExpiresAt: k.ExpiresAt, RevokedAt: k.RevokedAt,
	}, err
}

// split reads a comma-separated list; an empty one is nil.
func split(text string) []string {
	if text == "" {
		return nil
	}
	items := strings.Split(text, ",")
	for i := range items {
		items[i] = strings.TrimSpace(items[i])
	}
	return items
}

// day prints a time for a table, "" where there is none.
func day(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04")
}

package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/admin"
	"github.com/aistrale/aistrale/storage"
)

const (
	keyCreateUsage = `usage: aistrale key create NAME [--models a,b] [--allow FIELD,…] [--tags a,b] [--expires 90d]
       [--settings FILE] [--project P] [--owner O] [--workspace W] [--config FILE | --url URL] [--json]
       The file has what a key in the configuration may have but name, key and expires, such as
       deny_models, defaults or timeouts. What a flag says too is the flag's.`
	keyListUsage   = "usage: aistrale key list [--workspace W] [--state active|expired|revoked] [--owner O] [--project P]\n       [--config FILE | --url URL] [--json]"
	keyShowUsage   = "usage: aistrale key show ID|NAME [--workspace W] [--config FILE | --url URL] [--json]"
	keyUpdateUsage = `usage: aistrale key update ID|NAME [--models a,b] [--allow FIELD,…] [--tags a,b] [--expires 90d]
       [--settings FILE] [--project P] [--owner O] [--workspace W] [--config FILE | --url URL] [--json]
       What nothing is said of stays. The settings of the file replace all that the key had; --expires counts from now.`
	keyRotateUsage = `usage: aistrale key rotate ID|NAME [--overlap 24h] [--workspace W] [--config FILE | --url URL] [--json]
       Gives the key a new text. That of before stays good for the overlap, at most 90 days.`
	keyRevokeUsage = "usage: aistrale key revoke ID|NAME [--workspace W] [--config FILE | --url URL] [--json]"
)

// keyCommands work on virtual keys.
func keyCommands() []command {
	return []command{
		{name: "create", summary: "make a virtual key", run: keyCreate},
		{name: "list", summary: "list virtual keys, of all workspaces that you may see", run: keyList},
		{name: "show", summary: "show a virtual key with all its settings", run: keyShow},
		{name: "update", summary: "change a virtual key", run: keyUpdate},
		{name: "rotate", summary: "give a virtual key a new text", run: keyRotate},
		{name: "revoke", summary: "revoke a virtual key", run: keyRevoke},
	}
}

// keyCommand is a command that says something of a key.
type keyCommand struct {
	*workspaceCommand
	said     KeyConfig
	lists    map[string]*string // models, allow, tags
	expires  *time.Duration
	settings string
}

func newKeyCommand(env environment, usage, models string) *keyCommand {
	c := &keyCommand{lists: map[string]*string{}}
	c.workspaceCommand = newWorkspaceCommand(env, usage, "keys", storage.DefaultWorkspace, "the workspace it belongs to")
	c.lists["models"] = c.flags.String("models", models, "models that the key may use")
	c.lists["allow"] = c.flags.String("allow", "", "governed fields that the key may use")
	c.lists["tags"] = c.flags.String("tags", "", "tags of its records")
	c.expires = newDurationFlag(c.flags, "expires", 0, "how long the key is valid; 0: as it is, and for ever where it is new")
	c.flags.StringVar(&c.settings, "settings", "", "a file with settings of the key, as in the configuration")
	c.flags.StringVar(&c.said.Project, "project", "", "the project it belongs to")
	c.flags.StringVar(&c.said.Owner, "owner", "", "the user it belongs to")
	return c
}

// body gathers what the flags and the file say of a key, as the API takes it.
func (c *keyCommand) body(name string) (map[string]any, error) {
	c.said.Models, c.said.Allow, c.said.Tags = split(*c.lists["models"]), split(*c.lists["allow"]), split(*c.lists["tags"])
	file, err := readKeySettings(c.settings, c.env)
	if err != nil {
		return nil, err
	}
	flagged := map[string]bool{}
	c.flags.Visit(func(f *flag.Flag) {
		flagged[f.Name] = true
		file.override(&c.said, f.Name)
	})
	if !flagged["workspace"] {
		c.workspace = cmp.Or(file.config.Workspace, c.workspace)
	}
	k, _ := storage.NewKey(name, c.env.Now())
	if *c.expires < 0 {
		return nil, usagef("--expires is in the past\n%s", c.usage)
	}
	if err := cmp.Or(file.config.put(&k), k.Check()); err != nil {
		return nil, usagef("%s\n%s", err, c.usage)
	}
	body := map[string]any{}
	for member, list := range map[string][]string{"models": file.config.Models, "allow": file.config.Allow, "tags": file.config.Tags} {
		if list != nil || flagged[member] {
			body[member] = append([]string{}, list...)
		}
	}
	for member, text := range map[string]string{"project": file.config.Project, "owner": file.config.Owner} {
		if text != "" || flagged[member] {
			body[member] = text
		}
	}
	if *c.expires > 0 {
		body["expires_at"] = k.CreatedAt.Add(*c.expires).Truncate(time.Microsecond)
	}
	if c.settings != "" {
		settings, err := k.Settings()
		if err != nil {
			return nil, err
		}
		body["settings"] = jsontext.Value(settings)
	}
	return body, nil
}

func keyCreate(ctx context.Context, env environment, args []string) error {
	c := newKeyCommand(env, keyCreateUsage, "*")
	words, err := c.parse(args, 1)
	if err != nil {
		return err
	}
	body, err := c.body(words[0])
	if err != nil {
		return err
	}
	body["name"] = words[0]
	return c.withAPI(ctx, func(api *apiClient) error {
		var made admin.Key
		if err := api.call(ctx, http.MethodPost, c.path(), body, &made); err != nil {
			return err
		}
		return c.printNewKey(made)
	})
}

// printNewKey prints the bare key to stdout, for scripts, and all else to stderr.
func (c *workspaceCommand) printNewKey(k admin.Key) error {
	if c.json {
		return printJSON(c.env.Stdout, []keyRow{keyRowOf(&k, c.workspace)})
	}
	if _, err := fmt.Fprintf(c.env.Stderr, "Key %s (%s). It is shown once and cannot be shown again:\n", k.Name, k.ID); err != nil {
		return err
	}
	_, err := fmt.Fprintln(c.env.Stdout, k.Key)
	return err
}

func keyUpdate(ctx context.Context, env environment, args []string) error {
	c := newKeyCommand(env, keyUpdateUsage, "")
	words, err := c.parse(args, 1)
	if err != nil {
		return err
	}
	body, err := c.body("changed")
	if err != nil {
		return err
	}
	if len(body) == 0 {
		return usagef("nothing is to be changed\n%s", c.usage)
	}
	return c.withKey(ctx, words[0], func(api *apiClient, k admin.Key) error {
		if err := api.call(ctx, http.MethodPatch, c.path(k.ID), body, &k); err != nil {
			return err
		}
		return c.printKeys([]keyRow{keyRowOf(&k, c.workspace)}, "Key "+k.Name+" ("+k.ID+") is changed.")
	})
}

// withKey hands the API, and the key that is named by its id, its name or its whole text, to do.
func (c *workspaceCommand) withKey(ctx context.Context, ref string, do func(*apiClient, admin.Key) error) error {
	if id, ok := storage.ParseKey(ref); ok { // who revokes a leaked key has its whole text at hand
		ref = id
	}
	return c.withAPI(ctx, func(api *apiClient) error {
		all, err := listOf[admin.Key](ctx, api, c.path(), 0)
		if err != nil {
			return err
		}
		for _, k := range all {
			if k.ID == ref {
				return do(api, k)
			}
		}
		for _, k := range all {
			if k.Name == ref && k.State != "revoked" {
				return do(api, k)
			}
		}
		return fmt.Errorf("key %q: %w", ref, storage.ErrNotFound)
	})
}

func keyRotate(ctx context.Context, env environment, args []string) error {
	c := newWorkspaceCommand(env, keyRotateUsage, "keys", storage.DefaultWorkspace, "the workspace of the key")
	overlap := newDurationFlag(c.flags, "overlap", 0, "how long the text of before stays good")
	words, err := c.parse(args, 1)
	if err != nil {
		return err
	}
	return c.withKey(ctx, words[0], func(api *apiClient, k admin.Key) error {
		body := map[string]any{"overlap_seconds": int64(overlap.Seconds())}
		if err := api.call(ctx, http.MethodPost, c.path(k.ID, "rotate"), body, &k); err != nil {
			return err
		}
		return c.printNewKey(k)
	})
}

func keyRevoke(ctx context.Context, env environment, args []string) error {
	c := newWorkspaceCommand(env, keyRevokeUsage, "keys", storage.DefaultWorkspace, "the workspace of the key")
	words, err := c.parse(args, 1)
	if err != nil {
		return err
	}
	return c.withKey(ctx, words[0], func(api *apiClient, k admin.Key) error {
		path := c.path(k.ID)
		if err := api.call(ctx, http.MethodDelete, path, nil, nil); err != nil {
			return err
		}
		if err := api.call(ctx, http.MethodGet, path, nil, &k); err != nil {
			return err
		}
		return c.printKeys([]keyRow{keyRowOf(&k, c.workspace)}, "Key "+k.Name+" ("+k.ID+") is revoked.")
	})
}

func keyList(ctx context.Context, env environment, args []string) error {
	c := newControlCommand(env, keyListUsage)
	workspace := c.flags.String("workspace", "", "the workspace; without it all that you may see")
	asked := url.Values{}
	for name, means := range map[string]string{"state": "only those of this state", "owner": "only this user's", "project": "only this project's"} {
		c.flags.Func(name, means, func(text string) error { asked.Set(name, text); return nil })
	}
	if _, err := c.parse(args, 0); err != nil {
		return err
	}
	return c.withAPI(ctx, func(api *apiClient) error {
		workspaces, err := api.workspaces(ctx, *workspace)
		if err != nil {
			return err
		}
		rows := []keyRow{}
		for _, w := range workspaces {
			keys, err := listOf[admin.Key](ctx, api, workspacePath(w, "keys")+"&"+asked.Encode(), 0)
			if err != nil {
				return err
			}
			for i := range keys {
				rows = append(rows, keyRowOf(&keys[i], w))
			}
		}
		return c.printKeys(rows, "")
	})
}

// workspaces gives the names of those that are asked for: one, or all that the caller may see.
func (c *apiClient) workspaces(ctx context.Context, one string) ([]string, error) {
	if one != "" {
		return []string{one}, nil
	}
	found, err := listOf[admin.Workspace](ctx, c, "/workspaces", 0)
	names := make([]string, 0, len(found))
	for _, w := range found {
		names = append(names, w.Name)
	}
	return names, err
}

func keyShow(ctx context.Context, env environment, args []string) error {
	c := newWorkspaceCommand(env, keyShowUsage, "keys", storage.DefaultWorkspace, "the workspace of the key")
	words, err := c.parse(args, 1)
	if err != nil {
		return err
	}
	return c.withKey(ctx, words[0], func(_ *apiClient, k admin.Key) error {
		row := keyRowOf(&k, c.workspace)
		if c.json {
			return printJSON(env.Stdout, []keyRow{row})
		}
		return printTable(env.Stdout, [][]string{
			{"ID", row.ID}, {"NAME", row.Name}, {"STATE", row.State}, {"WORKSPACE", row.Workspace}, {"PROJECT", row.Project}, {"OWNER", row.Owner},
			{"MODELS", row.Models}, {"ALLOW", row.Allow}, {"TAGS", row.Tags}, {"SETTINGS", row.Settings},
			{"CREATED", day(&row.CreatedAt)}, {"EXPIRES", day(row.ExpiresAt)}, {"REVOKED", day(row.RevokedAt)}, {"OLD TEXT UNTIL", day(row.OldUntil)},
		})
	})
}

// printKeys prints a table, or a sentence where there is one.
func (c *controlCommand) printKeys(rows []keyRow, sentence string) error {
	switch {
	case c.json:
		return printJSON(c.env.Stdout, rows)
	case sentence != "":
		_, err := fmt.Fprintln(c.env.Stdout, sentence)
		return err
	}
	table := [][]string{{"ID", "NAME", "STATE", "MODELS", "WORKSPACE", "PROJECT", "OWNER", "CREATED", "EXPIRES"}}
	for i := range rows {
		row := &rows[i]
		table = append(table, []string{
			row.ID, row.Name, row.State, row.Models, row.Workspace, row.Project, row.Owner, day(&row.CreatedAt), day(row.ExpiresAt),
		})
	}
	return printTable(c.env.Stdout, table)
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
	OldUntil  *time.Time `json:"old_until"` // of the text before a rotation
}

func keyRowOf(k *admin.Key, workspace string) keyRow {
	return keyRow{
		ID: k.ID, Name: k.Name, Key: k.Key, State: k.State, Workspace: workspace, Project: k.Project, Owner: k.Owner,
		Models: strings.Join(k.Models, ","), Allow: strings.Join(k.Allow, ","), Tags: strings.Join(k.Tags, ","),
		Settings: string(k.Settings), CreatedAt: k.CreatedAt, ExpiresAt: k.ExpiresAt, RevokedAt: k.RevokedAt, OldUntil: k.OldUntil,
	}
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

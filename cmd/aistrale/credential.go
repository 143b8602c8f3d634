package main

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/aistrale/aistrale/providers/catalog"
	"github.com/aistrale/aistrale/storage"
)

const (
	credentialAddUsage = `usage: aistrale credential add NAME [--provider P] [--base-url URL] [--from-env VAR]
       [--project P] [--owner O] [--workspace W] [--config FILE] [--json]
       The secret is read from stdin (a pipe, or a prompt) or from the variable VAR, never from an argument.`
	credentialListUsage   = "usage: aistrale credential list [--config FILE] [--json]"
	credentialRemoveUsage = "usage: aistrale credential remove NAME [--workspace W] [--config FILE] [--json]"
)

// credentialCommands work on providers' keys.
func credentialCommands() []command {
	return []command{
		{name: "add", summary: "store a provider's key, sealed", run: credentialAdd},
		{name: "list", summary: "list credentials, masked", run: credentialList},
		{name: "remove", summary: "remove a credential", run: credentialRemove},
	}
}

func credentialAdd(ctx context.Context, env environment, args []string) error {
	c := newStoreCommand(env, credentialAddUsage)
	made := storage.Credential{}
	c.flags.StringVar(&made.Provider, "provider", "", "the provider; without it the credential's name")
	baseURL := c.flags.String("base-url", "", "where the secret may be sent; without it the provider's own address")
	fromEnv := c.flags.String("from-env", "", "the environment variable that holds the secret")
	c.flags.StringVar(&made.Project, "project", "", "the project it belongs to")
	c.flags.StringVar(&made.Owner, "owner", "", "the user it belongs to")
	c.flags.StringVar(&made.Workspace, "workspace", storage.DefaultWorkspace, "the workspace it belongs to")
	words, err := c.parse(args, 1)
	if err != nil {
		return err
	}
	made.Name = words[0]
	made.Provider = cmp.Or(made.Provider, made.Name)
	if err := made.CheckNames(); err != nil {
		return usagef("%s\n%s", err, c.usage)
	}
	return c.withStore(ctx, func(store nounStore, config *Config) error {
		address, err := config.baseURL(made.Provider, *baseURL)
		if err != nil {
			return err
		}
		if err := c.seal(ctx, store, sealing{&made, config, address, *fromEnv}); err != nil {
			return err
		}
		if err := store.PutCredential(ctx, made); err != nil {
			return err
		}
		return c.printNewCredential(made, config)
	})
}

// sealing is what a new credential is made of.
type sealing struct {
	made    *storage.Credential
	config  *Config
	baseURL string
	fromEnv string
}

// seal opens the vault before it asks for the secret: nobody should paste one to be told that
// there is no master key.
func (c *storeCommand) seal(ctx context.Context, store dataKeyStore, s sealing) error {
	wrapper, err := loadMasterKey(c.env.Getenv, s.config.DataDir, s.config.Developer)
	if err != nil {
		return err
	}
	vault, err := sealingVault(ctx, store, wrapper, c.env.Now())
	if err != nil {
		return err
	}
	secret, err := c.env.secret(ctx, s.fromEnv, "Secret of "+s.made.Name+": ")
	if err != nil {
		return err
	}
	return s.made.Seal(vault, secret, s.baseURL, c.env.Now())
}

// baseURL is where a provider's secret may be sent: what was asked for, else what the
// configuration says, else what the catalogue knows.
func (c *Config) baseURL(provider, asked string) (string, error) {
	if asked != "" {
		return asked, nil
	}
	var at catalog.Settings
	kind := provider
	for i := range c.Providers {
		if p := &c.Providers[i]; p.Name == provider {
			at, kind = p.settings(), p.kind()
		}
	}
	if known, ok := catalog.At(kind, at); ok {
		at.BaseURL = known.BaseURL
	}
	if at.BaseURL != "" {
		return at.BaseURL, nil
	}
	return "", usagef("provider %q: neither the configuration nor the catalogue knows its address, give --base-url", provider)
}

func (c *storeCommand) printNewCredential(made storage.Credential, config *Config) error {
	for _, p := range config.Providers {
		if p.Name != made.Provider || p.APIKey.Empty() && !p.NoKey {
			continue
		}
		_, err := fmt.Fprintf(c.env.Stderr, "Note: api_key of provider %s in %s goes before this credential.\n", p.Name, config.File)
		if err != nil {
			return err
		}
	}
	if c.json {
		return printJSON(c.env.Stdout, []credentialRow{credentialRowOf(made)})
	}
	_, err := fmt.Fprintf(c.env.Stdout, "Credential %s is stored for %s.\n", made.Name, made.Target)
	return err
}

func credentialList(ctx context.Context, env environment, args []string) error {
	c := newStoreCommand(env, credentialListUsage)
	if _, err := c.parse(args, 0); err != nil {
		return err
	}
	return c.withStore(ctx, func(store nounStore, _ *Config) error { return c.printCredentials(ctx, store) })
}

func (c *storeCommand) printCredentials(ctx context.Context, store secretStore) error {
	credentials, err := store.Credentials(ctx)
	if err != nil {
		return err
	}
	rows := make([]credentialRow, 0, len(credentials))
	table := [][]string{{"NAME", "PROVIDER", "TARGET", "ENDS IN", "WORKSPACE", "PROJECT", "OWNER", "UPDATED", "USED"}}
	for _, one := range credentials {
		row := credentialRowOf(one)
		rows = append(rows, row)
		table = append(table, []string{
			row.Name, row.Provider, row.Target, row.Hint, row.Workspace, row.Project, row.Owner, day(&row.UpdatedAt), day(row.LastUsedAt),
		})
	}
	if c.json {
		return printJSON(c.env.Stdout, rows)
	}
	return printTable(c.env.Stdout, table)
}

func credentialRemove(ctx context.Context, env environment, args []string) error {
	c := newStoreCommand(env, credentialRemoveUsage)
	workspace := c.flags.String("workspace", storage.DefaultWorkspace, "the workspace of the credential")
	words, err := c.parse(args, 1)
	if err != nil {
		return err
	}
	return c.withStore(ctx, func(store nounStore, _ *Config) error {
		if err := store.RemoveCredential(ctx, *workspace, words[0]); err != nil {
			return err
		}
		return c.printDone(words[0], "Credential "+words[0]+" is removed.")
	})
}

// credentialRow is a credential as --json prints it: flat, and nothing that is sealed.
type credentialRow struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Provider   string     `json:"provider"`
	Target     string     `json:"target"`
	Hint       string     `json:"hint"`
	Workspace  string     `json:"workspace"`
	Project    string     `json:"project"`
	Owner      string     `json:"owner"`
	DataKey    string     `json:"data_key"`
	CreatedAt  time.Time  `json:"created_at"`
	UpdatedAt  time.Time  `json:"updated_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
}

func credentialRowOf(c storage.Credential) credentialRow {
	return credentialRow{
		ID: c.ID, Name: c.Name, Provider: c.Provider, Target: c.Target, Hint: c.Hint,
		Workspace: c.Workspace, Project: c.Project, Owner: c.Owner, DataKey: c.DataKeyID,
		CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt, LastUsedAt: c.LastUsedAt,
	}
}

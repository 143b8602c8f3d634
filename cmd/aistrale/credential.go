package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"

	"github.com/aistrale/aistrale/admin"
	"github.com/aistrale/aistrale/providers/catalog"
	"github.com/aistrale/aistrale/storage"
)

const (
	credentialAddUsage = `usage: aistrale credential add NAME [--provider P] [--base-url URL] [--from-env VAR] [--default] [--label TEXT]
       [--project P] [--owner O] [--workspace W] [--config FILE | --url URL] [--json]
       The secret is read from stdin (a pipe, or a prompt) or from the variable VAR, never from an argument.
       It replaces the secret of a credential that has the name already.`
	credentialListUsage    = "usage: aistrale credential list [--workspace W] [--config FILE | --url URL] [--json]"
	credentialShowUsage    = "usage: aistrale credential show NAME [--workspace W] [--config FILE | --url URL] [--json]"
	credentialTestUsage    = "usage: aistrale credential test NAME [--workspace W] [--config FILE | --url URL] [--json]"
	credentialDefaultUsage = "usage: aistrale credential default NAME [--workspace W] [--config FILE | --url URL] [--json]"
	credentialLabelUsage   = "usage: aistrale credential label NAME TEXT [--workspace W] [--config FILE | --url URL] [--json]"
	credentialRemoveUsage  = "usage: aistrale credential remove NAME [--workspace W] [--config FILE | --url URL] [--json]"
)

// credentialCommands work on providers' keys.
func credentialCommands() []command {
	return []command{
		{name: "add", summary: "store a provider's key, sealed", run: credentialAdd},
		{name: "list", summary: "list credentials, masked", run: credentialList},
		{name: "show", summary: "show a credential, masked", run: credentialShow},
		{name: "test", summary: "try a credential at its provider", run: credentialTest},
		{name: "default", summary: "make a credential its workspace's first choice", run: credentialDefault},
		{name: "label", summary: "say what a credential is", run: credentialLabel},
		{name: "remove", summary: "remove a credential", run: credentialRemove},
	}
}

// credentialCommand is a command about credentials of a workspace.
type credentialCommand struct{ *workspaceCommand }

func newCredentialCommand(env environment, usage, workspace string) *credentialCommand {
	return &credentialCommand{newWorkspaceCommand(env, usage, "credentials", workspace, "the workspace of the credential")}
}

func credentialAdd(ctx context.Context, env environment, args []string) error {
	c := newCredentialCommand(env, credentialAddUsage, storage.DefaultWorkspace)
	provider := c.flags.String("provider", "", "the provider; without it the credential's name")
	baseURL := c.flags.String("base-url", "", "where the secret may be sent; without it the provider's own address")
	fromEnv := c.flags.String("from-env", "", "the environment variable that holds the secret")
	first := c.flags.Bool("default", false, "make it the workspace's first choice among the provider's")
	label := c.flags.String("label", "", "what people say of it")
	project := c.flags.String("project", "", "the project it belongs to")
	owner := c.flags.String("owner", "", "the user it belongs to")
	words, err := c.parse(args, 1)
	if err != nil {
		return err
	}
	name := words[0]
	if err := storage.CheckName("credential", name); err != nil {
		return usagef("%s\n%s", err, c.usage)
	}
	secret, err := env.secret(ctx, *fromEnv, "Secret of "+name+": ")
	if err != nil {
		return err
	}
	body := map[string]any{"provider": cmp.Or(*provider, name), "secret": secret.Reveal()}
	for member, text := range map[string]string{"base_url": *baseURL, "label": *label, "project": *project, "owner": *owner} {
		if text != "" {
			body[member] = text
		}
	}
	if *first {
		body["default"] = true
	}
	return c.withAPI(ctx, func(api *apiClient) error {
		method, path := http.MethodPatch, c.path(name)
		if api.call(ctx, http.MethodGet, path, nil, nil) != nil {
			method, path, body["name"] = http.MethodPost, c.path(), name
		}
		var made admin.Credential
		if err := api.call(ctx, method, path, body, &made); err != nil {
			return err
		}
		return c.printNewCredential(made)
	})
}

func (c *credentialCommand) printNewCredential(made admin.Credential) error {
	if made.Overridden {
		if _, err := fmt.Fprintf(c.env.Stderr, "Note: api_key of provider %s in the configuration goes before this credential.\n", made.Provider); err != nil {
			return err
		}
	}
	return c.printCredentials([]admin.Credential{made}, "Credential "+made.Name+" is stored for "+made.Target+".")
}

// baseURL is where a provider's secret may be sent: what the configuration says, else what the
// catalogue knows.
func (c *Config) baseURL(provider string) (string, error) {
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
	return "", fmt.Errorf("neither the configuration nor the catalogue knows the address of %q, give base_url (--base-url)", provider)
}

func credentialList(ctx context.Context, env environment, args []string) error {
	c := newCredentialCommand(env, credentialListUsage, storage.Everywhere)
	if _, err := c.parse(args, 0); err != nil {
		return err
	}
	return c.withAPI(ctx, func(api *apiClient) error {
		all, err := listOf[admin.Credential](ctx, api, c.path(), 0)
		if err != nil {
			return err
		}
		return c.printCredentials(all, "")
	})
}

func credentialShow(ctx context.Context, env environment, args []string) error {
	c := newCredentialCommand(env, credentialShowUsage, storage.DefaultWorkspace)
	words, err := c.parse(args, 1)
	if err != nil {
		return err
	}
	return c.callOne(ctx, http.MethodGet, words[0], nil)
}

func credentialDefault(ctx context.Context, env environment, args []string) error {
	c := newCredentialCommand(env, credentialDefaultUsage, storage.DefaultWorkspace)
	words, err := c.parse(args, 1)
	if err != nil {
		return err
	}
	return c.callOne(ctx, http.MethodPatch, words[0], map[string]any{"default": true})
}

func credentialLabel(ctx context.Context, env environment, args []string) error {
	c := newCredentialCommand(env, credentialLabelUsage, storage.DefaultWorkspace)
	words, err := c.parse(args, 2)
	if err != nil {
		return err
	}
	return c.callOne(ctx, http.MethodPatch, words[0], map[string]any{"label": words[1]})
}

// callOne asks for, or changes, a credential and prints it as it is then.
func (c *credentialCommand) callOne(ctx context.Context, method, name string, body any) error {
	return c.withAPI(ctx, func(api *apiClient) error {
		var one admin.Credential
		if err := api.call(ctx, method, c.path(name), body, &one); err != nil {
			return err
		}
		return c.printCredentials([]admin.Credential{one}, "")
	})
}

// credentialTest fails where the provider does not take the credential, so that scripts notice.
func credentialTest(ctx context.Context, env environment, args []string) error {
	c := newCredentialCommand(env, credentialTestUsage, storage.DefaultWorkspace)
	words, err := c.parse(args, 1)
	if err != nil {
		return err
	}
	return c.withAPI(ctx, func(api *apiClient) error {
		var test admin.Tested
		if err := api.call(ctx, http.MethodPost, c.path(words[0], "test"), nil, &test); err != nil {
			return err
		}
		if err := c.printTest(words[0], test); err != nil {
			return err
		}
		if test.Outcome != "ok" && test.Outcome != "answered" {
			return fmt.Errorf("credential %s: %s", words[0], test.Outcome)
		}
		return nil
	})
}

func (c *credentialCommand) printTest(name string, test admin.Tested) error {
	if c.json {
		return printJSON(c.env.Stdout, []admin.Tested{test})
	}
	status := ""
	if test.Status != 0 {
		status = fmt.Sprint(test.Status)
	}
	return printTable(c.env.Stdout, [][]string{
		{"NAME", "OUTCOME", "STATUS", "LATENCY", "MESSAGE"}, {name, test.Outcome, status, fmt.Sprintf("%d ms", test.LatencyMS), test.Message},
	})
}

// printCredentials prints a table, or a sentence where there is one.
func (c *credentialCommand) printCredentials(all []admin.Credential, sentence string) error {
	rows := make([]credentialRow, 0, len(all))
	table := [][]string{{"NAME", "PROVIDER", "TARGET", "ENDS IN", "WORKSPACE", "PROJECT", "OWNER", "DEFAULT", "LABEL", "UPDATED", "USED", "LAST TEST"}}
	for _, one := range all {
		row := credentialRowOf(one)
		rows = append(rows, row)
		table = append(table, []string{
			row.Name, row.Provider, row.Target, row.Hint, row.Workspace, row.Project, row.Owner, yes(row.Default), row.Label,
			day(&row.UpdatedAt), day(row.LastUsedAt), row.LastTest,
		})
	}
	return c.print(rows, table, sentence)
}

// credentialRow is a credential as --json prints it: flat.
type credentialRow struct {
	admin.Credential `json:",inline"`
	LastTest         string `json:"last_test"` // its outcome
}

func credentialRowOf(c admin.Credential) credentialRow {
	row := credentialRow{Credential: c}
	if c.LastTest != nil {
		row.LastTest = c.LastTest.Outcome
	}
	row.Credential.LastTest = nil
	return row
}

func credentialRemove(ctx context.Context, env environment, args []string) error {
	c := newCredentialCommand(env, credentialRemoveUsage, storage.DefaultWorkspace)
	words, err := c.parse(args, 1)
	if err != nil {
		return err
	}
	return c.withAPI(ctx, func(api *apiClient) error {
		if err := api.call(ctx, http.MethodDelete, c.path(words[0]), nil, nil); err != nil {
			return err
		}
		return c.printDone(words[0], "Credential "+words[0]+" is removed.")
	})
}

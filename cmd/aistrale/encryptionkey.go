package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/aistrale/aistrale/admin"
)

const (
	encryptionKeyListUsage   = "usage: aistrale encryption-key list [--config FILE | --url URL] [--json]"
	encryptionKeyRotateUsage = `usage: aistrale encryption-key rotate [--config FILE | --url URL] [--json]
       Makes a new data key. Running gateways seal everything under it, while they serve, and then
       remove the old one: encryption-key list shows how far they are.`
	encryptionKeyRewrapUsage = `usage: aistrale encryption-key rewrap [--config FILE | --url URL] [--json]
       Has every data key wrapped by the master key of now, which replaces AISTRALE_MASTER_KEY_OLD.
       A gateway does so when it starts.`
)

// encryptionKeyCommands work on the keys that secrets are sealed under.
func encryptionKeyCommands() []command {
	return []command{
		{name: "list", summary: "list data keys, and how far a rotation is", run: func(ctx context.Context, env environment, args []string) error {
			return encryptionKeys(ctx, newControlCommand(env, encryptionKeyListUsage), args, http.MethodGet, "")
		}},
		{name: "rotate", summary: "make a new data key", run: func(ctx context.Context, env environment, args []string) error {
			return encryptionKeys(ctx, newControlCommand(env, encryptionKeyRotateUsage), args, http.MethodPost, "/rotate")
		}},
		{name: "rewrap", summary: "wrap data keys by the master key of now", run: func(ctx context.Context, env environment, args []string) error {
			return encryptionKeys(ctx, newControlCommand(env, encryptionKeyRewrapUsage), args, http.MethodPost, "/rewrap")
		}},
	}
}

func encryptionKeys(ctx context.Context, c *controlCommand, args []string, method, part string) error {
	if _, err := c.parse(args, 0); err != nil {
		return err
	}
	return c.withAPI(ctx, func(api *apiClient) error {
		var all admin.EncryptionKeys
		if err := api.call(ctx, method, "/encryption-keys"+part, nil, &all); err != nil {
			return err
		}
		return c.printEncryptionKeys(&all)
	})
}

// encryptionKeyRow is a data key as --json prints one: flat.
type encryptionKeyRow struct {
	admin.EncryptionKey `json:",inline"`
	ByTable             string `json:"by_table"` // "credentials=2,turns=7"
}

func (c *controlCommand) printEncryptionKeys(all *admin.EncryptionKeys) error {
	rows := []encryptionKeyRow{}
	table := [][]string{{"ID", "STATE", "CREATED", "ROWS", "OF"}}
	for _, k := range all.Data {
		var of []string
		for name, n := range k.ByTable {
			of = append(of, fmt.Sprintf("%s=%d", name, n))
		}
		slices.Sort(of)
		row := encryptionKeyRow{EncryptionKey: k, ByTable: strings.Join(of, ",")}
		row.EncryptionKey.ByTable = nil
		rows = append(rows, row)
		table = append(table, []string{k.ID, k.State, day(&k.CreatedAt), fmt.Sprint(k.Rows), row.ByTable})
	}
	if c.json {
		return printJSON(c.env.Stdout, rows)
	}
	if err := printTable(c.env.Stdout, table); err != nil || !all.Rotating {
		return err
	}
	_, err := fmt.Fprintf(c.env.Stdout, "%d of %d rows are to be sealed anew.\n", all.Left, all.Rows)
	return err
}

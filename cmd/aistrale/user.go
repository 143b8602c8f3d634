package main

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/aistrale/aistrale/admin"
	"github.com/aistrale/aistrale/storage"
)

const (
	userCreateUsage = `usage: aistrale user create NAME [--role admin|engineer|auditor|viewer] [--workspace W] [--no-password]
       [--from-env VAR] [--config FILE | --url URL] [--json]
       The password is read from stdin (a pipe, or a prompt) or from the variable VAR, never from an argument.
       Without --workspace the role holds everywhere.`
	userListUsage    = "usage: aistrale user list [--config FILE | --url URL] [--json]"
	userRoleUsage    = "usage: aistrale user role NAME ROLE|none [--workspace W] [--config FILE | --url URL] [--json]"
	userDisableUsage = "usage: aistrale user disable NAME [--config FILE | --url URL] [--json]"
	userEnableUsage  = "usage: aistrale user enable NAME [--config FILE | --url URL] [--json]"
	userRemoveUsage  = "usage: aistrale user remove NAME [--config FILE | --url URL] [--json]"
)

// userCommands manage who may come into the control plane.
func userCommands() []command {
	return []command{
		{name: "create", summary: "make a user, with a role", run: userCreate},
		{name: "list", summary: "list users and their roles", run: userList},
		{name: "role", summary: "give a user a role somewhere, or take it", run: userRole},
		{name: "disable", summary: "let a user in no more", run: func(ctx context.Context, env environment, args []string) error {
			return userDisabled(ctx, newControlCommand(env, userDisableUsage), args, true)
		}},
		{name: "enable", summary: "let a user in again", run: func(ctx context.Context, env environment, args []string) error {
			return userDisabled(ctx, newControlCommand(env, userEnableUsage), args, false)
		}},
		{name: "remove", summary: "remove a user, with sessions and tokens", run: userRemove},
	}
}

func userCreate(ctx context.Context, env environment, args []string) error {
	c := newControlCommand(env, userCreateUsage)
	role := c.flags.String("role", string(storage.RoleViewer), "what the user is")
	workspace := c.flags.String("workspace", storage.Everywhere, "where")
	without := c.flags.Bool("no-password", false, "the user signs in at the identity provider")
	fromEnv := c.flags.String("from-env", "", "the environment variable that holds the password")
	words, err := c.parse(args, 1)
	if err != nil {
		return err
	}
	body := map[string]any{"name": words[0], "memberships": []admin.Membership{{Workspace: *workspace, Role: storage.Role(*role)}}}
	if !*without {
		password, err := env.password(ctx, *fromEnv, "Password of "+words[0]+": ")
		if err != nil {
			return err
		}
		body["password"] = password.Reveal()
	}
	return c.withAPI(ctx, func(api *apiClient) error {
		var made admin.User
		if err := api.call(ctx, http.MethodPost, "/users", body, &made); err != nil {
			return err
		}
		return c.printUsers([]admin.User{made}, "User "+made.Name+" is made.")
	})
}

func userList(ctx context.Context, env environment, args []string) error {
	c := newControlCommand(env, userListUsage)
	if _, err := c.parse(args, 0); err != nil {
		return err
	}
	return c.withAPI(ctx, func(api *apiClient) error {
		users, err := listOf[admin.User](ctx, api, "/users", 0)
		if err != nil {
			return err
		}
		return c.printUsers(users, "")
	})
}

// printUsers prints a table, or a sentence where there is one.
func (c *controlCommand) printUsers(users []admin.User, sentence string) error {
	rows := make([]userRow, 0, len(users))
	table := [][]string{{"NAME", "ROLES", "PASSWORD", "CREATED", "SIGNED IN", "DISABLED"}}
	for _, u := range users {
		row := userRowOf(u)
		rows = append(rows, row)
		table = append(table, []string{u.Name, row.Roles, yes(u.HasPassword), day(&u.CreatedAt), day(u.SignedInAt), day(u.DisabledAt)})
	}
	return c.print(rows, table, sentence)
}

// userRow is a user as --json prints one: flat.
type userRow struct {
	admin.User `json:",inline"`
	Roles      string `json:"memberships"` // "*=admin,team=viewer"
}

func userRowOf(u admin.User) userRow {
	var roles []string
	for _, m := range u.Memberships {
		roles = append(roles, m.Workspace+"="+string(m.Role))
	}
	u.Memberships = nil
	return userRow{User: u, Roles: strings.Join(roles, ",")}
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

func userRole(ctx context.Context, env environment, args []string) error {
	c := newControlCommand(env, userRoleUsage)
	workspace := c.flags.String("workspace", storage.Everywhere, "where")
	words, err := c.parse(args, 2)
	if err != nil {
		return err
	}
	return c.withAPI(ctx, func(api *apiClient) error {
		path := "/users/" + url.PathEscape(words[0])
		var u admin.User
		if err := api.call(ctx, http.MethodGet, path, nil, &u); err != nil {
			return err
		}
		memberships := []admin.Membership{}
		for _, m := range u.Memberships {
			if m.Workspace != *workspace {
				memberships = append(memberships, m)
			}
		}
		if words[1] != "none" {
			memberships = append(memberships, admin.Membership{Workspace: *workspace, Role: storage.Role(words[1])})
		}
		if err := api.call(ctx, http.MethodPatch, path, map[string]any{"memberships": memberships}, &u); err != nil {
			return err
		}
		return c.printUsers([]admin.User{u}, "")
	})
}

func userDisabled(ctx context.Context, c *controlCommand, args []string, disabled bool) error {
	words, err := c.parse(args, 1)
	if err != nil {
		return err
	}
	return c.withAPI(ctx, func(api *apiClient) error {
		var u admin.User
		if err := api.call(ctx, http.MethodPatch, "/users/"+url.PathEscape(words[0]), map[string]any{"disabled": disabled}, &u); err != nil {
			return err
		}
		return c.printUsers([]admin.User{u}, "")
	})
}

func userRemove(ctx context.Context, env environment, args []string) error {
	c := newControlCommand(env, userRemoveUsage)
	words, err := c.parse(args, 1)
	if err != nil {
		return err
	}
	return c.withAPI(ctx, func(api *apiClient) error {
		if err := api.call(ctx, http.MethodDelete, "/users/"+url.PathEscape(words[0]), nil, nil); err != nil {
			return err
		}
		return c.printDone(words[0], "User "+words[0]+" is removed.")
	})
}

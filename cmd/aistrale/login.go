package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"

	"github.com/aistrale/aistrale/admin"
	"github.com/aistrale/aistrale/storage"
)

const (
	loginUsage = `usage: aistrale login --url URL [--user NAME] [--from-env VAR] [--profile P]
       Keeps the address and an API token of a running gateway in a file that only you may read
       ($XDG_CONFIG_HOME/aistrale/config.yaml or ~/.config/aistrale/config.yaml). The token is read from stdin
       (a pipe, or a prompt) or from the variable VAR, never from an argument.
       With --user it is NAME's password that is read, and a token is made with it, which logout revokes.`
	logoutUsage = "usage: aistrale logout [--profile P]"
)

// runLogin keeps the address and the token of a gateway.
func runLogin(ctx context.Context, env environment, args []string) error {
	c := newBareCommand(env, loginUsage)
	address := c.flags.String("url", "", "the control plane of a running gateway")
	user := c.flags.String("user", "", "whose password is read, in the place of a token")
	fromEnv := c.flags.String("from-env", "", "the environment variable that holds the token or the password")
	name := c.flags.String("profile", cmp.Or(env.Getenv("AISTRALE_PROFILE"), defaultProfile), "under which name they are kept")
	if _, err := c.parse(args, 0); err != nil {
		return err
	}
	if *address == "" {
		return usagef("--url is missing\n%s", loginUsage)
	}
	known, err := loadProfiles(env.Getenv)
	if err != nil {
		return err
	}
	made := profile{URL: *address}
	if err := c.signIn(ctx, &made, *user, *fromEnv); err != nil {
		return err
	}
	var me admin.Me
	if err := newAPIClient(made.URL, storage.NewSecret(made.Token)).call(ctx, http.MethodGet, "/me", nil, &me); err != nil {
		return err
	}
	known.Named[*name], known.Current = made, *name
	if err := known.save(); err != nil {
		return err
	}
	if unguarded(*address) {
		if _, err := fmt.Fprintln(env.Stderr, "Note: http shows the token to everybody on the way; use https."); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(env.Stdout, "Signed in at %s as %s (profile %s).\n", *address, cmp.Or(me.User, "the installation's own token"), *name)
	return err
}

// unguarded reports whether what is sent to an address leaves the machine in the clear.
func unguarded(address string) bool {
	at, err := url.Parse(address)
	return err == nil && at.Scheme == "http" && !slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, at.Hostname())
}

// signIn reads the token, or makes one with a user's password.
func (c *storeCommand) signIn(ctx context.Context, made *profile, user, fromEnv string) error {
	if user == "" {
		token, err := c.env.secret(ctx, fromEnv, "API token for "+made.URL+": ")
		made.Token = token.Reveal()
		return err
	}
	password, err := c.env.password(ctx, fromEnv, "Password of "+user+": ")
	if err != nil {
		return err
	}
	api := newAPIClient(made.URL, storage.Secret{})
	if err := api.signIn(ctx, user, password); err != nil {
		return err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	var token admin.Token
	err = api.call(ctx, http.MethodPost, "/me/tokens", map[string]any{"name": "cli@" + host}, &token)
	made.Token, made.TokenID = token.Token, token.ID
	return errors.Join(err, api.call(ctx, http.MethodDelete, "/session", nil, nil))
}

// runLogout forgets a gateway, and ends the token where login made it.
func runLogout(ctx context.Context, env environment, args []string) error {
	c := newBareCommand(env, logoutUsage)
	name := c.flags.String("profile", env.Getenv("AISTRALE_PROFILE"), "which one; without it the current one")
	if _, err := c.parse(args, 0); err != nil {
		return err
	}
	known, err := loadProfiles(env.Getenv)
	if err != nil {
		return err
	}
	gone := cmp.Or(*name, known.Current)
	if gone == "" {
		return errors.New("you are not signed in anywhere")
	}
	old, err := known.named(gone)
	if err != nil {
		return err
	}
	var ended error
	if old.TokenID != "" {
		ended = newAPIClient(old.URL, storage.NewSecret(old.Token)).call(ctx, http.MethodDelete, "/me/tokens/"+old.TokenID, nil, nil)
	}
	delete(known.Named, gone)
	if known.Current == gone {
		known.Current = ""
	}
	if err := known.save(); err != nil {
		return err
	}
	if ended != nil {
		return fmt.Errorf("profile %s is forgotten, but its token could not be revoked and may still be good: %w", gone, ended)
	}
	_, err = fmt.Fprintf(env.Stdout, "Profile %s is forgotten.\n", gone)
	return err
}

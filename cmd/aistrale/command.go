package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// command is one word of the command line: what it does, or the commands under it, or both. The
// table of them (commands) is what help, completion and docs/cli.md tell.
type command struct {
	name, summary string
	run           func(context.Context, environment, []string) error
	under         []command
}

// commands is the program's table of contents.
func commands() []command {
	return []command{
		{name: "serve", summary: "run the gateway (without --config: developer mode, on loopback)", run: runServe},
		{name: "check", summary: "say what is wrong with a config file", run: runCheck},
		{name: "health", summary: "ask a running gateway whether it takes traffic", run: runHealth},
		{name: "login", summary: "keep the address and the token of a running gateway, for the commands below", run: runLogin},
		{name: "logout", summary: "forget them, and end the token", run: runLogout},
		{name: "user", summary: "who manages the gateway", under: userCommands()},
		{name: "key", summary: "virtual keys", under: keyCommands()},
		{name: "credential", summary: "providers' keys", under: credentialCommands()},
		{name: "log", summary: "what running gateways log", under: logCommands()},
		{name: "encryption-key", summary: "keys that secrets are sealed under", under: encryptionKeyCommands()},
		{name: "prompt", summary: "stored prompts, their versions and labels", under: promptCommands()},
		{name: "usage", summary: "say what was spent, by whom and on what", run: usageSums, under: usageCommands()},
		{name: "request", summary: "what became of requests, and why", under: requestCommands()},
		{name: "payload", summary: "what is kept of what was asked and answered", under: payloadCommands()},
		{name: "audit", summary: "who did what in the control plane", under: auditCommands()},
		{name: "webhook", summary: "who is told of what happens", under: webhookCommands()},
		{name: "import", summary: "take over what another gateway has", under: importCommands()},
		{name: "prices", summary: "what models cost", under: pricesCommands()},
		{name: "migrate", summary: "bring the stores to this release's schema", run: runMigrate},
		{name: "backup", summary: "copy the stores into one file", run: runBackup},
		{name: "restore", summary: "put a backup into an empty store", run: runRestore},
		{name: "mock", summary: "run the provider emulator on its own", run: runMock},
		{name: "completion", summary: "print a script with which a shell completes these words", under: completionCommands()},
		{name: "version", summary: "print the version", run: runVersion},
	}
}

// named finds a command of a table.
func named(table []command, name string) (*command, bool) {
	i := slices.IndexFunc(table, func(c command) bool { return c.name == name })
	if i < 0 {
		return nil, false
	}
	return &table[i], true
}

// do runs the command, or the one under it that the first word names. path is the words before it.
func (c *command) do(ctx context.Context, env environment, path string, args []string) error {
	path += " " + c.name
	switch {
	case len(c.under) == 0:
		return helped(c.run(ctx, env, args))
	case len(args) == 0 && c.run == nil:
		return usagef("%s", c.contents(path))
	case len(args) > 0 && (args[0] == "help" || args[0] == "-h" || args[0] == "--help"):
		if c.run != nil {
			return helped(c.helpBoth(ctx, env, path))
		}
		_, err := fmt.Fprintln(env.Stdout, c.contents(path))
		return err
	case len(args) == 0 || c.run != nil && strings.HasPrefix(args[0], "-"):
		return helped(c.run(ctx, env, args))
	}
	if under, ok := named(c.under, args[0]); ok {
		return under.do(ctx, env, path, args[1:])
	}
	return usagef("no such command%s\n%s", hint(args[0], namesOf(c.under)), c.contents(path))
}

// helpBoth explains a command that does something itself and has others under it.
func (c *command) helpBoth(ctx context.Context, env environment, path string) error {
	err := helped(c.run(ctx, env, []string{"--help"}))
	if err == nil {
		_, err = fmt.Fprintln(env.Stdout, "\n"+c.contents(path))
	}
	return err
}

// contents lists what is under a command.
func (c *command) contents(path string) string {
	var text strings.Builder
	text.WriteString("usage:" + path + " COMMAND [flags]\n\n")
	list(&text, c.under)
	text.WriteString("\nEvery command explains its flags with --help.")
	return text.String()
}

// list writes a line for each command of a table.
func list(text *strings.Builder, table []command) {
	width := 0
	for _, c := range table {
		width = max(width, len(c.name))
	}
	for _, c := range table {
		fmt.Fprintf(text, "  %-*s  %s", width, c.name, c.summary)
		if len(c.under) > 0 {
			fmt.Fprintf(text, " (%s)", strings.Join(namesOf(c.under), ", "))
		}
		text.WriteString("\n")
	}
}

func namesOf(table []command) []string {
	names := make([]string, 0, len(table))
	for _, c := range table {
		names = append(names, c.name)
	}
	return names
}

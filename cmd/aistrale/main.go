// Command aistrale is the gateway, and the commands that operate it. It wires the packages
// together and holds no logic of a request.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// version and revision are set by the build.
var (
	version  = "dev"
	revision = ""
)

// command is one word of the command line.
type command struct {
	name, summary string
	run           func(context.Context, environment, []string) error
}

func commands() []command {
	return []command{
		{"serve", "run the gateway (without --config: developer mode, on loopback)", runServe},
		{"check", "say what is wrong with a config file", runCheck},
		{"user", "create, list, change and remove who manages the gateway", runUser},
		{"key", "create, list and revoke virtual keys", runKey},
		{"credential", "add, list and remove providers' keys", runCredential},
		{"usage", "say what was spent, by whom and on what", runUsage},
		{"audit", "show, export and verify who did what in the control plane", runAudit},
		{"prices", "show what models cost, and import public lists", runPrices},
		{"migrate", "bring the stores to this release's schema", runMigrate},
		{"backup", "copy the stores into one file", runBackup},
		{"restore", "put a backup into an empty store", runRestore},
		{"mock", "run the provider emulator on its own", runMock},
		{"version", "print the version", runVersion},
	}
}

func main() {
	// A second signal ends the program at once.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	env := environment{Getenv: os.Getenv, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Now: time.Now}
	os.Exit(run(ctx, env, os.Args[1:]))
}

// run is the program: 0 done, 1 failed, 2 wrong usage.
func run(ctx context.Context, env environment, args []string) int {
	if len(args) == 0 || args[0] == "help" || args[0] == "--help" || args[0] == "-h" {
		printUsage(env.Stdout)
		if len(args) == 0 {
			return 2
		}
		return 0
	}
	if args[0] == "--version" || args[0] == "-v" {
		args = append([]string{"version"}, args[1:]...)
	}
	for _, c := range commands() {
		if c.name != args[0] {
			continue
		}
		err := c.run(ctx, env, args[1:])
		if err == nil {
			return 0
		}
		_, _ = fmt.Fprintf(env.Stderr, "aistrale %s: %v\n", c.name, err)
		var usage *usageError
		if errors.As(err, &usage) {
			return 2
		}
		return 1
	}
	_, _ = fmt.Fprintf(env.Stderr, "aistrale: unknown command %q\n\n", args[0])
	printUsage(env.Stderr)
	return 2
}

func printUsage(w io.Writer) {
	_, _ = fmt.Fprint(w, "aistrale: one gateway between your software and its LLM providers\n\nusage: aistrale COMMAND [flags]\n\n")
	for _, c := range commands() {
		_, _ = fmt.Fprintf(w, "  %-11s %s\n", c.name, c.summary)
	}
	_, _ = fmt.Fprint(w, "\nEvery command explains its flags with --help.\n")
}

func runVersion(_ context.Context, env environment, args []string) error {
	if len(args) > 0 {
		return usagef("takes no arguments")
	}
	_, err := fmt.Fprintln(env.Stdout, versionText())
	return err
}

func versionText() string {
	if revision == "" {
		return "aistrale " + version
	}
	return "aistrale " + version + " (" + revision + ")"
}

// Command aistrale is the gateway, and the commands that operate it. It wires the packages
// together and holds no logic of a request.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// version and revision are set by the build.
var (
	version  = "dev"
	revision = ""
)

func main() {
	if serves(os.Args[1:]) {
		_ = calmMonitor() // before signals are caught, or one might be lost; without it the gateway is only slower
	}
	// A second signal ends the program at once.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	env := environment{Getenv: os.Getenv, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Now: time.Now}
	os.Exit(run(ctx, env, os.Args[1:]))
}

// serves reports whether the gateway is asked to run, and not how it is.
func serves(args []string) bool {
	return len(args) > 0 && args[0] == "serve" && !slices.ContainsFunc(args[1:], func(arg string) bool {
		return slices.Contains([]string{"-h", "--h", "-help", "--help"}, arg)
	})
}

// run is the program: 0 done, 1 failed, 2 wrong usage.
func run(ctx context.Context, env environment, args []string) int {
	args = spelled(args)
	if len(args) == 0 {
		_, _ = fmt.Fprint(env.Stdout, contents())
		return 2
	}
	if args[0] == "help" {
		_, _ = fmt.Fprint(env.Stdout, contents())
		return 0
	}
	c, ok := named(commands(), args[0])
	if !ok {
		_, _ = fmt.Fprintf(env.Stderr, "aistrale: unknown command %q%s\n\n%s", args[0], hint(args[0], namesOf(commands())), contents())
		return 2
	}
	err := c.do(ctx, env, " aistrale", args[1:])
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

// spelled reads the other ways of asking for help and the version: help user create is user create --help.
func spelled(args []string) []string {
	if len(args) == 0 {
		return args
	}
	switch args[0] {
	case "--version", "-v":
		return append([]string{"version"}, args[1:]...)
	case "--help", "-h":
		return []string{"help"}
	case "help":
		if len(args) > 1 {
			return append(slices.Clone(args[1:]), "--help")
		}
	}
	return args
}

// contents is the program's help.
func contents() string {
	var text strings.Builder
	text.WriteString("aistrale: one gateway between your software and its LLM providers\n\nusage: aistrale COMMAND [flags]\n\n")
	list(&text, commands())
	text.WriteString("\nEvery command explains its flags with --help.\n")
	return text.String()
}

func runVersion(_ context.Context, env environment, args []string) error {
	if _, err := newBareCommand(env, "usage: aistrale version").parse(args, 0); err != nil {
		return err
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

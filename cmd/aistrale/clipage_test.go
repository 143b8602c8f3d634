package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

const (
	cliPage   = "../../docs/cli.md"
	cliWriter = "<!-- Written by AISTRALE_UPDATE=1 go test ./cmd/aistrale -run TestCLIPage -->\n"
)

// The page lists the commands that there are, and no other.
func TestCLIPage(t *testing.T) {
	t.Parallel()
	var rows strings.Builder
	rows.WriteString(cliWriter + "\n| command | what it does |\n|---|---|\n")
	env := environment{Getenv: func(string) string { return "" }, Now: time.Now}
	eachCommand(commands(), "aistrale", func(path string, c *command) {
		usage, _ := askFlags(t.Context(), env, c)
		line, _, _ := strings.Cut(strings.TrimPrefix(usage, "usage: "), "\n")
		line, _, _ = strings.Cut(line, " [")
		if line != path && !strings.HasPrefix(line, path+" ") {
			line = path // of completion's, which have one usage together
		}
		fmt.Fprintf(&rows, "| `%s` | %s |\n", strings.ReplaceAll(line, "|", `\|`), c.summary)
	})
	page, err := os.ReadFile(cliPage)
	if err != nil {
		t.Fatal(err)
	}
	head, _, found := strings.Cut(string(page), cliWriter)
	if !found {
		t.Fatalf("%s has lost the place of its list: %s", cliPage, cliWriter)
	}
	want := head + rows.String()
	if os.Getenv("AISTRALE_UPDATE") != "" {
		if err := os.WriteFile(cliPage, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	} else if string(page) != want {
		t.Errorf("%s does not list the commands that there are; AISTRALE_UPDATE=1 writes it anew", cliPage)
	}
}

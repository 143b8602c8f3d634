package main

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestCompletionWords(t *testing.T) {
	d := newDesk(t)
	f := func(want string, words ...string) {
		t.Helper()
		var got []string
		for line := range strings.Lines(d.must(append([]string{"completion", "words", "--"}, words...)...)) {
			word, _, _ := strings.Cut(strings.TrimSpace(line), "\t")
			got = append(got, word)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q may become %q, want %q", words, got, want)
		}
	}
	f("user usage", "us")
	f("create", "user", "cr")
	f("--role", "user", "create", "ada", "--ro")
	f("admin auditor", "user", "create", "--role", "a")
	f("", "user", "create", "ada", "--role", "admin", "--role")
	f("", "user", "list", "--config", "")
	f("--url", "user", "create", "--no-password", "--ur")
	f("bash", "completion", "ba")
	f("", "nothing", "")
}

// The scripts work in the shells that there are.
func TestCompletionBash(t *testing.T) {
	t.Parallel()
	shell, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash here")
	}
	d := newDesk(t)
	script := d.must("completion", "bash")
	// The program itself is stood in for: what it says is TestCompletionWords'.
	dir := t.TempDir()
	program := "#!/bin/sh\n[ \"$*\" = 'completion words -- user cr' ] && printf 'create\\tmake a user\\n'\n"
	if err := os.WriteFile(filepath.Join(dir, "aistrale"), []byte(program), 0o700); err != nil {
		t.Fatal(err)
	}
	run := exec.Command(shell, "--norc", "-c", script+"\nCOMP_WORDS=(aistrale user cr) COMP_CWORD=2; _aistrale; echo \"${COMPREPLY[@]}\"")
	run.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH")}
	if out, err := run.CombinedOutput(); err != nil || string(out) != "create\n" {
		t.Errorf("%q, error %v", out, err)
	}
	for name, script := range map[string]string{"zsh": zshCompletion, "fish": fishCompletion} {
		if shell, err := exec.LookPath(name); err == nil {
			check := exec.Command(shell, "-n")
			check.Stdin = strings.NewReader(script)
			if out, err := check.CombinedOutput(); err != nil {
				t.Errorf("%s: %s", name, out)
			}
		}
	}
}

func flagsOf(set *flag.FlagSet) (all []*flag.Flag) {
	set.VisitAll(func(f *flag.Flag) { all = append(all, f) })
	return all
}

// eachCommand goes through all commands that do something.
func eachCommand(table []command, path string, visit func(path string, c *command)) {
	for i := range table {
		c := &table[i]
		if c.run != nil {
			visit(path+" "+c.name, c)
		}
		eachCommand(c.under, path+" "+c.name, visit)
	}
}

// Every command's usage names the flags that it takes, and no other, and every flag says what it means.
func TestUsages(t *testing.T) {
	said := regexp.MustCompile(`--([a-z][a-z-]*)`)
	eachCommand(commands(), "aistrale", func(path string, c *command) {
		if c.summary == "" {
			t.Errorf("%s: it has no summary", path)
		}
		usage, flags := askFlags(t.Context(), environment{Getenv: func(string) string { return "" }, Now: time.Now}, c)
		if flags == nil {
			t.Errorf("%s: it does not say what flags it takes", path)
			return
		}
		if !strings.HasPrefix(usage, "usage: "+path) && !strings.HasPrefix(path, "aistrale completion") {
			t.Errorf("%s: its usage is %s", path, usage)
		}
		named := []string{"profile", "token-file"} // of every command with --url
		for _, m := range said.FindAllStringSubmatch(usage, -1) {
			if flags.Lookup(m[1]) == nil {
				t.Errorf("%s: its usage names --%s, which it does not take", path, m[1])
			}
			named = append(named, m[1])
		}
		for _, f := range flagsOf(flags) {
			if !slices.Contains(named, f.Name) {
				t.Errorf("%s: its usage does not name --%s", path, f.Name)
			}
			if f.Usage == "" {
				t.Errorf("%s: nothing says what --%s means", path, f.Name)
			}
		}
	})
}

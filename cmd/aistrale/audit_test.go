package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAuditCommands(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for _, name := range []string{"ada", "grace", "eve"} {
		d.must("user", "create", name, "--no-password", "--role", "viewer")
	}
	d.refuses(1, "already exists", "user", "create", "ada", "--no-password")
	note := d.must("audit", "checkpoint")
	dir := t.TempDir()
	file, kept, key := filepath.Join(dir, "audit.jsonl"), filepath.Join(dir, "checkpoints"), filepath.Join(dir, "key")
	for path, text := range map[string]string{kept: note, key: d.must("audit", "key")} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d.must("audit", "export", "--out", file)
	d.refuses(1, "exists", "audit", "export", "--out", file)
	if list := d.must("audit", "list", "--target", "user/e*"); !strings.Contains(list, "user/eve") || strings.Contains(list, "user/ada") {
		t.Errorf("the list says\n%s", list)
	}
	if rows := flat(t, d.must("audit", "list", "--json", "--limit", "1", "--since", "1h")); len(rows) != 1 {
		t.Errorf("got %v", rows)
	}

	if said := d.must("audit", "verify", file); !strings.Contains(said, "No key was given") {
		t.Errorf("said %q", said)
	}
	if said := d.must("audit", "verify", file, "--key", key, "--checkpoint", kept); !strings.Contains(said, "up to record 3") {
		t.Errorf("said %q", said)
	}
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(whole), "\n")
	for name, damaged := range map[string]string{
		"cut":     lines[0] + lines[1],
		"changed": strings.Replace(string(whole), "user/grace", "user/mallory", 1),
		"removed": lines[0] + strings.Join(lines[2:], ""),
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		d.refuses(1, name, "audit", "verify", path, "--key", key, "--checkpoint", kept) // the file's name is in the error
	}
	d.refuses(2, "needs --key", "audit", "verify", file, "--checkpoint", kept)
	d.refuses(1, "--key", "audit", "verify", file, "--key", "nonsense")
}

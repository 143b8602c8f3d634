package storagetest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Tool finds a program, or a file, that a test works with: one that the Makefile builds (make instruments), in the
// folder that AISTRALE_TOOLS names, else bin/tools of the repository; or a package's, on the PATH.
// Where it is missing the test is skipped, and fails with CI=true.
func Tool(t testing.TB, name string) string {
	t.Helper()
	folder := os.Getenv("AISTRALE_TOOLS")
	if folder == "" {
		folder = filepath.Join(root(), "bin", "tools")
	}
	if path := filepath.Join(folder, name); exists(path) {
		return path
	}
	for _, path := range []string{name, filepath.Join("/usr/sbin", name)} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	text := name + " is neither in bin/tools (make instruments) nor installed"
	if os.Getenv("CI") == "true" {
		t.Fatal(text)
	}
	t.Skip(text)
	return ""
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// root is the folder of go.mod, above the one that a test runs in.
func root() string {
	dir, err := os.Getwd()
	for ; err == nil && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if exists(filepath.Join(dir, "go.mod")) {
			return dir
		}
	}
	return ""
}

package admin

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/storage/sqlite"
)

// clientModule is a module of its own, so that the generator and the validator are no dependencies of
// the gateway's.
const clientModule = "testdata/client"

// The description is valid, and a client that an off-the-shelf generator makes of it drives the
// main flows.
func TestGeneratedClient(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	do(t, os.CopyFS(dir, os.DirFS(clientModule)))
	text, err := os.ReadFile(openAPIFile)
	do(t, err)
	do(t, os.WriteFile(filepath.Join(dir, openAPIFile), text, 0o600))
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), sqlite.FileName))
	do(t, err)
	t.Cleanup(func() { _ = s.Close() })
	a := newTestAPI(t, s, nil)
	run := func(args ...string) (string, error) {
		c := exec.Command("go", args...)
		c.Dir, c.Env = dir, append(os.Environ(), "GOFLAGS=-mod=readonly -trimpath", "URL="+a.url, "TOKEN="+a.root)
		out, err := c.CombinedOutput()
		return string(out), err
	}
	if out, err := run("mod", "download"); err != nil && os.Getenv("CI") != "true" {
		t.Skipf("the generator cannot be had here: %s", out)
	}
	for _, args := range [][]string{
		{"tool", "validate", openAPIFile},
		{"tool", "oapi-codegen", "-config", "oapi.yaml", "-o", "client.gen.go", openAPIFile},
	} {
		if out, err := run(args...); err != nil {
			t.Fatalf("go %v: %s", args, out)
		}
	}
	if out, err := run("run", "."); err != nil || !strings.HasSuffix(out, "OK\n") {
		t.Errorf("the generated client: %v\n%s", err, out)
	}
}

package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/storage/storagetest"
)

// systemd takes the unit without a word, and finds little that it may do.
func TestSystemd(t *testing.T) {
	t.Parallel()
	analyze := storagetest.Tool(t, "systemd-analyze")
	text, err := os.ReadFile("systemd/aistrale.service")
	if err != nil {
		t.Fatal(err)
	}
	// The programs that a unit names must be there.
	unit := filepath.Join(t.TempDir(), "aistrale.service")
	if err := os.WriteFile(unit, []byte(strings.ReplaceAll(string(text), "/usr/bin/aistrale", "/bin/true")), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(analyze, "verify", "--man=no", unit).CombinedOutput(); err != nil || strings.Contains(string(out), unit) {
		t.Errorf("%v: %s", err, out)
	}
	if out, err := exec.Command(analyze, "security", "--no-pager", "--offline=true", "--threshold=13", unit).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

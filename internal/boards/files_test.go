package boards

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write the files under deploy anew")

const deploy = "../../deploy"

// What lies under deploy is what is made here, and nothing lies beside it.
func TestFilesGolden(t *testing.T) {
	files, err := Files()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		path := filepath.Join(deploy, name)
		if *update {
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what internal/boards makes (make dashboards): %v", path, err)
		}
	}
	for _, glob := range []string{"grafana/dashboards/*", "prometheus/rules/*", "helm/aistrale/rules/*"} {
		found, err := filepath.Glob(filepath.Join(deploy, glob))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			name, err := filepath.Rel(deploy, path)
			if err != nil || files[filepath.ToSlash(name)] == nil {
				t.Errorf("nobody makes %s: %v", path, err)
			}
		}
	}
}

package main_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/storage/auditlog"
)

// A gateway that is killed while it writes leaves a chain that verifies, and no change that was
// answered is missing from it.
func TestAudit_Kill(t *testing.T) {
	t.Parallel()
	rounds := 2
	if os.Getenv("AISTRALE_PROVE") != "" {
		rounds = 20
	}
	p := newPlace(t)
	data := filepath.Join(p.dir, "data")
	config := "listen: \"127.0.0.1:0\"\nadmin_listen: \"127.0.0.1:0\"\ndata_dir: " + data + "\nproviders: [{name: mock}]\n"
	root := rootToken(t, data)
	answered := map[string]bool{}
	for round := range rounds {
		g := p.serve(t, config)
		g.killAmid(t, root, "/users", fmt.Sprintf("user-%d", round), answered)
	}
	file := filepath.Join(p.dir, "audit.jsonl")
	p.must(t, "", "audit", "export", "--out", file, "--config", p.write(t, "aistrale.yaml", config))
	exported, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	report, err := auditlog.Verify(bytes.NewReader(exported), nil, nil)
	if err != nil || report.Records < len(answered) {
		t.Fatalf("%+v for %d changes, error %v", report, len(answered), err)
	}
	for name, made := range answered {
		if made && !strings.Contains(string(exported), `"user/`+name+`"`) {
			t.Errorf("%s was made, and the log does not have it", name)
		}
	}
}

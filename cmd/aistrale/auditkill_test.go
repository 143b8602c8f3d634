package main_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/auditlog"
	"github.com/aistrale/aistrale/storage/sqlite"
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
	s, err := sqlite.Open(t.Context(), filepath.Join(data, sqlite.FileName))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	token, text := storage.NewAdminToken("root", time.Now())
	if err := s.AddAdminToken(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	answered := map[string]bool{}
	for round := range rounds {
		g := p.serve(t, config)
		url := g.admin + "/admin/v1/users"
		for n := range 40 {
			name := fmt.Sprintf("user-%d-%d", round, n)
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(`{"name":"`+name+`"}`))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("authorization", "Bearer "+text.Reveal())
			req.Header.Set("content-type", "application/json")
			if n == 30 {
				go func() { _ = g.cmd.Process.Kill() }() // amid the answers that follow
			}
			response, err := http.DefaultClient.Do(req)
			if err != nil {
				break
			}
			response.Body.Close()
			answered[name] = response.StatusCode == http.StatusCreated
		}
		g.ended(t)
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

package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

// What a project keeps holds for its keys that say nothing themselves, and for nobody else's.
func TestProjectPayloads(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.must("key", "create", "plain", "--project", "web")
	settings := filepath.Join(t.TempDir(), "settings.json")
	if err := os.WriteFile(settings, []byte(`{"payloads":{"keep":"1h","response":true}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	d.must("key", "create", "own", "--project", "web", "--settings", settings)
	d.must("key", "create", "other")
	var config *Config
	s, k := wired(t, d, false, func(c *Config) { config = c })
	defer func() { _ = k.close() }()
	projects, err := s.Tenants(t.Context(), storage.DefaultWorkspace)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range projects {
		if p.Name == "web" {
			p.Settings = []byte(`{"payloads":{"keep":"720h","request":true,"redact":[]}}`)
			if err := s.ChangeTenant(t.Context(), p); err != nil {
				t.Fatal(err)
			}
		}
	}
	stock, err := s.load(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	made := newState()
	made.means = policy.NewMeans()
	defer made.close()
	snapshot, err := made.build(config, stock, "http://127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]storage.PayloadSettings{
		"plain": {Keep: 720 * time.Hour, Request: true, Redact: []string{}},
		"own":   {Keep: time.Hour, Response: true},
		"other": {},
	}
	for _, k := range stock.keys {
		got, w := snapshot.Keys.ByID(k.ID).Payloads, want[k.Name]
		if got.Keep != w.Keep || got.Request != w.Request || got.Response != w.Response || (got.Redact == nil) != (w.Redact == nil) {
			t.Errorf("%s keeps %+v, want %+v", k.Name, got, w)
		}
	}
}

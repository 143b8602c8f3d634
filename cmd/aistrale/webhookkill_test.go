package main_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/sqlite"
)

// A gateway that is killed has lost no event of a change that it answered: each has come, or is in
// line for whoever runs next.
func TestWebhook_Kill(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	came := map[string]bool{}
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		came[r.Header.Get("webhook-id")] = strings.Contains(string(body), `"type":"key.created"`)
		mu.Unlock()
	}))
	defer receiver.Close()
	p := newPlace(t, "AISTRALE_MASTER_KEY="+storage.NewMasterKey().Reveal(), "HOOK="+receiver.URL+"/canary")
	data := filepath.Join(p.dir, "data")
	config := "listen: \"127.0.0.1:0\"\nadmin_listen: \"127.0.0.1:0\"\ndata_dir: " + data +
		"\noutbound: {http: true, allow: [127.0.0.1]}\nproviders: [{name: mock}]\n"
	file := p.write(t, "aistrale.yaml", config)
	s, err := sqlite.Open(t.Context(), filepath.Join(data, sqlite.FileName))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	root := rootToken(t, data)
	p.must(t, "", "webhook", "create", "ops", "--from-env", "HOOK", "--config", file)
	g := p.serve(t, config)
	p.must(t, "", "key", "create", "first", "--config", file)
	eventually(t, "an event comes", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(came) > 0
	})
	answered := map[string]bool{}
	g.killAmid(t, root, "/keys", "key", answered)
	var hooks []struct{ ID string }
	unmarshal(t, p.must(t, "", "webhook", "list", "--json", "--config", file), &hooks)
	var sent []struct{ Event, State, Payload string }
	unmarshal(t, p.must(t, "", "webhook", "deliveries", hooks[0].ID, "--limit", "0", "--json", "--config", file), &sent)
	line, err := s.Documents(t.Context(), storage.DocumentQuery{Kind: storage.Kind{Name: "webhook_due"}})
	if err != nil {
		t.Fatal(err)
	}
	pending := 0
	told := map[string]bool{}
	for _, d := range sent {
		var event struct{ Data struct{ Name string } }
		unmarshal(t, d.Payload, &event)
		told[event.Data.Name] = true
		mu.Lock()
		if d.State == "delivered" && !came[d.Event] {
			t.Errorf("%s never came, and is said to", event.Data.Name)
		}
		mu.Unlock()
		if d.State == "pending" {
			pending++
		}
	}
	if pending != len(line) {
		t.Errorf("%d are pending, and %d are in line", pending, len(line))
	}
	for name, made := range answered {
		if made && !told[name] {
			t.Errorf("%s was made, and nobody is told", name)
		}
	}
	if len(answered) < 30 || len(came) == 0 {
		t.Errorf("%d were answered, %d came: this test shows nothing", len(answered), len(came))
	}
}

func unmarshal(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

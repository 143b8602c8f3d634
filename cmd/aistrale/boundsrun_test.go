package main_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/sqlite"
)

// asksAdmin asks the control plane of a running program.
func (g *program) asksAdmin(t *testing.T, token, method, path, body string) gjson.Result {
	t.Helper()
	req, err := http.NewRequest(method, g.admin+"/admin/v1"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("authorization", "Bearer "+token)
	req.Header.Set("content-type", "application/json")
	req.Header.Set("if-match", "*")
	status, _, text := do(t, req)
	if status >= http.StatusMultipleChoices {
		t.Fatalf("%s %s %s: %d %s", method, path, body, status, text)
	}
	return gjson.Parse(text)
}

// rootToken puts a token of the installation into the program's SQLite store.
func rootToken(t *testing.T, dataDir string) string {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(dataDir, sqlite.FileName))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	token, text := storage.NewAdminToken("root", time.Now())
	if err := s.AddAdminToken(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	return text.Reveal()
}

// Limits and budgets that are made over the API hold beside each other, a change of one loses
// nothing of what was counted, and what is taken away is gone.
func TestBounds_Running(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	data := filepath.Join(p.dir, "data")
	g := p.serve(t, "listen: '127.0.0.1:0'\nadmin_listen: '127.0.0.1:0'\ndata_dir: "+data+"\nproviders: [{name: mock}]\n")
	root := rootToken(t, data)
	made := func(body string) (id, text string) {
		key := g.asksAdmin(t, root, http.MethodPost, "/keys", body)
		return "/keys/" + key.Get("id").Str, key.Get("key").Str
	}
	refused := func(key, why string) {
		t.Helper()
		if status, body := g.chat(t, key, "mock/gpt"); status != http.StatusTooManyRequests || !strings.Contains(body, why) {
			t.Errorf("%d %s, want a refusal that says %q", status, body, why)
		}
	}

	g.asksAdmin(t, root, http.MethodPut, "/workspaces/default", `{"each_user":{"limits":[{"requests_per_day":2}]}}`)
	first, key := made(`{"name":"a","owner":"ada","settings":{"limits":[{"requests_per_day":3}]}}`)
	_, other := made(`{"name":"b","owner":"ada"}`)
	_, bob := made(`{"name":"c","owner":"bob"}`)
	g.turns(t, bob, "mock/gpt", http.StatusOK) // so the others are known as well
	g.turns(t, key, "mock/gpt", http.StatusOK)
	g.turns(t, other, "mock/gpt", http.StatusOK)
	refused(key, "of this user on requests per day")
	g.asksAdmin(t, root, http.MethodPut, "/workspaces/default", `{}`)
	g.turns(t, key, "mock/gpt", http.StatusOK)
	g.turns(t, key, "mock/gpt", http.StatusOK)
	refused(key, "of this key on requests per day (RPD): Limit 3, Used 3")
	g.asksAdmin(t, root, http.MethodPatch, first, `{"settings":{"limits":[{"requests_per_day":4}]}}`)
	eventually(t, "the limit is another one, and nothing is forgotten", func() bool {
		status, body := g.chat(t, key, "mock/gpt")
		return status == http.StatusTooManyRequests && strings.Contains(body, "of this key on requests per day (RPD): Limit 4, Used 4")
	})

	money := func(usd string) string {
		return `"settings":{"budgets":[{"usd":"` + usd + `","per":"total","models":["mock/*"]}]}`
	}
	second, poor := made(`{"name":"poor",` + money("0.01") + `}`)
	g.turns(t, poor, "mock/gpt", http.StatusOK)
	eventually(t, "the budget is spent", func() bool {
		status, body := g.chat(t, poor, "mock/gpt")
		return status != http.StatusOK && gjson.Get(body, "error.code").Str == "insufficient_quota"
	})
	g.asksAdmin(t, root, http.MethodPatch, second, `{`+money("1")+`}`)
	g.turns(t, poor, "mock/gpt", http.StatusOK)
	g.asksAdmin(t, root, http.MethodPatch, second, `{`+money("0.01")+`}`)
	g.turns(t, poor, "mock/gpt", http.StatusTooManyRequests)
}

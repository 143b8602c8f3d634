package proxy

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// What a call makes is its workspace's before the client hears of it, and nobody's once it is
// deleted.
func TestStored_ClaimedAndReleased(t *testing.T) {
	w := newTenants(t)
	w.up.answers(func(*http.Request) string {
		return `{"id":"conv_1","object":"conversation","expires_at":4102444800}`
	})
	status, body := w.ask(t, mine, http.MethodPost, "/v1/conversations", `{"items":[]}`, "x-aistrale-provider", "openai")
	if status != http.StatusOK || !strings.Contains(body, "conv_1") {
		t.Fatalf("%d %s", status, body)
	}
	o := w.shelf.find("conv_1")
	if o == nil || o.Workspace != "mine" || o.Provider != "openai" || o.Kind != providers.ObjectConversation || o.KeyName != "test0" || o.ExpiresAt == nil {
		t.Fatalf("claimed: %+v", o)
	}
	credential := o.Credential
	w.up.calls()
	if status, body := w.ask(t, also, http.MethodDelete, "/v1/conversations/conv_1", ""); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	if calls := w.up.calls(); len(calls) != 1 || !strings.HasPrefix(calls[0], "openai-"+credential+" DELETE /conversations/conv_1") {
		t.Errorf("asked: %q", calls)
	}
	if w.shelf.find("conv_1") != nil {
		t.Error("it still has an owner")
	}
	if rec := w.records.next(t); rec.CostNano == nil || *rec.CostNano != 0 {
		t.Errorf("cost %v, want 0", rec.CostNano)
	}
	if entries := w.pages.take(); len(entries) != 0 {
		t.Errorf("%d entries in the ledger for calls of no model", len(entries))
	}
}

// The store's trouble is never taken for a missing object, and what cannot be written down is not
// told of.
func TestStored_Trouble(t *testing.T) {
	w := newTenants(t)
	w.own("mine", "one", providers.ObjectFile, "file-1")
	w.shelf.fail(true)
	f := func(method, path, body string) {
		t.Helper()
		status, said := w.ask(t, mine, method, path, body, "x-aistrale-provider", "openai")
		if status != http.StatusServiceUnavailable || strings.Contains(said, "conv_1") {
			t.Errorf("%s %s: %d %s", method, path, status, said)
		}
	}
	f(http.MethodGet, "/v1/files/file-1", "")
	f(http.MethodGet, "/v1/files", "")
	f(http.MethodPost, "/v1/chat/completions", `{"model":"openai/m","messages":[],"previous_response_id":"r"}`)
	f(http.MethodPost, "/v1/batches", `{"input_file_id":"file-1"}`)
	if calls := w.up.calls(); len(calls) > 0 {
		t.Errorf("asked: %q", calls)
	}
	w.up.answers(func(*http.Request) string { return `{"id":"conv_1"}` })
	f(http.MethodPost, "/v1/conversations", `{}`)
	w.shelf.fail(false)
	if status, body := w.ask(t, mine, http.MethodGet, "/v1/files/file-1", ""); status != http.StatusOK {
		t.Errorf("after the trouble: %d %s", status, body)
	}
}

// An answer with an object that another tenant has is withheld.
func TestStored_ClaimedByAnother(t *testing.T) {
	w := newTenants(t)
	for _, credential := range []string{"one", "two"} {
		w.own("theirs", credential, providers.ObjectConversation, "conv_1")
	}
	w.up.answers(func(*http.Request) string { return `{"id":"conv_1"}` })
	status, body := w.ask(t, mine, http.MethodPost, "/v1/conversations", `{}`, "x-aistrale-provider", "openai")
	if status != http.StatusInternalServerError || strings.Contains(body, "conv_1") {
		t.Errorf("%d %s", status, body)
	}
}

// Who keeps what a call makes: the one that the call names, else the workspace's, else the only
// one; and always the same of its accounts.
func TestStored_Keeper(t *testing.T) {
	f := func(name, want string, path string, headers []string, change ...setting) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			w := newTenants(t, change...)
			seen := map[string]bool{}
			for i := range 8 {
				w.up.answers(func(*http.Request) string { return fmt.Sprintf(`{"id":"conv_%d"}`, i) })
				ask := `{}`
				if path == messageBatches {
					ask = inlineBatch(`{"model":"m","max_tokens":5,"messages":[]}`)
				}
				status, body := w.ask(t, mine, http.MethodPost, path, ask, headers...)
				calls := w.up.calls()
				if want == "" {
					if status != http.StatusBadRequest || len(calls) > 0 || !strings.Contains(body, "x-aistrale-provider") && len(headers) == 0 {
						t.Errorf("%d %s after %q", status, body, calls)
					}
					continue
				}
				if status != http.StatusOK || len(calls) != 1 || !strings.HasPrefix(calls[0], want) || strings.Contains(calls[0], "provider") {
					t.Fatalf("%d %s after %q", status, body, calls)
				}
				account, _, _ := strings.Cut(calls[0], " ")
				seen[account] = true
			}
			if len(seen) > 1 {
				t.Errorf("one workspace's objects are at %v", seen)
			}
		})
	}
	header := func(name string) []string { return []string{"x-aistrale-provider", name} }
	keeper := func(_ *Options, s *Snapshot) { s.Keepers = map[string]string{"mine": "other"} }
	only := func(_ *Options, s *Snapshot) { delete(s.Accounts, "other") }
	f("several", "", "/v1/conversations", nil)
	f("header", "other- ", "/v1/conversations", header("other"))
	f("query", "openai-", "/v1/conversations?provider=openai", nil)
	f("workspace", "other- ", "/v1/conversations", nil, keeper)
	f("header before workspace", "openai-", "/v1/conversations", header("openai"), keeper)
	f("workspace, of another language", "anthropic-", messageBatches, nil, keeper)
	f("the only one", "openai-", "/v1/conversations", nil, only)
	f("the only one with a credential", "openai-", "/v1/conversations", nil, func(_ *Options, s *Snapshot) {
		s.Accounts["other"][0].NeedsKey = true
	})
	f("unknown", "", "/v1/conversations", header("nobody"))
	f("denied to the key", "", "/v1/conversations", header("other"), func(_ *Options, s *Snapshot) {
		for _, k := range s.Keys.All() {
			k.DenyProviders = []string{"other"}
		}
	})
	f("out of region", "", "/v1/conversations", header("other"), func(_ *Options, s *Snapshot) {
		s.Regions = policy.Regions{"mine": {"eu"}}
	})
}

// Objects of two accounts cannot be used by one call; one id at two accounts needs a word.
func TestStored_TwoAccounts(t *testing.T) {
	w := newTenants(t)
	w.own("mine", "one", providers.ObjectFile, "file-1")
	w.own("mine", "two", providers.ObjectFile, "file-2")
	w.own("mine", "one", providers.ObjectFile, "file-3")
	w.own("mine", "two", providers.ObjectFile, "file-3")
	f := func(want int, method, path, body string) {
		t.Helper()
		if status, said := w.ask(t, mine, method, path, body); status != want {
			t.Errorf("%s %s: %d %s", path, body, status, said)
		}
	}
	f(400, http.MethodPost, "/v1/vector_stores", `{"file_ids":["file-1","file-2"]}`)
	f(400, http.MethodGet, "/v1/files/file-3", "")
	f(400, http.MethodPost, "/v1/chat/completions", `{"model":"other/m","messages":[{"role":"user","content":[{"type":"file","file":{"file_id":"file-1"}}]}]}`)
	if calls := w.up.calls(); len(calls) > 0 {
		t.Errorf("asked: %q", calls)
	}
	f(200, http.MethodPost, "/v1/vector_stores", `{"file_ids":["file-2","file-3"]}`) // where the first is
	if calls := w.up.calls(); len(calls) != 1 || !strings.HasPrefix(calls[0], "openai-two ") {
		t.Errorf("asked: %q", calls)
	}
}

// A key that may not use everything makes no call about stored objects, unless it is allowed to.
func TestStored_Rights(t *testing.T) {
	f := func(want int, change func(*storage.Key)) {
		t.Helper()
		w := newTenants(t, func(_ *Options, s *Snapshot) {
			for _, k := range s.Keys.All() {
				change(k)
			}
		})
		w.own("mine", "one", providers.ObjectFile, "file-1")
		if status, body := w.ask(t, mine, http.MethodGet, "/v1/files/file-1", ""); status != want {
			t.Errorf("%d %s, want %d", status, body, want)
		}
	}
	f(200, func(*storage.Key) {})
	f(403, func(k *storage.Key) { k.Models = []string{"openai/*"} })
	f(200, func(k *storage.Key) { k.Models, k.Allow = []string{"openai/*"}, []string{"files"} })
	f(403, func(k *storage.Key) { k.Models, k.Allow = []string{"openai/*"}, []string{"batches"} })
	f(403, func(k *storage.Key) { k.Deny = []string{"files"} })
}

// What is begun at a provider is not begun twice, and a broken account's objects are not "missing".
func TestStored_NotTwice(t *testing.T) {
	w := newTenants(t, func(_ *Options, s *Snapshot) {
		for _, a := range s.Accounts["openai"] {
			a.Retry = policy.Retry{Max: 3, BudgetPercent: 100, Floor: 100}
		}
	})
	w.up.answers(func(*http.Request) string { panic(http.ErrAbortHandler) })
	if status, body := w.ask(t, mine, http.MethodPost, "/v1/conversations", `{}`, "x-aistrale-provider", "openai"); status != http.StatusBadGateway {
		t.Errorf("%d %s", status, body)
	}
	if calls := w.up.calls(); len(calls) != 1 {
		t.Errorf("asked %d times: %q", len(calls), calls)
	}
	w.own("mine", "gone", providers.ObjectFile, "file-1")
	if status, body := w.ask(t, mine, http.MethodGet, "/v1/files/file-1", ""); status != http.StatusBadGateway {
		t.Errorf("%d %s", status, body)
	}
}

// Lists have the workspace's own objects, of all its accounts, page by page; others' are never
// asked for, and one that its account has no more is forgotten.
func TestStored_Lists(t *testing.T) {
	w := newTenants(t)
	for i := range 9 {
		w.own("mine", []string{"one", "two"}[i%2], providers.ObjectFile, fmt.Sprintf("file-%d", i))
	}
	w.own("theirs", "one", providers.ObjectFile, "file-theirs")
	w.own("mine", "one", providers.ObjectBatch, "batch_1")
	w.up.answers(func(r *http.Request) string {
		return fmt.Sprintf(`{"id":%q,"purpose":%q}`, strings.TrimPrefix(r.URL.Path, "/files/"), []string{"batch", "vision"}[len(r.URL.Path)%2])
	})
	f := func(query string, more bool, want ...string) {
		t.Helper()
		status, body := w.ask(t, mine, http.MethodGet, "/v1/files"+query, "")
		got := []string{}
		for _, id := range gjson.Get(body, "data.#.id").Array() {
			got = append(got, id.String())
		}
		if status != http.StatusOK || fmt.Sprint(got) != fmt.Sprint(want) || gjson.Get(body, "has_more").Bool() != more {
			t.Errorf("%s: %d %s", query, status, body)
		}
		if len(want) > 0 && (gjson.Get(body, "first_id").String() != want[0] || gjson.Get(body, "last_id").String() != want[len(want)-1]) {
			t.Errorf("%s: %s", query, body)
		}
		for _, call := range w.up.calls() {
			if strings.Contains(call, "theirs") {
				t.Errorf("%s: asked %s", query, call)
			}
		}
	}
	f("?limit=3", true, "file-8", "file-7", "file-6")
	f("?limit=3&after=file-6", true, "file-5", "file-4", "file-3")
	f("?limit=3&after=file-3", false, "file-2", "file-1", "file-0")
	f("?limit=4&order=asc", true, "file-0", "file-1", "file-2", "file-3")
	f("?after=file-0", false)
	f("?purpose=none&limit=2", false)
	if status, _ := w.ask(t, mine, http.MethodGet, "/v1/files?after=file-theirs", ""); status != http.StatusNotFound {
		t.Errorf("behind another's: %d", status)
	}
	for _, bad := range []string{"?limit=0", "?limit=x", "?order=up", "?before=file-1"} {
		if status, _ := w.ask(t, mine, http.MethodGet, "/v1/files"+bad, ""); status != http.StatusBadRequest {
			t.Errorf("%s: %d", bad, status)
		}
	}
	if _, body := w.ask(t, theirs, http.MethodGet, "/v1/files", ""); gjson.Get(body, "data.#").Int() != 1 || !strings.Contains(body, "file-theirs") {
		t.Errorf("the other tenant: %s", body)
	}
}

// A call that names no stored object asks nobody.
func TestStored_HotPath(t *testing.T) {
	w := newTenants(t)
	for _, body := range []string{
		`{"model":"openai/m","messages":[{"role":"user","content":"file-1"}],"file_id":null}`,
		`{"model":"openai/m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://example.org/files/x.png"}}]}]}`,
		`{"model":"openai/m","prompt":{"id":"pmpt_1"},"messages":[]}`,
	} {
		if status, said := w.ask(t, mine, http.MethodPost, "/v1/chat/completions", body); status != http.StatusOK {
			t.Errorf("%d %s", status, said)
		}
	}
	if w.shelf.asked != 0 {
		t.Errorf("the store was asked %d times", w.shelf.asked)
	}
	// What was found is at hand.
	w.own("mine", "one", providers.ObjectFile, "file-1")
	for range 3 {
		w.ask(t, mine, http.MethodGet, "/v1/files/file-1", "")
	}
	if w.shelf.asked != 1 {
		t.Errorf("the store was asked %d times for one object", w.shelf.asked)
	}
}

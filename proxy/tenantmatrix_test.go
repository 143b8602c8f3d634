package proxy

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/catalog"
)

// For every stored object and every way to name it: another tenant hears that there is none, in
// the words for one that does not exist, and nothing is sent; its own tenant's keys reach the
// account that keeps it.
func TestTenantMatrix(t *testing.T) {
	w := newTenants(t, uploads)
	for _, id := range []string{"id_input", "files/id-1"} {
		w.up.keep(id, `{"method":"POST","url":"/v1/chat/completions","body":{"model":"m","messages":[]}}`)
	}
	for _, n := range namings() {
		t.Run(n.name, func(t *testing.T) {
			w.shelf.clear()
			w.objects.forgetAll()
			status, missing := w.ask(t, mine, n.method, n.path, n.body)
			if status != http.StatusNotFound || len(w.up.calls()) > 0 {
				t.Errorf("an object that is nobody's: %d %s", status, missing)
			}
			own := func() {
				for _, id := range n.ids {
					w.ownAt(n.provider, "mine", "two", providers.ObjectFile, id)
				}
			}
			own()
			status, other := w.ask(t, theirs, n.method, n.path, n.body)
			if calls := w.up.calls(); status != http.StatusNotFound || len(calls) > 0 || sameWords(other, missing) == "" {
				t.Errorf("another tenant: %d %s after %q; of a missing one: %s", status, other, calls, missing)
			}
			for _, key := range []int{mine, also} {
				own() // it may be deleted
				status, body := w.ask(t, key, n.method, n.path, n.body)
				calls := w.up.calls()
				if status != http.StatusOK || len(calls) == 0 {
					t.Fatalf("its own tenant: %d %s after %q", status, body, calls)
				}
				for _, call := range calls {
					if !strings.HasPrefix(call, n.provider+"-two ") {
						t.Errorf("the call went elsewhere: %s", call)
					}
				}
				if !strings.Contains(calls[len(calls)-1], n.upstream) {
					t.Errorf("the last call: %s; want one to %s", calls[len(calls)-1], n.upstream)
				}
			}
		})
	}
}

// sameWords gives the words of two refusals where they say the same of some id.
func sameWords(a, b string) string {
	cut := func(s string) string {
		_, rest, _ := strings.Cut(s, "No such object: '")
		_, rest, _ = strings.Cut(rest, "'")
		rest, _, _ = strings.Cut(rest, `"request_id"`)
		return rest
	}
	if words := cut(a); words == cut(b) {
		return words
	}
	return ""
}

// The same for what the gateway itself keeps: no provider hears of it, whoever asks.
func TestTenantMatrix_Held(t *testing.T) {
	w, _ := keepingTenants(t)
	create := func(path, body string) string {
		t.Helper()
		status, reply := w.ask(t, mine, http.MethodPost, path, body)
		if status != http.StatusOK {
			t.Fatalf("%s: %d %s", path, status, reply)
		}
		return reply
	}
	for _, surface := range catalog.Surfaces() {
		for i := range surface.Endpoints {
			at := &surface.Endpoints[i]
			if at.Stored == nil || at.Stored.Held == nil || len(at.Stored.Names) == 0 {
				continue
			}
			response := create("/v1/responses", asksClaude+`}`)
			conversation := create("/v1/conversations", `{"items":[{"role":"user","content":"hi"}]}`)
			id := gjson.Get(conversation, "id").Str
			_, items := w.ask(t, mine, http.MethodGet, "/v1/conversations/"+id+"/items", "")
			path := strings.NewReplacer("{response}", gjson.Get(response, "id").Str, "{conversation}", id, "{item}", gjson.Get(items, "data.0.id").Str).Replace(at.Path)
			w.up.calls()
			body := ""
			if at.Method == http.MethodPost {
				body = `{"metadata":{},"items":[{"role":"user","content":"more"}]}`
			}
			name := at.Method + " " + at.Path
			if status, said := w.ask(t, theirs, at.Method, path, body); status != http.StatusNotFound {
				t.Errorf("%s by another tenant: %d %s", name, status, said)
			}
			want := http.StatusOK
			if strings.HasSuffix(path, "/cancel") {
				want = http.StatusBadRequest
			}
			if status, said := w.ask(t, also, at.Method, path, body); status != want {
				t.Errorf("%s by its own tenant: %d %s", name, status, said)
			}
			if calls := w.up.calls(); len(calls) > 0 {
				t.Errorf("%s: a provider was asked: %q", name, calls)
			}
		}
	}
}

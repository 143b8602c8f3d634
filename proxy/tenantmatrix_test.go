package proxy

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/providers"
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
			w.shelf.all = nil
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

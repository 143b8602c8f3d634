package proxy

import (
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// An object that was made beside the gateway is nobody's but where there is one workspace only.
func TestHeld_MadeElsewhere(t *testing.T) {
	const body = `{"model":"openai/gpt-4o","messages":[{"role":"user","content":[{"type":"file","file":{"file_id":"file_x"}}]}]}`
	f := func(w *tenants, want int) {
		t.Helper()
		before := len(w.up.calls())
		status, text := w.ask(t, 0, "POST", "/v1/chat/completions", body)
		sent := len(w.up.calls()) - before
		if status != want || (want == 200) != (sent == 1) || want == 404 && !strings.Contains(text, "No such object") {
			t.Errorf("%d, %d sent, want %d: %s", status, sent, want, text)
		}
		w.records.next(t)
	}
	f(newTenants(t), 404)
	sole := func(_ *Options, s *Snapshot) {
		key, err := storage.KeyOf("test0", keyNumber(0))
		if err != nil {
			t.Fatal(err)
		}
		key.Workspace = "mine"
		s.Keys = policy.NewKeyring([]storage.Key{key})
	}
	alone := newTenants(t, sole)
	f(alone, 200)
	alone.own("gone", "one", providers.ObjectFile, "file_x") // of a workspace that had keys once
	f(alone, 404)

	expired := newTenants(t, sole)
	expired.own("gone", "one", providers.ObjectFile, "file_x")
	expired.shelf.all[0].ExpiresAt = &time.Time{}
	f(expired, 200) // its provider says that it is gone
}

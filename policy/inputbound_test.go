package policy

import "testing"

func TestInputBound(t *testing.T) {
	f := func(body string, context, least int64, known bool) {
		t.Helper()
		got, ok := InputBound(Target{Provider: "openai", Model: "gpt-4o"}, context, []byte(body))
		if got < least || ok != known {
			t.Errorf("%s: %d, %v; want at least %d, %v", body, got, ok, least, known)
		}
	}
	plain := `{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}]}`
	f(plain, 0, int64(len(plain)), true)
	stored := `{"model":"gpt-4o","messages":[{"role":"user","content":[{"type":"file","file":{"file_id":"f"}}]}]}`
	f(stored, 128_000, 128_000, true)
	f(stored, 0, 0, false)
	f(`{"model":"gpt-4o","web_search_options":{},"messages":[]}`, 128_000, 0, false)
}

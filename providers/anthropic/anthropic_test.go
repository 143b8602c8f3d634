package anthropic_test

import (
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/anthropic"
)

func TestSplice(t *testing.T) {
	f := func(body string, quirks providers.Quirks, want string, dropped int) {
		t.Helper()
		var doc providers.Document
		if err := doc.Scan([]byte(body), nil); err != nil {
			t.Fatal(err)
		}
		plan, err := anthropic.Dialect{}.Splice(&providers.Call{Doc: &doc, Model: "claude-up", Path: "/v1/messages", Quirks: quirks})
		if err != nil {
			t.Fatal(err)
		}
		r := plan.Requests[0]
		if string(r.Body) != want {
			t.Errorf("body\n%s\nwant\n%s", r.Body, want)
		}
		if len(plan.Dropped) != dropped || r.Path != "/v1/messages" || r.Headers[0] != (providers.Header{Name: "anthropic-version", Value: "2023-06-01"}) {
			t.Errorf("dropped %v, path %s, headers %v", plan.Dropped, r.Path, r.Headers)
		}
	}
	f(`{ "max_tokens":1,"model" : "fast", "new_field":{"a":[1 ]}}`, providers.Quirks{},
		`{ "max_tokens":1,"model" : "claude-up", "new_field":{"a":[1 ]}}`, 0)
	f(`{"model":"fast","speed":"fast","max_tokens":1}`, providers.Quirks{Strip: []string{"speed", "top_k"}},
		`{"model":"claude-up","max_tokens":1}`, 1)
	f(`{"model":"fast","max_tokens":1}`, providers.Quirks{Rename: map[string]string{"max_tokens": "max_tokens_to_sample"}},
		`{"model":"claude-up","max_tokens_to_sample":1}`, 0)
}

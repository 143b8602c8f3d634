package openai_test

import (
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/openai"
)

// Groq breaks usage down by model where a compound system called several, and says null where
// one model worked alone: the usage itself must count then.
func TestDialect_Observe_breakdown(t *testing.T) {
	f := func(breakdown string, want ...providers.Normal) {
		t.Helper()
		body := `{"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],` +
			`"usage":{"prompt_tokens":48,"completion_tokens":8,"total_tokens":56},"usage_breakdown":` + breakdown + `}`
		var u providers.Usage
		u.Merge(openai.Dialect{}.Observe([]byte(body)).Usage)
		if len(u.Lines) != len(want) {
			t.Fatalf("%s: lines %+v, want %+v", breakdown, u.Lines, want)
		}
		for i := range want {
			if got := u.Lines[i].Normal(); got != want[i] {
				t.Errorf("%s: line %+v, want %+v", breakdown, got, want[i])
			}
		}
	}
	alone := providers.Normal{InputUncached: 48, Output: 8}
	f(`null`, alone)
	f(`{}`, alone)
	f(`{"models":null}`, alone)
	f(`{"models":[]}`, alone)
	f(`{"models":[{"model":"a","usage":{"prompt_tokens":10,"completion_tokens":3}},{"model":"b","usage":{"prompt_tokens":30,"completion_tokens":4}},{"model":"a","usage":{"prompt_tokens":8,"completion_tokens":1}}]}`,
		providers.Normal{Model: "a", InputUncached: 18, Output: 4}, providers.Normal{Model: "b", InputUncached: 30, Output: 4})
}

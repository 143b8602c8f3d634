package catalog

import (
	"slices"
	"testing"

	"github.com/aistrale/aistrale/providers"
)

// A request with every field that some provider refuses, as each provider is sent it.
func TestQuirks(t *testing.T) {
	const body = `{"model":"m","messages":[],"logit_bias":{},"metadata":{},"moderation":{},"prediction":{},"prompt_cache_key":"k",` +
		`"prompt_cache_retention":"24h","safety_identifier":"s","service_tier":"auto","store":true,"user":"u","verbosity":"low",` +
		`"max_completion_tokens":9,"seed":7}`
	f := func(name, want string, dropped ...string) {
		t.Helper()
		p, ok := Known(name)
		if !ok {
			t.Fatalf("no provider %s", name)
		}
		var doc providers.Document
		if err := doc.Scan([]byte(body), nil); err != nil {
			t.Fatal(err)
		}
		plan, err := p.Routes[providers.OpChat][0].Dialect.Splice(&providers.Call{Op: providers.OpChat, Doc: &doc, Asked: "m", Model: "x", Quirks: p.Quirks})
		if err != nil {
			t.Fatal(err)
		}
		if got := string(plan.Requests[0].Whole()); got != want {
			t.Errorf("%s is sent\n     %s\nwant %s", name, got, want)
		}
		slices.Sort(plan.Dropped)
		if !slices.Equal(plan.Dropped, dropped) {
			t.Errorf("%s: dropped %q, want %q", name, plan.Dropped, dropped)
		}
	}
	f("groq", `{"model":"x","messages":[],"logit_bias":{},"moderation":{},"prediction":{},"prompt_cache_key":"k",`+
		`"prompt_cache_retention":"24h","safety_identifier":"s","service_tier":"auto","user":"u","verbosity":"low","max_completion_tokens":9,"seed":7}`,
		"metadata", "store")
	f("huggingface", `{"model":"x","messages":[],"user":"u","max_tokens":9,"seed":7}`,
		"logit_bias", "metadata", "moderation", "prediction", "prompt_cache_key", "prompt_cache_retention", "safety_identifier", "service_tier", "store", "verbosity")
	f("mistral", `{"model":"x","messages":[],"moderation":{},"prediction":{},"max_tokens":9,"random_seed":7}`,
		"logit_bias", "metadata", "prompt_cache_key", "prompt_cache_retention", "safety_identifier", "service_tier", "store", "user", "verbosity")
	f("cerebras", `{"model":"x","messages":[],"logit_bias":{},"moderation":{},"prediction":{},"prompt_cache_key":"k",`+
		`"prompt_cache_retention":"24h","safety_identifier":"s","service_tier":"auto","user":"u","verbosity":"low","max_completion_tokens":9,"seed":7}`,
		"metadata", "store")
	groq, _ := Known("groq")
	able := WithResponses(groq)
	route, _ := able.Route(providers.OpChat, "responses", "")
	if route.Quirks == nil || !slices.Contains(route.Quirks.Strip, "truncation") || !slices.Contains(route.Quirks.Strip, "store") ||
		slices.Contains(groq.Quirks.Strip, "truncation") || slices.Contains(route.Quirks.Strip, "previous_response_id") {
		t.Errorf("groq's Responses refuse %+v, its chat %+v", route.Quirks, groq.Quirks)
	}
	plain := `{"model":"x"` + body[len(`{"model":"m"`):]
	for _, name := range []string{"openai", "openrouter", "fireworks", "xai"} {
		f(name, plain)
	}
}

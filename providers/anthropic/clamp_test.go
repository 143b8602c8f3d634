package anthropic_test

import (
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/anthropic"
	"github.com/aistrale/aistrale/providers/openai"
)

func TestClamp(t *testing.T) {
	f := func(clamp int64, can providers.Capabilities, fields, told, clamped, dropped string) {
		t.Helper()
		var doc providers.Document
		if err := doc.Scan([]byte(`{"model":"m","messages":[{"role":"user","content":"Hi"}]`+fields+`}`), nil); err != nil {
			t.Fatal(err)
		}
		req, err := openai.Face{}.ReadRequest(&doc)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := anthropic.Dialect{}.WriteRequest(req, &providers.Call{Op: providers.OpChat, Doc: &doc, Model: "claude-x", Clamp: clamp, Can: can})
		if err != nil {
			t.Fatal(err)
		}
		body := gjson.ParseBytes(plan.Requests[0].Body)
		got := body.Get("max_tokens").Raw + " " + body.Get("thinking").Raw
		if got != told || plan.Clamped != clamped || strings.Join(plan.Dropped, ",") != dropped {
			t.Errorf("%s clamped to %d: %s (%q, %q), want %s (%q, %q)", fields, clamp, got, plan.Clamped, plan.Dropped, told, clamped, dropped)
		}
		if plan.MaxOutput != body.Get("max_tokens").Int() {
			t.Errorf("%s: a bound of %d, told %s", fields, plan.MaxOutput, body.Get("max_tokens").Raw)
		}
	}
	budget := providers.Capabilities{Known: true, MaxOutput: 64_000, BudgetMin: 1024, BudgetMax: 64_000}
	adaptive := providers.Capabilities{Known: true, MaxOutput: 64_000, AdaptiveThinking: true}
	f(500, budget, `,"max_tokens":400`, `400 `, "", "")
	f(500, budget, `,"max_tokens":800`, `500 `, "max_tokens=500", "")
	f(500, budget, `,"max_completion_tokens":800`, `500 `, "max_completion_tokens=500", "")
	f(500, budget, ``, `500 `, "max_completion_tokens=500", "")
	f(500, providers.Capabilities{Known: true, NoThinking: true, MaxOutput: 4096}, ``, `500 `, "max_completion_tokens=500", "")
	f(1, budget, `,"max_tokens":800`, `1 `, "max_tokens=1", "")

	// A budget that fits stays; one that does not leaves a fifth to the answer.
	f(5000, budget, `,"max_tokens":4000,"thinking":{"type":"enabled","budget_tokens":3000}`, `4000 {"type":"enabled","budget_tokens":3000}`, "", "")
	f(5000, budget, `,"max_tokens":9000,"thinking":{"type":"enabled","budget_tokens":3000}`, `5000 {"type":"enabled","budget_tokens":3000}`, "max_tokens=5000", "")
	f(5000, budget, `,"max_tokens":4000,"thinking":{ "budget_tokens":20000, "type":"enabled", "x":1 }`, `5000 { "budget_tokens":4000, "type":"enabled", "x":1 }`, "max_tokens=5000", "thinking")
	f(5000, budget, `,"reasoning":{"max_tokens":20000}`, `5000 {"type":"enabled","budget_tokens":4000}`, "max_completion_tokens=5000", "thinking")
	f(2000, budget, `,"reasoning_effort":"high"`, `2000 {"type":"enabled","budget_tokens":1600}`, "max_completion_tokens=2000", "reasoning_effort")
	f(1100, budget, `,"reasoning_effort":"high"`, `1100 {"type":"enabled","budget_tokens":1024}`, "max_completion_tokens=1100", "reasoning_effort")
	// The least budget needs more than there is.
	f(1024, budget, `,"reasoning_effort":"low"`, `1024 `, "max_completion_tokens=1024", "reasoning_effort")
	f(600, budget, `,"max_tokens":500,"reasoning_effort":"low"`, `600 `, "max_tokens=600", "reasoning_effort")
	f(600, budget, `,"max_tokens":500,"thinking":{"type":"enabled","budget_tokens":5000}`, `600 `, "max_tokens=600", "thinking")
	// Without a budget there is nothing to lower.
	f(600, adaptive, `,"reasoning_effort":"high"`, `600 {"type":"adaptive","display":"summarized"}`, "max_completion_tokens=600", "")
}

// A provider that refuses max_tokens is told no bound, and nobody may believe that it was.
func TestClamp_notTold(t *testing.T) {
	var doc providers.Document
	if err := doc.Scan([]byte(`{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]}`), nil); err != nil {
		t.Fatal(err)
	}
	req, err := openai.Face{}.ReadRequest(&doc)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := anthropic.Dialect{}.WriteRequest(req, &providers.Call{
		Op: providers.OpChat, Doc: &doc, Model: "m", Clamp: 5, Quirks: providers.Quirks{Strip: []string{"max_tokens"}},
	})
	if err != nil || plan.MaxOutput != 0 || plan.Clamped != "" {
		t.Errorf("%d %q (%v)", plan.MaxOutput, plan.Clamped, err)
	}
}

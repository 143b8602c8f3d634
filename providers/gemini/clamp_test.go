package gemini_test

import (
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/gemini"
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
		plan, err := gemini.Dialect{}.WriteRequest(req, &providers.Call{Op: providers.OpChat, Doc: &doc, Model: "gemini-2.5-flash", Clamp: clamp, Can: can})
		if err != nil {
			t.Fatal(err)
		}
		config := gjson.GetBytes(plan.Requests[0].Body, "generationConfig")
		budget := config.Get("thinkingConfig.thinkingBudget").Raw + config.Get("thinkingConfig.thinking_budget").Raw
		got := strings.TrimSpace(config.Get("maxOutputTokens").Raw + " " + budget)
		if got != told || plan.Clamped != clamped || strings.Join(plan.Dropped, ",") != dropped {
			t.Errorf("%s clamped to %d: %s (%q, %q), want %s (%q, %q)", fields, clamp, got, plan.Clamped, plan.Dropped, told, clamped, dropped)
		}
		if want := config.Get("maxOutputTokens").Int() * max(1, config.Get("candidateCount").Int()); plan.MaxOutput != want {
			t.Errorf("%s: a bound of %d, told %d", fields, plan.MaxOutput, want)
		}
	}
	flash := providers.Capabilities{Known: true, MaxOutput: 65_536, BudgetMax: 24_576}
	pro := providers.Capabilities{Known: true, MaxOutput: 65_536, BudgetMin: 128, BudgetMax: 32_768, ThinkingAlways: true}
	f(500, flash, `,"max_tokens":400`, `400`, "", "")
	f(500, flash, `,"max_tokens":800`, `500`, "max_tokens=500", "")
	f(500, flash, `,"max_tokens":0`, `500`, "max_tokens=500", "")
	f(500, flash, ``, `500`, "max_completion_tokens=500", "")
	f(500, flash, `,"n":3,"max_completion_tokens":800`, `166`, "max_completion_tokens=166", "")
	f(2, flash, `,"n":3`, `1`, "max_completion_tokens=1", "")

	f(500, flash, `,"reasoning":{"max_tokens":499}`, `500 499`, "max_completion_tokens=500", "")
	f(500, flash, `,"reasoning":{"max_tokens":500}`, `500 250`, "max_completion_tokens=500", "reasoning_effort")
	f(500, flash, `,"max_tokens":9000,"reasoning_effort":"high"`, `500 250`, "max_tokens=500", "reasoning_effort")
	f(500, flash, `,"reasoning_effort":"none"`, `500 0`, "max_completion_tokens=500", "")
	f(200, pro, `,"reasoning_effort":"high"`, `200 128`, "max_completion_tokens=200", "reasoning_effort")
	f(500, flash, `,"extra_body":{"google":{"thinking_config":{"thinking_budget":-1}}}`, `500 -1`, "max_completion_tokens=500", "")
	f(500, flash, `,"extra_body":{"google":{"thinking_config":{"thinking_budget":9000}}}`, `500 250`, "max_completion_tokens=500", "extra_body.google.thinking_config")
	f(500, flash, `,"generationConfig":{"maxOutputTokens":9000,"thinkingConfig":{"thinkingBudget":9000}}`, `500 250`, "max_completion_tokens=500", "generationConfig.maxOutputTokens,generationConfig")
}

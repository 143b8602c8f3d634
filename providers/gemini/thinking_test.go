package gemini

import (
	"strings"
	"testing"

	"github.com/aistrale/aistrale/providers"
)

func TestThinking(t *testing.T) {
	f := func(model string, can providers.Capabilities, ask providers.ReasoningAsk, want string) {
		t.Helper()
		limit := int64(100_000)
		r := request{req: &providers.Request{Reasoning: ask, MaxTokens: &limit}, call: &providers.Call{Model: model, Can: can}}
		r.thinking()
		got := string(r.gen.get("thinkingConfig"))
		if len(r.dropped) > 0 {
			got += " without " + strings.Join(r.dropped, ",")
		}
		if got != want {
			t.Errorf("%s %+v: %s, want %s", model, ask, got, want)
		}
	}
	effort := func(e string) providers.ReasoningAsk { return providers.ReasoningAsk{Effort: e} }
	tokens := func(n int64) providers.ReasoningAsk { return providers.ReasoningAsk{Budget: &n} }
	no := false
	flash := providers.Capabilities{Known: true, BudgetMax: 24576}
	lite := providers.Capabilities{Known: true, BudgetMin: 512, BudgetMax: 24576}
	pro := providers.Capabilities{Known: true, BudgetMin: 128, BudgetMax: 32768, ThinkingAlways: true}
	three := providers.Capabilities{Known: true, Efforts: []string{"low", "high"}, ThinkingAlways: true}
	unknown := providers.Capabilities{}

	f("gemini-2.5-flash", flash, providers.ReasoningAsk{}, ``)
	f("gemini-2.5-flash", flash, effort("none"), `{"thinkingBudget":0}`)
	f("gemini-2.5-flash", flash, effort("minimal"), `{"thinkingBudget":1,"includeThoughts":true}`)
	f("gemini-2.5-flash", flash, effort("low"), `{"thinkingBudget":1024,"includeThoughts":true}`)
	f("gemini-2.5-flash", flash, effort("medium"), `{"thinkingBudget":8192,"includeThoughts":true}`)
	f("gemini-2.5-flash", flash, effort("xhigh"), `{"thinkingBudget":24576,"includeThoughts":true} without reasoning_effort`)
	f("gemini-2.5-flash", flash, tokens(99_000), `{"thinkingBudget":24576,"includeThoughts":true}`)
	f("gemini-2.5-flash", flash, tokens(-1), `{"thinkingBudget":-1,"includeThoughts":true}`)
	f("gemini-2.5-flash", flash, providers.ReasoningAsk{Effort: "low", Show: &no}, `{"thinkingBudget":1024,"includeThoughts":false}`)
	f("gemini-2.5-flash", flash, providers.ReasoningAsk{Show: &no}, `{"includeThoughts":false}`)
	f("gemini-2.5-flash-lite", lite, effort("minimal"), `{"thinkingBudget":512,"includeThoughts":true}`)
	f("gemini-2.5-flash-lite", lite, effort("none"), `{"thinkingBudget":0}`)
	f("gemini-2.5-pro", pro, effort("none"), `{"thinkingBudget":128} without reasoning_effort`)
	f("gemini-2.5-pro", unknown, effort("none"), `{"thinkingBudget":128} without reasoning_effort`)
	f("gemini-2.5-flash", unknown, effort("none"), `{"thinkingBudget":0}`)
	f("gemini-3-pro-preview", three, effort("none"), `{"thinkingLevel":"LOW"} without reasoning_effort`)
	f("gemini-3-pro-preview", three, effort("medium"), `{"thinkingLevel":"HIGH","includeThoughts":true}`)
	f("gemini-3-pro-preview", three, tokens(1500), `{"thinkingLevel":"LOW","includeThoughts":true}`)
	f("gemini-3-flash", unknown, effort("none"), `{"thinkingLevel":"MINIMAL"}`)
	f("gemini-3-flash", unknown, effort("medium"), `{"thinkingLevel":"MEDIUM","includeThoughts":true}`)
	f("gemini-4-pro", unknown, effort("max"), `{"thinkingLevel":"HIGH","includeThoughts":true} without reasoning_effort`)
	f("gemini-2.0-flash", providers.Capabilities{Known: true, NoThinking: true}, effort("high"), ` without reasoning_effort`)
	f("gemini-2.0-flash", providers.Capabilities{Known: true, NoThinking: true}, effort("none"), ``)
	f("gemma-4-31b-it", providers.Capabilities{Known: true}, effort("high"), `{"includeThoughts":true} without reasoning_effort`)
}

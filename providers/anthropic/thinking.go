package anthropic

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// minBudget is the least thinking budget the API takes, in tokens.
const minBudget = 1024

// thinking is what the request says of reasoning.
type thinking struct {
	kind    string // adaptive, enabled, disabled; "" not said
	budget  int64  // with enabled
	display string // summarized, omitted; "" not said
	raw     []byte // the client's own field, sent as it came
}

func (t *thinking) on() bool { return t.kind == "adaptive" || t.kind == "enabled" }

// askThinking decides on thinking and, since it shares them, on the output's bound.
func (w *writer) askThinking() error {
	w.max = w.maxTokens()
	ask := &w.req.Reasoning
	if ask.Effort != "" && !slices.Contains(efforts, ask.Effort) {
		return providers.Invalid("reasoning_effort", fmt.Sprintf("unknown reasoning effort '%s': use one of %s", ask.Effort, strings.Join(efforts, ", ")))
	}
	if ask.Budget != nil && *ask.Budget < 0 {
		return providers.Invalid("reasoning", "a thinking budget cannot be negative")
	}
	can := &w.call.Can
	switch {
	case w.thinking.raw != nil:
		w.ownThinking()
	case can.NoThinking:
		if ask.Budget != nil || ask.Effort != "" && ask.Effort != "none" {
			w.drop("reasoning_effort")
		}
		return nil
	case can.AdaptiveThinking && (can.BudgetMax == 0 || ask.Budget == nil):
		w.adaptive()
	default:
		w.budgeted()
	}
	w.giveUpThinking()
	w.fitBudget()
	return nil
}

// ownThinking takes the field that the client wrote in Anthropic's words.
func (w *writer) ownThinking() {
	t := gjson.ParseBytes(w.thinking.raw)
	w.thinking.kind = t.Get("type").String()
	w.thinking.budget = t.Get("budget_tokens").Int()
	if e := w.req.Reasoning.Effort; e != "" && e != "none" {
		w.effort(e)
	}
}

func (w *writer) adaptive() {
	ask := &w.req.Reasoning
	effort := ask.Effort
	if effort == "" && ask.Budget != nil {
		effort = effortOf(*ask.Budget)
	}
	switch {
	case effort == "" && (ask.Show == nil || !*ask.Show):
		return // the model's own default
	case effort == "none" && w.call.Can.ThinkingAlways:
		w.drop("reasoning_effort")
		w.effort("low")
		return
	case effort == "none":
		w.thinking.kind = "disabled"
		return
	}
	w.thinking.kind, w.thinking.display = "adaptive", "summarized"
	if ask.Show != nil && !*ask.Show {
		w.thinking.display = "omitted"
	}
	if effort != "" {
		w.effort(effort)
	}
}

// effortOf says a budget as an effort, for models that take no budget.
func effortOf(budget int64) string {
	switch {
	case budget == 0:
		return "none"
	case budget <= 2048:
		return "low"
	case budget <= 8192:
		return "medium"
	}
	return "high"
}

func (w *writer) budgeted() {
	ask, can := &w.req.Reasoning, &w.call.Can
	switch {
	case ask.Budget != nil:
		w.thinking.budget = *ask.Budget
	case ask.Effort == "minimal", ask.Effort == "low":
		w.thinking.budget = 1024
	case ask.Effort == "medium":
		w.thinking.budget = 2048
	case ask.Effort == "high", ask.Effort == "xhigh", ask.Effort == "max":
		w.thinking.budget = 4096
	case ask.Show != nil && *ask.Show:
		w.thinking.budget = 2048
	}
	if w.thinking.budget == 0 {
		return // these models think only when asked
	}
	w.thinking.kind = "enabled"
	w.thinking.budget = max(w.thinking.budget, minBudget, can.BudgetMin)
	if can.BudgetMax > 0 {
		w.thinking.budget = min(w.thinking.budget, can.BudgetMax)
	}
	if ask.Show != nil && !*ask.Show {
		w.thinking.display = "omitted"
	}
	if ask.Effort == "" || ask.Effort == "none" {
		return
	}
	if len(can.Efforts) > 0 {
		w.effort(ask.Effort)
	} else if ask.Effort == "xhigh" || ask.Effort == "max" {
		w.drop("reasoning_effort") // served as high
	}
}

// efforts are the hub's, lowest first.
var efforts = []string{"none", "minimal", "low", "medium", "high", "xhigh", "max"}

// effort asks for the nearest effort that the model knows, not above the one asked for.
func (w *writer) effort(asked string) {
	known := w.call.Can.Efforts
	if len(known) == 0 {
		known = []string{"low", "medium", "high"}
	}
	best := known[0]
	for _, e := range known {
		if slices.Index(efforts, e) <= slices.Index(efforts, asked) {
			best = e
		}
	}
	if best != asked && asked != "minimal" && asked != "none" {
		w.drop("reasoning_effort")
	}
	w.setConfig("effort", providers.AppendString(nil, best))
}

// giveUpThinking leaves thinking out where the API would refuse it for the conversation's
// sake: with a budget, the last assistant message must begin with its own signed thinking.
// Source: https://docs.claude.com/en/docs/build-with-claude/extended-thinking (preserving blocks)
func (w *writer) giveUpThinking() {
	if w.thinking.kind != "enabled" {
		return
	}
	msgs := w.layout.messages
	for i := len(msgs) - 1; i >= 0; i-- {
		m := &msgs[i]
		if !m.assistant {
			continue
		}
		prefill := i == len(msgs)-1
		if (len(m.calls) > 0 || prefill) && len(m.rest) > 0 && m.rest[0].Kind != providers.KindReasoning {
			w.dropThinking()
			w.thinking = thinking{}
		}
		return
	}
}

// dropThinking names what the client asked of thinking and does not get.
func (w *writer) dropThinking() {
	if w.thinking.raw == nil && w.req.Reasoning.Effort != "" {
		w.drop("reasoning_effort")
	} else {
		w.drop("thinking")
	}
}

// fitBudget keeps the budget below the output's bound: by a smaller budget where only an
// effort was asked for, by a higher bound where the client named the budget or there is no
// room for the least one.
func (w *writer) fitBudget() {
	t := &w.thinking
	if t.kind != "enabled" || t.budget < w.max {
		return
	}
	if t.raw == nil && w.req.Reasoning.Budget == nil {
		if t.budget = max(minBudget, w.max/5*4); t.budget < w.max {
			return
		}
	}
	raised := t.budget + w.max
	if most := w.call.Can.MaxOutput; most > t.budget {
		raised = min(raised, most)
	}
	w.max = raised
}

func (w *writer) writeThinking() error {
	t := &w.thinking
	if t.kind != "" || t.raw != nil {
		w.thinkingField()
	}
	if len(w.config) == 0 || !w.field("output_config") {
		return nil
	}
	w.body = append(w.body, '{')
	for i, m := range w.config {
		w.comma(i)
		w.body = append(providers.AppendString(w.body, m.name), ':')
		w.body = append(w.body, m.value...)
	}
	w.body = append(w.body, '}')
	return nil
}

func (w *writer) thinkingField() {
	t := &w.thinking
	if !w.field("thinking") {
		return
	}
	if t.raw != nil {
		w.body = append(w.body, t.raw...)
		return
	}
	w.body = append(append(append(w.body, `{"type":"`...), t.kind...), '"')
	if t.kind == "enabled" {
		w.body = strconv.AppendInt(append(w.body, `,"budget_tokens":`...), t.budget, 10)
	}
	if t.display != "" {
		w.body = append(append(append(w.body, `,"display":"`...), t.display...), '"')
	}
	w.body = append(w.body, '}')
}

// setConfig says a member of output_config, unless the client said it itself.
func (w *writer) setConfig(name string, value []byte) {
	if !slices.ContainsFunc(w.config, func(m member) bool { return m.name == name }) {
		w.config = append(w.config, member{name, value})
	}
}

// oldModel reports the Claude 3 models, whose output is bounded lower.
func oldModel(name string) bool {
	return strings.HasPrefix(name, "claude-3-opus") || strings.HasPrefix(name, "claude-3-sonnet") ||
		strings.HasPrefix(name, "claude-3-haiku") || strings.HasPrefix(name, "claude-2")
}

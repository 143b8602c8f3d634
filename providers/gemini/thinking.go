package gemini

import (
	"slices"
	"strings"
)

// The budgets that Google's own OpenAI-compatible endpoint gives the efforts on 2.5.
// Source: https://ai.google.dev/gemini-api/docs/openai#thinking
const (
	budgetLow    = 1024
	budgetMedium = 8192
	budgetHigh   = 24576
)

// thinking says how much to think: generation 3 by level, 2.5 by a budget of tokens.
func (r *request) thinking() {
	ask, can := r.req.Reasoning, &r.call.Can
	if ask.Effort == "" && ask.Budget == nil && ask.Show == nil {
		return
	}
	if can.NoThinking {
		if ask.Effort != "none" && (ask.Effort != "" || ask.Budget != nil) {
			r.drop("reasoning_effort")
		}
		return
	}
	var config fields
	levels := len(can.Efforts) > 0 || !can.Known && generation(r.call.Model) >= 3
	switch {
	case ask.Effort == "" && ask.Budget == nil:
	case can.BudgetMax > 0 && ask.Budget != nil, !levels && (can.BudgetMax > 0 || !can.Known):
		config.set("thinkingBudget", number(r.budget()))
	case levels:
		config.set("thinkingLevel", quoted(strings.ToUpper(r.level())))
	default:
		r.drop("reasoning_effort") // thinks as it likes
	}
	if r.lowered(&config) {
		r.drop("reasoning_effort")
	}
	switch off := ask.Effort == "none" || ask.Budget != nil && *ask.Budget == 0; {
	case ask.Show != nil:
		config.set("includeThoughts", boolean(*ask.Show))
	case !off:
		config.set("includeThoughts", boolean(true))
	}
	if len(config) > 0 {
		var w body
		config.write(&w)
		r.gen.set("thinkingConfig", w.b)
	}
}

// lowered reports an effort that is served as another: above high, which the API does not know,
// or none where the model cannot but think.
func (r *request) lowered(config *fields) bool {
	budget, level := string(config.get("thinkingBudget")), string(config.get("thinkingLevel"))
	switch r.req.Reasoning.Effort {
	case "xhigh", "max":
		return budget != "" || level != "" && level != `"XHIGH"` && level != `"MAX"`
	case "none":
		return budget != "" && budget != "0" || level != "" && level != `"NONE"` && level != `"MINIMAL"`
	}
	return false
}

func boolean(v bool) []byte {
	if v {
		return []byte("true")
	}
	return []byte("false")
}

// level gives the level for the effort asked, of those that the model has.
func (r *request) level() string {
	efforts := r.call.Can.Efforts
	if len(efforts) == 0 {
		efforts = []string{"low", "high"}
		if strings.Contains(r.call.Model, "flash") {
			efforts = []string{"minimal", "low", "medium", "high"}
		}
	}
	want := r.req.Reasoning.Effort
	if want == "" {
		want = effortOf(*r.req.Reasoning.Budget)
	}
	switch {
	case slices.Contains(efforts, want):
		return want
	case want == "none" || want == "minimal":
		return efforts[0]
	case want == "low":
		// The least that is more than none.
		if efforts[0] == "minimal" && len(efforts) > 1 {
			return efforts[1]
		}
		return efforts[0]
	}
	return efforts[len(efforts)-1]
}

func effortOf(budget int64) string {
	switch {
	case budget < 0 || budget > budgetMedium:
		return "high"
	case budget == 0:
		return "none"
	case budget <= 2*budgetLow:
		return "low"
	}
	return "medium"
}

// budget gives the tokens to think with, within the model's bounds, and within half of what the
// client lets the model say at all: thoughts count there too, and an answer must be left.
func (r *request) budget() int64 {
	can := &r.call.Can
	least, most := can.BudgetMin, can.BudgetMax
	if !can.Known && strings.Contains(r.call.Model, "pro") {
		least = 128
	}
	if most == 0 {
		most = budgetHigh
	}
	budget := int64(budgetHigh)
	if ask := r.req.Reasoning; ask.Budget != nil && ask.Effort != "none" {
		budget = *ask.Budget
	} else {
		switch ask.Effort {
		case "none":
			budget = 0
		case "minimal":
			budget = max(1, least)
		case "low":
			budget = budgetLow
		case "medium":
			budget = budgetMedium
		}
	}
	if budget < 0 {
		return -1 // as much as the model likes
	}
	if limit := r.req.MaxTokens; limit != nil && budget >= *limit {
		budget = *limit / 2
	}
	if budget == 0 && !can.ThinkingAlways && (can.Known || least == 0) {
		return 0
	}
	return min(max(budget, least), most)
}

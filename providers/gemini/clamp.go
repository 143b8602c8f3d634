package gemini

import (
	"strconv"

	"github.com/aistrale/aistrale/providers"
)

// bound decides on what each candidate may make at most: the client's bound, or the gateway's
// where that is lower or the only one.
func (r *request) bound() {
	r.limit = r.req.MaxTokens
	candidates := int64(1)
	if r.req.N != nil {
		candidates = *r.req.N
	}
	share := providers.Share(r.call.Clamp, candidates)
	if share == 0 || r.limit != nil && *r.limit > 0 && *r.limit <= share {
		return
	}
	name := "max_completion_tokens"
	if r.req.LegacyMaxTokens {
		name = "max_tokens"
	}
	r.limit, r.clamped = &share, name+"="+strconv.FormatInt(share, 10)
}

// fitThinking lowers a thinking budget that a clamped bound has no room for: thoughts count
// there too, and half of it is left to the answer.
func (r *request) fitThinking() error {
	config := r.gen.get("thinkingConfig")
	if r.clamped == "" || len(config) == 0 || config[0] != '{' {
		return nil
	}
	var doc providers.Document
	if err := doc.Scan(config, nil); err != nil {
		return err
	}
	for _, name := range []string{"thinkingBudget", "thinking_budget"} {
		budget, said, err := doc.Int(name)
		if err != nil || !said || budget < *r.limit {
			continue // a wrong type is the upstream's to refuse
		}
		budget = max(*r.limit/2, r.call.Can.BudgetMin)
		r.gen.set("thinkingConfig", doc.Splice(nil, providers.Edit{Name: name, Value: number(budget)}))
		r.drop(r.thinkingName())
		return nil
	}
	return nil
}

// thinkingName is how the client asked for a thinking budget.
func (r *request) thinkingName() string {
	for i := range r.req.Extras {
		e := &r.req.Extras[i]
		name := known(bare(e.Name), nativeFields())
		if e.Owner == Language && (name == "thinkingConfig" || name == "generationConfig") {
			return e.Name
		}
	}
	return "reasoning_effort"
}

package gemini

import (
	"github.com/aistrale/aistrale/providers"
)

// Hosted speaks generateContent as Google's cloud serves it: a count's request has the
// conversation itself, and no generateContentRequest around it.
//
// Source: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/count-tokens
type Hosted struct{ Dialect }

var _ providers.Dialect = Hosted{}

// WriteRequest implements providers.Dialect.
func (h Hosted) WriteRequest(req *providers.Request, call *providers.Call) (providers.Plan, error) {
	count := call.Op == providers.OpCountTokens
	if count {
		chat := *call
		chat.Op, call = providers.OpChat, &chat
	}
	plan, err := h.Dialect.WriteRequest(req, call)
	if err != nil || !count {
		return plan, err
	}
	plan.MaxOutput, plan.Choices, plan.Clamped = 0, 0, ""
	for i := range plan.Requests {
		r := &plan.Requests[i]
		var doc providers.Document
		if err := doc.Scan(r.Body, nil); err != nil {
			return plan, err
		}
		var edits []providers.Edit
		for _, name := range []string{"toolConfig", "safetySettings", "serviceTier", "cachedContent", "labels"} {
			if doc.Field(name) != nil {
				edits = append(edits, providers.Edit{Name: name})
			}
		}
		r.Body = doc.Splice(nil, edits...)
	}
	return plan, nil
}

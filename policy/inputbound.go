package policy

import "github.com/aistrale/aistrale/providers/catalog"

// InputBound gives the most tokens of input that a request may be billed for, by the body that
// the upstream is sent. t is as the catalogue names it. context is the model's, 0 where nobody knows it. Where known is false
// there is no bound: the provider fetches or searches by itself, or reads what is stored with it.
func InputBound(t Target, context int64, body []byte, rest ...[]byte) (tokens int64, known bool) {
	tokens, reach := catalog.AllowanceFor(t.Provider, t.Model).Input(body, rest...)
	switch reach {
	case catalog.InputBounded:
		return tokens, true
	case catalog.InputContext:
		return max(tokens, context), context > 0
	case catalog.InputOpen:
	}
	return tokens, false
}

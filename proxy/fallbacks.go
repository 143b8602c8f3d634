package proxy

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
)

// maxFallbacks bounds the models that a request may name for the case that its own fails.
const maxFallbacks = 8

// addFallbacks takes the client's own fallbacks (x-aistrale-fallbacks: a,b), for keys that may
// name them, and holds each to what the key may use.
func (f *flight) addFallbacks() error {
	const name = "x-aistrale-fallbacks"
	said := f.fc.Request.Header.Peek(name)
	if len(said) == 0 {
		return nil
	}
	if !slices.Contains(f.key.Allow, "fallbacks") {
		return &providers.Fault{Kind: providers.FaultForbidden, NoRetry: true, Param: name,
			Message: fmt.Sprintf("The key %q may not name fallbacks of its own.", f.key.Name)}
	}
	n := 0
	for model := range bytes.SplitSeq(said, []byte(",")) {
		model = bytes.TrimSpace(model)
		if len(model) == 0 {
			continue
		}
		if n++; n > maxFallbacks {
			return providers.Invalid(name, fmt.Sprintf("A request names at most %d fallbacks.", maxFallbacks))
		}
		targets, err := f.fallback(string(model))
		if err != nil {
			return err
		}
		f.fallbacks = append(f.fallbacks, targets...)
	}
	return nil
}

// fallback resolves one of them.
func (f *flight) fallback(model string) ([]policy.Target, error) {
	alias, err := f.state.Router.Resolve(model)
	if err != nil {
		return nil, err
	}
	targets, err := policy.AdmitTargets(f.key, model, alias.Targets)
	if err != nil {
		return nil, err
	}
	if err := policy.AdmitFields(f.key, f.doc.Hits, targets); err != nil {
		return nil, err
	}
	return targets, nil
}

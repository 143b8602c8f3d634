package proxy

import (
	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
)

// admit decides whether the key may make this call. It touches no counter.
func (f *flight) admit() error {
	if f.rec.Asked == "" {
		return providers.Invalid("model", "you must provide a model parameter")
	}
	alias, err := f.state.Router.Resolve(f.rec.Asked)
	if err != nil {
		return err
	}
	targets, err := policy.AdmitTargets(f.key, f.rec.Asked, alias.Targets)
	if err != nil {
		return err
	}
	if len(targets) < len(alias.Targets) {
		narrowed := *alias
		narrowed.Targets, alias = targets, &narrowed
	}
	if len(f.doc.Hits) > 0 {
		if err := policy.AdmitFields(f.key, f.doc.Hits, targets); err != nil {
			return err
		}
	}
	f.alias = alias
	return nil
}

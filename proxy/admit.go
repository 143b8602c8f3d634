package proxy

import (
	"fmt"
	"slices"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// admit decides whether the key may make this call. It touches no counter.
func (f *flight) admit() error {
	if f.endpoint.About() {
		return f.admitStored()
	}
	if err := f.admitModel(); err != nil {
		return err
	}
	if len(f.doc.Hits) > 0 {
		if err := f.markOwn(); err != nil {
			return err
		}
		if err := policy.AdmitFields(f.key, f.doc.Hits, f.alias.Targets); err != nil {
			return err
		}
	}
	if err := f.findHeld(); err != nil {
		return err
	}
	if err := f.rewrite(); err != nil {
		return err
	}
	return f.unfold()
}

// admitModel finds what the model's name stands for, as far as the key may use it.
func (f *flight) admitModel() error {
	alias, err := f.state.Router.ResolveIn(&f.direct, f.rec.Asked)
	if err != nil {
		return err
	}
	targets, err := policy.AdmitTargets(f.key, f.rec.Asked, alias.Targets)
	if err != nil {
		return err
	}
	if len(targets) < len(alias.Targets) {
		for _, t := range alias.Targets {
			if !slices.Contains(targets, t) {
				f.passOver(t, "", storage.FateNotAllowed)
			}
		}
		narrowed := *alias
		narrowed.Targets, alias = targets, &narrowed
	}
	f.alias = alias
	return nil
}

// rewrite puts the parameters of the alias and of the key into the client's body. The key was
// asked about the client's own fields; what the operator puts in is admitted, and priced.
func (f *flight) rewrite() error {
	body, changed, err := policy.Rewrite(f.rewritten[:0], &f.doc, f.endpoint, &f.alias.Parameters, &f.key.Parameters)
	if !changed {
		return err
	}
	f.rewritten = body
	if err := f.takeCopy(len(body)); err != nil {
		return err
	}
	if err := f.scan(body); err != nil {
		return &providers.Fault{Kind: providers.FaultInternal, NoRetry: true, Cause: fmt.Errorf("defaults or force of %q or of key %q: %w", f.rec.Asked, f.key.Name, err),
			Message: "The gateway's settings for this key or model cannot be applied to this request."}
	}
	if err := f.watchForm(); err != nil {
		return err
	}
	if asked, err := f.endpoint.Ask(&f.doc); err == nil {
		f.asked.MaxOutput, f.asked.Tier = asked.MaxOutput, asked.Tier
	}
	return nil
}

package proxy

import (
	"cmp"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/policy"
)

// stickiness is what keeps this call where an earlier one was served.
func (f *flight) stickiness() policy.Sticky {
	if f.alias.Sticky != policy.StickyNone {
		return f.alias.Sticky
	}
	if f.key.Sticky != "" {
		return policy.Sticky(f.key.Sticky)
	}
	for i := range f.alias.Targets {
		for _, a := range f.accounts(f.alias.Targets[i]) {
			if a.Sticky != policy.StickyNone {
				return a.Sticky
			}
		}
	}
	return policy.StickyNone
}

// stickyKey is the call's session, or how its prompt begins, as a hash; 0 where it has none.
// Sessions of different workspaces are different, whatever they are called.
func (f *flight) stickyKey(by policy.Sticky) uint64 {
	switch by {
	case policy.StickySession:
		if said := f.session(); said != "" {
			return policy.HashParts(f.rec.Workspace, said)
		}
	case policy.StickyPrefix:
		return f.prefix()
	case policy.StickyNone:
	}
	return 0
}

// session is the client's word for its session.
func (f *flight) session() string {
	return cmp.Or(f.rec.Session, f.rec.EndUser)
}

// maxPrefix bounds what is hashed of each part of a prompt, in bytes.
const maxPrefix = 32 << 10

// prefix hashes what providers cache first, in any language's words: the tools, the instructions,
// and what is said up to the user's first word.
func (f *flight) prefix() uint64 {
	h := xxhash.New()
	for _, name := range [...]string{"tools", "system", "systemInstruction", "system_instruction", "instructions"} {
		said := f.doc.Value(name)
		_, _ = h.Write(said[:min(len(said), maxPrefix)]) // a hash never fails
	}
	for _, name := range [...]string{"messages", "contents", "input", "prompt"} {
		said := f.doc.Value(name)
		if len(said) == 0 {
			continue
		}
		if said[0] != '[' {
			_, _ = h.Write(said[:min(len(said), maxPrefix)])
			break
		}
		gjson.ParseBytes(said).ForEach(func(_, m gjson.Result) bool {
			_, _ = h.WriteString(m.Raw[:min(len(m.Raw), maxPrefix)])
			role := m.Get("role").Str
			return role != "user" && role != ""
		})
		break
	}
	return h.Sum64()
}

// warmFirst puts the place that served the session or the prompt last before the others.
func (f *flight) warmFirst(targets []target) {
	if f.sticky == 0 || len(targets) < 2 {
		return
	}
	place, ok := f.g.warm.Find(f.sticky, f.start)
	if !ok {
		return
	}
	for i := range targets {
		if p := targets[i].place(); p.Hash() == place {
			warm := targets[i]
			copy(targets[1:i+1], targets[:i])
			targets[0] = warm
			return
		}
	}
}

// keepWarm notes who serves the call.
func (f *flight) keepWarm(t *target) {
	if f.sticky != 0 {
		p := t.place()
		f.g.warm.Keep(f.sticky, p.Hash(), f.stickyBy, time.Now())
	}
}

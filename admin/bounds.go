package admin

import (
	"cmp"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

// CheckBounds says what is wrong with the limits and budgets of a scope, one by one and beside
// each other.
func CheckBounds(scope storage.Scope, b *storage.Bounds) error {
	limits, budgets, err := b.Of(scope)
	if err != nil {
		return err
	}
	_, err = policy.NewLimits(limits, budgets, policy.NewMeans())
	return err
}

// part is one member of a tenant's settings that bounds somebody.
type part struct {
	member string        // before "limits" and "budgets"; "" for the settings' own
	scope  storage.Scope // the zero one stands on nobody yet
	bounds *storage.Bounds
}

func (s ProjectSettings) parts(t *storage.Tenant) []part {
	return []part{{"", storage.Scope{Kind: storage.ScopeProject, Name: t.Name, Workspace: t.Workspace}, &s.Bounds}}
}

func (s WorkspaceSettings) parts(t *storage.Tenant) []part {
	each := func(kind storage.ScopeKind) storage.Scope {
		return storage.Scope{Kind: kind, Name: "*", Workspace: t.Name}
	}
	return []part{
		{"", storage.Scope{Kind: storage.ScopeWorkspace, Name: t.Name, Workspace: t.Name}, &s.Bounds},
		{"each_project.", each(storage.ScopeProject), &s.EachProject},
		{"each_user.", each(storage.ScopeUser), &s.EachUser},
		{"each_key.", each(storage.ScopeKey), &s.EachKey},
		{"self_service.", storage.Scope{}, &s.SelfService.Bounds},
	}
}

// checkSettings says what is wrong with what is said of a tenant.
func (a *api) checkSettings(t *storage.Tenant, s bounding) error {
	kept, err := s.payloads().settings()
	if err == nil {
		err = a.CheckPayloads(kept)
	}
	if err != nil {
		return huma.Error422UnprocessableEntity(err.Error())
	}
	return a.checkParts(s.parts(t))
}

// checkParts says what is wrong with what a tenant is to bring along, in itself or for the
// configuration in force.
func (a *api) checkParts(parts []part) error {
	for _, p := range parts {
		if p.scope == (storage.Scope{}) {
			p.scope.Kind = storage.ScopeAll
		}
		if err := cmp.Or(CheckBounds(p.scope, p.bounds), a.CheckBounds(p.bounds)); err != nil {
			return huma.Error422UnprocessableEntity(p.member + err.Error())
		}
	}
	return nil
}

// EachBound hands over what a stored workspace or project brings along, by whom it stands on, until
// there is an error.
func EachBound(t *storage.Tenant, do func(storage.Scope, *storage.Bounds) error) error {
	var all []part
	if t.Workspace == "" {
		var settings WorkspaceSettings
		if err := json.Unmarshal(t.Settings, &settings); err != nil {
			return err
		}
		all = settings.parts(t)
	} else {
		var settings ProjectSettings
		if err := json.Unmarshal(t.Settings, &settings); err != nil {
			return err
		}
		all = settings.parts(t)
	}
	for _, p := range all {
		if p.scope == (storage.Scope{}) || p.bounds.Empty() {
			continue
		}
		if err := do(p.scope, p.bounds); err != nil {
			return err
		}
	}
	return nil
}

package admin

import (
	"context"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

// Workspace is a workspace as the API shows one: who pays, and where it may be served.
type Workspace struct {
	Name string `json:"name"`
	WorkspaceSettings
	CreatedAt time.Time `json:"created_at"`
}

// WorkspaceSettings are what may be said of a workspace.
type WorkspaceSettings struct {
	Description string      `json:"description,omitempty" maxLength:"1024"`
	Regions     []string    `json:"regions,omitempty" maxItems:"64" doc:"Regions of providers that may serve it; the empty one is those without a region; none: any. What the configuration says goes first"`
	SelfService SelfService `json:"self_service,omitzero" doc:"What engineers may give to keys that they make for themselves"`
	// All together, and each by itself.
	storage.Bounds
	EachProject storage.Bounds `json:"each_project,omitzero" doc:"What each of its projects is bounded by"`
	EachUser    storage.Bounds `json:"each_user,omitzero" doc:"What all keys of one owner together are bounded by"`
	EachKey     storage.Bounds `json:"each_key,omitzero" doc:"What each of its keys is bounded by"`
}

// SelfService bounds the keys that engineers make for themselves.
type SelfService struct {
	Models []string `json:"models,omitempty" maxItems:"256" doc:"Patterns of models; none: every model"`
	Allow  []string `json:"allow,omitempty" maxItems:"256" doc:"Governed fields"`
	Days   int      `json:"days,omitempty" minimum:"0" maximum:"3650" doc:"How long a key may be valid; 0: for ever"`
	// Each such key has bounds as strict as these; one that says none has these.
	storage.Bounds
}

// Project is a project of a workspace as the API shows one.
type Project struct {
	Name string `json:"name"`
	ProjectSettings
	CreatedAt time.Time `json:"created_at"`
}

// ProjectSettings are what may be said of a project.
type ProjectSettings struct {
	Description string      `json:"description,omitempty" maxLength:"1024"`
	Payloads    PayloadRule `json:"payloads,omitzero" doc:"What is kept of what its keys' calls ask and are answered, where a key says nothing of that itself"`
	storage.Bounds
}

// tenants are the workspaces, or the projects of one: S is what may be said of them, T how they are
// shown.
type tenants[S bounding, T any] struct {
	a      *api
	action policy.Action
	show   func(storage.Tenant, S) T
}

// bounding is what says of a tenant what it bounds, and what is kept of its calls.
type bounding interface {
	parts(t *storage.Tenant) []part
	payloads() PayloadRule
}

func (a *api) workspaces() tenants[WorkspaceSettings, Workspace] {
	return tenants[WorkspaceSettings, Workspace]{a, policy.WorkspacesWrite, func(t storage.Tenant, s WorkspaceSettings) Workspace {
		return Workspace{t.Name, s, t.CreatedAt}
	}}
}

func (a *api) projects() tenants[ProjectSettings, Project] {
	return tenants[ProjectSettings, Project]{a, policy.ProjectsWrite, func(t storage.Tenant, s ProjectSettings) Project {
		return Project{t.Name, s, t.CreatedAt}
	}}
}

func (s tenants[S, T]) shown(t storage.Tenant) (T, error) {
	var settings S
	err := json.Unmarshal(t.Settings, &settings)
	return s.show(t, settings), err
}

func (s tenants[S, T]) one(t storage.Tenant) (*one[T], error) {
	shown, err := s.shown(t)
	return &one[T]{ETag: etag(t.Revision), Body: shown}, err
}

// list gives those that are wanted.
func (s tenants[S, T]) list(ctx context.Context, workspace string, p Page, wanted func(*storage.Tenant) bool) (*listed[T], error) {
	after, err := p.after()
	if err != nil {
		return nil, err
	}
	all, err := s.a.Store.Tenants(ctx, workspace)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(t storage.Tenant) bool { return t.Name <= after || !wanted(&t) })
	var broken error
	out := listOf(p, all, func(t storage.Tenant) string { return t.Name }, func(t storage.Tenant) T {
		shown, err := s.shown(t)
		broken = err
		return shown
	})
	return out, broken
}

func (s tenants[S, T]) get(ctx context.Context, workspace, name string) (storage.Tenant, error) {
	all, err := s.a.Store.Tenants(ctx, workspace)
	if err != nil {
		return storage.Tenant{}, err
	}
	return pick(all, (&storage.Tenant{Workspace: workspace}).What(), name, func(t *storage.Tenant) bool { return t.Name == name })
}

func (s tenants[S, T]) create(ctx context.Context, t storage.Tenant, settings S) (*one[T], error) {
	var err error
	if t.Settings, err = json.Marshal(settings, json.Deterministic(true)); err != nil {
		return nil, err
	}
	t.Revision, t.CreatedAt = 1, s.a.Now().UTC().Truncate(time.Microsecond)
	if err := t.Check(); err != nil {
		return nil, huma.Error422UnprocessableEntity(err.Error())
	}
	if err := s.a.checkSettings(&t, settings); err != nil {
		return nil, err
	}
	shown := s.show(t, settings)
	c := change{action: s.action, target: t.What() + "/" + t.Name, workspace: t.Workspace, after: shown}
	if err := s.a.apply(ctx, &c, func(ctx context.Context) error { return s.a.Store.AddTenant(ctx, t) }); err != nil {
		return nil, err
	}
	return &one[T]{ETag: etag(1), Body: shown}, nil
}

// change replaces what is said of a tenant.
func (s tenants[S, T]) change(ctx context.Context, old storage.Tenant, m Match, settings S) (*one[T], error) {
	if err := m.holds(old.Revision); err != nil {
		return nil, err
	}
	before, err := s.shown(old)
	if err != nil {
		return nil, err
	}
	t := old
	if err := s.a.checkSettings(&t, settings); err != nil {
		return nil, err
	}
	if t.Settings, err = json.Marshal(settings, json.Deterministic(true)); err != nil {
		return nil, err
	}
	after := s.show(t, settings)
	c := change{action: s.action, target: t.What() + "/" + t.Name, workspace: t.Workspace, before: before, after: after}
	if err := s.a.apply(ctx, &c, func(ctx context.Context) error { return s.a.Store.ChangeTenant(ctx, t) }); err != nil {
		return nil, err
	}
	return &one[T]{ETag: etag(t.Revision + 1), Body: after}, nil
}

func (s tenants[S, T]) remove(ctx context.Context, t storage.Tenant, m Match) error {
	if err := m.holds(t.Revision); err != nil {
		return err
	}
	if t.Name == storage.DefaultWorkspace { // the default project has the same name
		return huma.Error409Conflict("the default " + t.What() + " stays")
	}
	before, err := s.shown(t)
	if err != nil {
		return err
	}
	c := change{action: s.action, target: t.What() + "/" + t.Name, workspace: t.Workspace, before: before}
	return s.a.apply(ctx, &c, func(ctx context.Context) error { return s.a.Store.RemoveTenant(ctx, t) })
}

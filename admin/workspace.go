package admin

import (
	"context"

	"github.com/go-json-experiment/json"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

// WorkspaceName names a workspace in a path.
type WorkspaceName struct {
	Name string `path:"workspace" maxLength:"128"`
}

// listWorkspaces gives those that who asks may see.
func (a *api) listWorkspaces(ctx context.Context, in *Page) (*listed[Workspace], error) {
	return a.workspaces().list(ctx, "", *in, func(t *storage.Tenant) bool { return a.may(ctx, policy.WorkspacesRead, t.Name) })
}

func (a *api) getWorkspace(ctx context.Context, in *WorkspaceName) (*one[Workspace], error) {
	t, err := a.workspaces().get(ctx, "", in.Name)
	if err != nil {
		return nil, err
	}
	return a.workspaces().one(t)
}

type newWorkspace struct {
	Body struct {
		Name string `json:"name" maxLength:"128"`
		WorkspaceSettings
	}
}

func (a *api) createWorkspace(ctx context.Context, in *newWorkspace) (*one[Workspace], error) {
	return a.workspaces().create(ctx, storage.Tenant{Name: in.Body.Name}, in.Body.WorkspaceSettings)
}

type workspaceChange struct {
	WorkspaceName
	Match
	Body WorkspaceSettings
}

func (a *api) changeWorkspace(ctx context.Context, in *workspaceChange) (*one[Workspace], error) {
	t, err := a.workspaces().get(ctx, "", in.Name)
	if err != nil {
		return nil, err
	}
	return a.workspaces().change(ctx, t, in.Match, in.Body)
}

type workspaceRemoval struct {
	WorkspaceName
	Match
}

func (a *api) removeWorkspace(ctx context.Context, in *workspaceRemoval) (*nothing, error) {
	t, err := a.workspaces().get(ctx, "", in.Name)
	if err != nil {
		return nil, err
	}
	return nil, a.workspaces().remove(ctx, t, in.Match)
}

// RegionsOf gives the regions that a workspace is pinned to; none is any.
func RegionsOf(t *storage.Tenant) ([]string, error) {
	var settings WorkspaceSettings
	err := json.Unmarshal(t.Settings, &settings)
	return settings.Regions, err
}

package admin

import (
	"context"

	"github.com/aistrale/aistrale/storage"
)

// InWorkspace is what every route takes that is about things of a workspace.
type InWorkspace struct {
	Workspace string `query:"workspace" default:"default" maxLength:"128" doc:"The workspace that it is about"`
}

// ProjectName names a project.
type ProjectName struct {
	InWorkspace
	Name string `path:"name" maxLength:"128"`
}

type projectList struct {
	InWorkspace
	Page
}

func (a *api) listProjects(ctx context.Context, in *projectList) (*listed[Project], error) {
	return a.projects().list(ctx, in.Workspace, in.Page, func(*storage.Tenant) bool { return true })
}

func (a *api) getProject(ctx context.Context, in *ProjectName) (*one[Project], error) {
	t, err := a.projects().get(ctx, in.Workspace, in.Name)
	if err != nil {
		return nil, err
	}
	return a.projects().one(t)
}

type newProject struct {
	InWorkspace
	Body struct {
		Name string `json:"name" maxLength:"128"`
		ProjectSettings
	}
}

func (a *api) createProject(ctx context.Context, in *newProject) (*one[Project], error) {
	return a.projects().create(ctx, storage.Tenant{Workspace: in.Workspace, Name: in.Body.Name}, in.Body.ProjectSettings)
}

type projectChange struct {
	ProjectName
	Match
	Body ProjectSettings
}

func (a *api) changeProject(ctx context.Context, in *projectChange) (*one[Project], error) {
	t, err := a.projects().get(ctx, in.Workspace, in.Name)
	if err != nil {
		return nil, err
	}
	return a.projects().change(ctx, t, in.Match, in.Body)
}

type projectRemoval struct {
	ProjectName
	Match
}

func (a *api) removeProject(ctx context.Context, in *projectRemoval) (*nothing, error) {
	t, err := a.projects().get(ctx, in.Workspace, in.Name)
	if err != nil {
		return nil, err
	}
	return nil, a.projects().remove(ctx, t, in.Match)
}

package storagetest

import (
	"context"
	"reflect"
	"testing"

	"github.com/aistrale/aistrale/storage"
)

// TenantStore keeps workspaces and projects.
type TenantStore interface {
	Tenants(ctx context.Context, workspace string) ([]storage.Tenant, error)
	AddTenant(ctx context.Context, t storage.Tenant) error
	ChangeTenant(ctx context.Context, t storage.Tenant) error
	RemoveTenant(ctx context.Context, t storage.Tenant) error
	AddKey(ctx context.Context, k storage.Key) error
}

// Tenants tests a TenantStore. open gives an empty one.
func Tenants(t *testing.T, open func(t *testing.T) TenantStore) {
	t.Run("workspaces", func(t *testing.T) { tenants(t, open(t), "") })
	t.Run("projects", func(t *testing.T) { tenants(t, open(t), storage.DefaultWorkspace) })
	t.Run("everywhere", func(t *testing.T) { tenantsEverywhere(t, open(t)) })
	t.Run("in use", func(t *testing.T) { tenantsInUse(t, open(t)) })
}

func tenant(workspace, name string) storage.Tenant {
	return storage.Tenant{Workspace: workspace, Name: name, Settings: []byte(`{"regions":["eu"]}`), Revision: 1, CreatedAt: start()}
}

func tenants(t *testing.T, s TenantStore, workspace string) {
	one := tenant(workspace, "one")
	do(t, s.AddTenant(t.Context(), one))
	wants(t, s.AddTenant(t.Context(), one), storage.ErrExists)
	if s.AddTenant(t.Context(), tenant(workspace, "../x")) == nil {
		t.Fatal("a name that is none was taken")
	}
	wantTenant(t, s, one)
	one.Settings = []byte(`{}`)
	do(t, s.ChangeTenant(t.Context(), one))
	wants(t, s.ChangeTenant(t.Context(), one), storage.ErrChanged)
	wants(t, s.RemoveTenant(t.Context(), one), storage.ErrChanged)
	wants(t, s.ChangeTenant(t.Context(), tenant(workspace, "nobody")), storage.ErrNotFound)
	one.Revision = 2
	wantTenant(t, s, one)
	do(t, s.RemoveTenant(t.Context(), one))
	wants(t, s.RemoveTenant(t.Context(), one), storage.ErrNotFound)
	wants(t, s.AddTenant(t.Context(), tenant("nowhere", "x")), storage.ErrNotFound)
}

// tenantsEverywhere wants the projects of all workspaces at once.
func tenantsEverywhere(t *testing.T, s TenantStore) {
	do(t, s.AddTenant(t.Context(), tenant("", "team")))
	want := []storage.Tenant{tenant("team", "a"), tenant("team", "b")}
	do(t, s.AddTenant(t.Context(), want[1]))
	do(t, s.AddTenant(t.Context(), want[0]))
	all, err := s.Tenants(t.Context(), storage.Everywhere)
	do(t, err)
	if len(all) != 3 || all[0].Workspace != storage.DefaultWorkspace || !reflect.DeepEqual(all[1:], want) {
		t.Fatalf("got %+v", all)
	}
}

func wantTenant(t *testing.T, s TenantStore, want storage.Tenant) {
	t.Helper()
	all, err := s.Tenants(t.Context(), want.Workspace)
	do(t, err)
	for i := range all {
		if all[i].Name != want.Name {
			continue
		}
		if !reflect.DeepEqual(all[i], want) {
			t.Fatalf("got %+v, want %+v", all[i], want)
		}
		return
	}
	t.Fatalf("%v lack %q", all, want.Name)
}

func tenantsInUse(t *testing.T, s TenantStore) {
	team, project := tenant("", "team"), tenant("team", "search")
	do(t, s.AddTenant(t.Context(), team))
	do(t, s.AddTenant(t.Context(), project))
	wants(t, s.RemoveTenant(t.Context(), team), storage.ErrInUse)
	k := key("ci", 0)
	k.Workspace, k.Project = "team", "search"
	do(t, s.AddKey(t.Context(), k))
	wants(t, s.RemoveTenant(t.Context(), project), storage.ErrInUse)
}

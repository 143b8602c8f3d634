package policy

import (
	"testing"

	"github.com/aistrale/aistrale/storage"
)

func member(workspace string, role storage.Role) []storage.Membership {
	return []storage.Membership{{Workspace: workspace, Role: role}}
}

func TestPermits(t *testing.T) {
	p := NewPermits(Permissions())
	for _, c := range []struct {
		who    []storage.Membership
		action Action
		where  string
		want   bool
	}{
		{nil, KeysRead, "default", false},
		{nil, MeRead, "", true},
		{nil, "keys.unheard_of", "default", false},
		{member("default", storage.RoleViewer), KeysRead, "default", true},
		{member("default", storage.RoleViewer), KeysRead, "team", false},
		{member("default", storage.RoleViewer), KeysOwn, "default", false},
		{member("default", storage.RoleEngineer), KeysOwn, "default", true},
		{member("default", storage.RoleEngineer), KeysWrite, "default", false},
		{member("default", storage.RoleAdmin), KeysWrite, "default", true},
		// Who is an admin of one workspace is not one of the installation.
		{member("default", storage.RoleAdmin), UsersWrite, "default", false},
		{member("default", storage.RoleAdmin), UsersWrite, storage.Everywhere, false},
		{member(storage.Everywhere, storage.RoleAdmin), UsersWrite, "", true},
		{member(storage.Everywhere, storage.RoleAdmin), KeysWrite, "team", true},
		{member(storage.Everywhere, storage.RoleAuditor), AuditRead, "", true},
		{member(storage.Everywhere, storage.RoleAuditor), KeysWrite, "default", false},
	} {
		if got := p.Allow(c.who, c.action, c.where); got != c.want {
			t.Errorf("%v %s in %q: %t, want %t", c.who, c.action, c.where, got, c.want)
		}
	}
}

func TestPermissionsTable(t *testing.T) {
	seen := map[Action]bool{}
	for _, p := range Permissions() {
		if seen[p.Action] {
			t.Errorf("%s stands twice", p.Action)
		}
		seen[p.Action] = true
		if p.Says == "" || (p.Extent == Oneself) != (len(p.Roles) == 0) {
			t.Errorf("%s: it says %q for %v", p.Action, p.Says, p.Roles)
		}
		if p.Extent != Oneself && p.Roles[0] != storage.RoleAdmin {
			t.Errorf("%s: an admin may not", p.Action)
		}
	}
}

func TestInScopes(t *testing.T) {
	for _, c := range []struct {
		scopes []string
		action Action
		want   bool
	}{
		{nil, KeysRead, true},
		{[]string{"keys.read"}, KeysRead, true},
		{[]string{"keys.read"}, KeysWrite, false},
		{[]string{"keys.*"}, KeysWrite, true},
		{[]string{"key*"}, KeysWrite, true},
		{[]string{"*"}, UsersWrite, true},
		{[]string{"prompts.*"}, KeysRead, false},
	} {
		if got := InScopes(c.scopes, c.action); got != c.want {
			t.Errorf("%v %s: %t, want %t", c.scopes, c.action, got, c.want)
		}
	}
}

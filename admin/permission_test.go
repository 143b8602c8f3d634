package admin

import (
	"cmp"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

// Each route is asked by each role, in its own workspace and in another, by nobody and by who has
// no role: what the one table says is what the API does.
func TestPermissions(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		table := policy.NewPermits(policy.Permissions())
		for _, where := range []string{"team", storage.Everywhere} {
			for _, role := range storage.Roles() {
				name := strings.NewReplacer("*", "all").Replace(where) + "-" + string(role)
				token := a.user(name, where, role)
				who := []storage.Membership{{Workspace: where, Role: role}}
				for _, r := range (&api{}).routes() {
					for _, workspace := range workspacesOf(table, r) {
						a.permitted(r, workspace, token, table.Allow(who, r.action, workspace), name)
					}
				}
			}
		}
		nobody := a.user("nobody", "", "")
		for _, r := range (&api{}).routes() {
			if r.action == "" {
				continue
			}
			a.permitted(r, "team", nobody, table.Allow(nil, r.action, "team"), "nobody")
			if got := a.ask("", r.method, filled(r, ""), "{}"); got.status != 401 {
				t.Errorf("%s %s without a token: %d, want 401", r.method, r.path, got.status)
			}
			if got := a.ask("ais-admin-abcdefgh-"+strings.Repeat("x", 43), r.method, filled(r, ""), "{}"); got.status != 401 {
				t.Errorf("%s %s with a token of nobody: %d, want 401", r.method, r.path, got.status)
			}
		}
	})
}

func workspacesOf(table *policy.Permits, r route) []string {
	switch {
	case r.action == "":
		return nil
	case table.Permission(r.action).Extent == policy.InWorkspace:
		return []string{"team", "other", storage.DefaultWorkspace}
	}
	return []string{""}
}

// filled gives a route's path for nothing that there is.
func filled(r route, workspace string) string {
	path := strings.NewReplacer("{name}", "unheard-of", "{id}", "unheard2", "{workspace}", cmp.Or(workspace, "unheard-of")).Replace(r.path)
	if workspace != "" && !strings.Contains(r.path, "{workspace}") {
		path += "?workspace=" + workspace
	}
	return path
}

func (a *testAPI) permitted(r route, workspace, token string, want bool, who string) {
	a.t.Helper()
	if a.ends(r) {
		return
	}
	if policy.NewPermits(policy.Permissions()).Permission(r.action).Extent != policy.InWorkspace {
		workspace = ""
	}
	// The body is none that any route takes: who may is told so, who may not is not.
	got := a.ask(token, r.method, filled(r, workspace), `{"no such member":1}`, "If-Match", "*")
	if allowed := got.status != 403 && got.status != 401; allowed != want {
		a.t.Errorf("%s %s in %q by %s: %d %s; want it allowed: %t", r.method, r.path, workspace, who, got.status, got.body, want)
	}
}

// ends reports whether a route ends the session of who asks.
func (a *testAPI) ends(r route) bool { return r.path == "/session" }

package admin

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

const permissionsPage = "../docs/permissions.md"

// docs/permissions.md is the table, printed.
func TestPermissionsGolden(t *testing.T) {
	got := permissionsText()
	if *update {
		do(t, os.WriteFile(permissionsPage, []byte(got), 0o644))
	}
	want, err := os.ReadFile(permissionsPage)
	do(t, err)
	if got != string(want) {
		t.Fatalf("%s is not what policy.Permissions says; run make golden and look at the difference", permissionsPage)
	}
}

func permissionsText() string {
	var s strings.Builder
	s.WriteString(`# Who may do what in the control plane

Made by a test from ` + "`policy.Permissions`" + `; what is not here is denied. A role holds in one workspace, or, as a membership of ` + "`*`" + `, in each and for the installation.
Where a line says *installation*, only a role that holds everywhere allows it. An API token may do what its owner may, within its scopes.

| action | what | where |`)
	for _, role := range storage.Roles() {
		fmt.Fprintf(&s, " %s |", role)
	}
	s.WriteString(" routes |\n|---|---|---|" + strings.Repeat("---|", len(storage.Roles())+1) + "\n")
	for _, p := range policy.Permissions() {
		fmt.Fprintf(&s, "| `%s` | %s | %s |", p.Action, p.Says, p.Extent)
		for _, role := range storage.Roles() {
			mark := ""
			if p.Extent == policy.Oneself || slices.Contains(p.Roles, role) {
				mark = "yes"
			}
			fmt.Fprintf(&s, " %s |", mark)
		}
		fmt.Fprintf(&s, " %s |\n", strings.Join(routesOf(p.Action), ", "))
	}
	return s.String()
}

func routesOf(action policy.Action) (names []string) {
	for _, r := range (&api{}).routes() {
		if r.action == action {
			names = append(names, "`"+r.method+" "+r.path+"`")
		}
	}
	return names
}

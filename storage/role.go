package storage

import (
	"fmt"
	"slices"
)

// Role is what a user is in a workspace. What it may do is the table in package policy.
type Role string

// The roles. The text of each is in the database, in tokens of OIDC and in the API.
const (
	RoleAdmin    Role = "admin"    // users, security, encryption keys, everything
	RoleEngineer Role = "engineer" // prompts, credentials, keys of one's own, analytics
	RoleAuditor  Role = "auditor"  // reads all of it, changes nothing
	RoleViewer   Role = "viewer"   // reads what is no secret of the installation
)

// Roles gives every role, the one that may most first.
func Roles() []Role { return []Role{RoleAdmin, RoleEngineer, RoleAuditor, RoleViewer} }

// Everywhere is the workspace of a membership that holds in each workspace, and for what is of
// the whole installation.
const Everywhere = "*"

// Membership says which role a user has in a workspace.
type Membership struct {
	Workspace string // Everywhere: in each, and in the installation
	Role      Role
}

// Check says what is wrong with the membership.
func (m Membership) Check() error {
	if m.Workspace != Everywhere {
		if err := CheckName("workspace", m.Workspace); err != nil {
			return err
		}
	}
	if !slices.Contains(Roles(), m.Role) {
		return fmt.Errorf("role: %q is none of admin, engineer, auditor and viewer", m.Role)
	}
	return nil
}

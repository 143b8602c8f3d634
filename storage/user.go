package storage

import (
	"fmt"
	"strings"
	"time"
)

// User is a person who signs in to the control plane. Who merely owns keys need not be one: an
// owner of keys is a name in a workspace.
type User struct {
	Name string // unique in the installation; mostly an e-mail address
	// Password is the hash of the user's password in the PHC string format; "" where the user
	// has none and signs in elsewhere.
	Password string
	// Subject is the user at the identity provider, issuer and subject in one; "" none.
	Subject string

	Memberships []Membership // at most one for each workspace, by its name
	// Granted are those of them that the identity provider's groups gave at the last sign-in.
	Granted []Membership

	DisabledAt *time.Time // nil: may sign in
	SignedInAt *time.Time // the last time; nil never
}

// Check says what is wrong with the user's own data. Stores refuse one that fails it.
func (u *User) Check() error {
	if err := CheckName("user", u.Name); err != nil {
		return err
	}
	for i, m := range u.Memberships {
		if err := m.Check(); err != nil {
			return fmt.Errorf("user %q: %w", u.Name, err)
		}
		if i > 0 && strings.Compare(u.Memberships[i-1].Workspace, m.Workspace) >= 0 {
			return fmt.Errorf("user %q: memberships are not in the order of their workspaces, each once", u.Name)
		}
	}
	return nil
}

// Role gives the user's role in a workspace by its own name; "" none.
func (u *User) Role(workspace string) Role {
	for _, m := range u.Memberships {
		if m.Workspace == workspace {
			return m.Role
		}
	}
	return ""
}

// Root reports whether the user may do everything and is not disabled. An installation keeps one.
func (u *User) Root() bool { return u.DisabledAt == nil && u.Role(Everywhere) == RoleAdmin }

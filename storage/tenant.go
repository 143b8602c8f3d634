package storage

import (
	"errors"
	"fmt"
	"time"
)

// Tenant is a workspace, or a project in one.
type Tenant struct {
	Workspace string // "" for a workspace itself
	Name      string
	// Settings is a JSON object; whoever owns what is in it is the control plane.
	Settings  []byte
	Revision  int64 // 1 when added, and one more with each change
	CreatedAt time.Time
}

// ErrInUse is wrapped where something cannot be removed because other things belong to it.
var ErrInUse = errors.New("other things belong to it")

// What says what the tenant is, for errors.
func (t *Tenant) What() string {
	if t.Workspace == "" {
		return "workspace"
	}
	return "project"
}

// Check says what is wrong with the tenant's own data. Stores refuse one that fails it.
func (t *Tenant) Check() error {
	if t.Workspace != "" {
		if err := CheckName("workspace", t.Workspace); err != nil {
			return err
		}
	}
	if len(t.Settings) == 0 {
		return fmt.Errorf("%s %q: it has no settings", t.What(), t.Name)
	}
	return CheckName(t.What(), t.Name)
}

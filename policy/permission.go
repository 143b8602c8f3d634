package policy

import (
	"slices"
	"strings"

	"github.com/aistrale/aistrale/storage"
)

// Action is what somebody does in the control plane: a noun and a verb, "keys.create".
type Action string

// Extent is where an action is allowed by a role.
type Extent string

// the extents.
const (
	InWorkspace  Extent = "workspace"    // by the role in the workspace that is asked about
	Installation Extent = "installation" // by the role that holds everywhere only
	Oneself      Extent = "oneself"      // to everyone who has signed in
)

// Permission says which roles may do something. What no permission allows is denied.
type Permission struct {
	Action Action
	Extent Extent
	Roles  []storage.Role // none where Extent is Oneself
	Says   string         // what it is, for people
}

// The actions of the control plane.
const (
	MeRead        Action = "me.read"
	MePassword    Action = "me.password"
	SessionsClose Action = "sessions.close"

	UsersRead  Action = "users.read"
	UsersWrite Action = "users.write"

	TokensOwn   Action = "tokens.own"
	TokensRead  Action = "tokens.read"
	TokensWrite Action = "tokens.write"

	WorkspacesRead  Action = "workspaces.read"
	WorkspacesWrite Action = "workspaces.write"
	ProjectsRead    Action = "projects.read"
	ProjectsWrite   Action = "projects.write"

	KeysRead  Action = "keys.read"
	KeysOwn   Action = "keys.own"
	KeysWrite Action = "keys.write"

	CredentialsRead  Action = "credentials.read"
	CredentialsWrite Action = "credentials.write"
	CredentialsTest  Action = "credentials.test"
	// CredentialsAddress is asked beside CredentialsWrite: the secret goes where the address says.
	CredentialsAddress Action = "credentials.address"

	EncryptionRead   Action = "encryption_keys.read"
	EncryptionRotate Action = "encryption_keys.rotate"

	PromptsRead  Action = "prompts.read"
	PromptsWrite Action = "prompts.write"

	UsageRead     Action = "usage.read"
	RequestsRead  Action = "requests.read"
	PayloadsRead  Action = "payloads.read"
	PayloadsErase Action = "payloads.erase"

	AuditRead       Action = "audit.read"
	AuditCheckpoint Action = "audit.checkpoint"

	WebhooksRead  Action = "webhooks.read"
	WebhooksWrite Action = "webhooks.write"

	HealthRead   Action = "health.read"
	ProfilesTake Action = "profiles.take"
	LogRead      Action = "log.read"
	LogWrite     Action = "log.write"
)

// Permissions is the one table of who may do what in the control plane.
func Permissions() []Permission {
	const admin, engineer, auditor, viewer = storage.RoleAdmin, storage.RoleEngineer, storage.RoleAuditor, storage.RoleViewer
	roles := func(r ...storage.Role) []storage.Role { return r }
	all := storage.Roles()
	return []Permission{
		{MeRead, Oneself, nil, "see who one is and what one may do"},
		{MePassword, Oneself, nil, "change one's own password"},
		{SessionsClose, Oneself, nil, "sign out"},

		{UsersRead, Installation, roles(admin, auditor), "see users and their roles"},
		{UsersWrite, Installation, roles(admin), "make, change, disable and remove users"},

		{TokensOwn, Oneself, nil, "make, see and revoke one's own API tokens"},
		{TokensRead, Installation, roles(admin, auditor), "see everybody's API tokens"},
		{TokensWrite, Installation, roles(admin), "revoke everybody's API tokens"},

		{WorkspacesRead, InWorkspace, all, "see a workspace"},
		{WorkspacesWrite, Installation, roles(admin), "make, change and remove workspaces"},
		{ProjectsRead, InWorkspace, all, "see projects"},
		{ProjectsWrite, InWorkspace, roles(admin), "make, change and remove projects"},

		{KeysRead, InWorkspace, all, "see virtual keys, never their text"},
		{KeysOwn, InWorkspace, roles(admin, engineer), "make, rotate and revoke virtual keys of one's own"},
		{KeysWrite, InWorkspace, roles(admin), "make, change, rotate and revoke everybody's virtual keys"},

		{CredentialsRead, InWorkspace, roles(admin, engineer, auditor), "see providers' credentials, masked"},
		{CredentialsWrite, InWorkspace, roles(admin, engineer), "add, change and remove providers' credentials"},
		{CredentialsAddress, InWorkspace, roles(admin), "say where a credential may be sent"},
		{CredentialsTest, InWorkspace, roles(admin, engineer), "try a credential at its provider"},

		{EncryptionRead, Installation, roles(admin, auditor), "see encryption keys' ids, ages and progress"},
		{EncryptionRotate, Installation, roles(admin), "rotate encryption keys"},

		{PromptsRead, InWorkspace, all, "see prompts and render them"},
		{PromptsWrite, InWorkspace, roles(admin, engineer), "make prompts and versions, move labels"},

		{UsageRead, InWorkspace, all, "see usage and cost"},
		{RequestsRead, InWorkspace, roles(admin, engineer, auditor), "see requests, attempts and why they went where"},
		{PayloadsRead, InWorkspace, roles(admin, auditor), "read what was asked and answered, where it is kept"},
		{PayloadsErase, InWorkspace, roles(admin), "erase what was kept of a user"},

		{AuditRead, Installation, roles(admin, auditor), "read, export and verify the audit log"},
		{AuditCheckpoint, Installation, roles(admin, auditor), "make a checkpoint of the audit log"},

		{WebhooksRead, InWorkspace, roles(admin, auditor), "see webhooks and their deliveries, never their secrets"},
		{WebhooksWrite, InWorkspace, roles(admin), "make, change, remove webhooks, send deliveries again"},

		{LogRead, Installation, roles(admin, auditor), "see from which level on is logged, and of which keys all"},
		{LogWrite, Installation, roles(admin), "have more or less logged, for a time"},
		{ProfilesTake, Installation, roles(admin), "take profiles of the process"},
		{HealthRead, Oneself, nil, "see the parts of the gateway and how they do"},
	}
}

// Permits is the table, to be asked.
type Permits struct{ byAction map[Action]Permission }

// NewPermits makes it of permissions.
func NewPermits(table []Permission) *Permits {
	p := &Permits{byAction: map[Action]Permission{}}
	for _, one := range table {
		p.byAction[one.Action] = one
	}
	return p
}

// Allow reports whether somebody with these memberships may do something in a workspace. An
// action that the table does not have is allowed to nobody.
func (p *Permits) Allow(memberships []storage.Membership, action Action, workspace string) bool {
	permission, ok := p.byAction[action]
	if !ok {
		return false
	}
	if permission.Extent == Oneself {
		return true
	}
	for _, m := range memberships {
		here := m.Workspace == storage.Everywhere || permission.Extent == InWorkspace && m.Workspace == workspace
		if here && slices.Contains(permission.Roles, m.Role) {
			return true
		}
	}
	return false
}

// Permission gives what the table says of an action; nothing where it does not have it.
func (p *Permits) Permission(action Action) Permission { return p.byAction[action] }

// Whom says who may, for people.
func (p Permission) Whom() string {
	names := make([]string, len(p.Roles))
	for i, role := range p.Roles {
		names[i] = string(role)
	}
	switch p.Extent {
	case Oneself:
		return "Everyone who has signed in may."
	case Installation:
		return "Who holds one of these roles everywhere may: " + strings.Join(names, ", ") + "."
	case InWorkspace:
		return "Who holds one of these roles in the workspace may: " + strings.Join(names, ", ") + "."
	}
	return "Nobody may."
}

// InScopes reports whether scopes ("keys.read", "prompts.*") leave an action in. None leave all in.
func InScopes(scopes []string, action Action) bool {
	return len(scopes) == 0 || slices.ContainsFunc(scopes, func(scope string) bool {
		noun, ok := strings.CutSuffix(scope, "*")
		return scope == string(action) || ok && strings.HasPrefix(string(action), noun)
	})
}

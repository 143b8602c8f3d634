package admin

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

// Upstreams knows where providers are, and asks them.
type Upstreams interface {
	// Address gives the base URL of a provider, for the configuration in force.
	Address(provider string) (string, error)
	// Overrides reports whether a key of the configuration goes before all stored credentials.
	Overrides(provider string) bool
	// Allowed says why credentials may not be sent to an address that the configuration does not name.
	Allowed(baseURL string) error
	// Try makes one cheap call with a credential, which v opens. It fails where nothing was sent.
	Try(ctx context.Context, c *storage.Credential, v *storage.Vault) (storage.CredentialTest, error)
}

// secretMask is what every answer shows of a secret, whatever it is.
const secretMask = "********"

// Credential is a provider's key as the API shows one: never its secret.
type Credential struct {
	Name      string  `json:"name"`
	Provider  string  `json:"provider"`
	Workspace string  `json:"workspace"`
	Project   string  `json:"project,omitempty"`
	Owner     string  `json:"owner,omitempty"`
	Label     string  `json:"label,omitempty"`
	Default   bool    `json:"default" doc:"The workspace's first choice among its credentials of the provider"`
	Target    string  `json:"target" doc:"scheme://host:port, the only place that it may be sent to"`
	Secret    string  `json:"secret" doc:"Always the same mask"`
	Hint      string  `json:"hint,omitempty" doc:"The secret's last 4 characters, where it is long enough"`
	DataKey   string  `json:"data_key" doc:"The encryption key that it is sealed under"`
	LastTest  *Tested `json:"last_test,omitempty"`
	// Overridden is of the configuration in force.
	Overridden bool `json:"overridden,omitempty" doc:"A key in the configuration goes before it"`

	CreatedAt  time.Time  `json:"created_at"`
	UpdatedAt  time.Time  `json:"updated_at"`
	LastUsedAt *time.Time `json:"last_used_at,omitempty" doc:"To the minute"`
}

// Tested is what became of trying a credential at its provider.
type Tested struct {
	At        time.Time `json:"at"`
	Outcome   string    `json:"outcome" enum:"ok,answered,refused,failed,unreachable" doc:"ok: the provider takes it; answered: the provider answers, in a call that says nothing of the credential; refused: it does not take it; failed: its answer is another error; unreachable: there is none"`
	Status    int       `json:"status,omitempty" doc:"Of the provider's answer"`
	Message   string    `json:"message,omitempty" doc:"The provider's own, without secrets"`
	LatencyMS int64     `json:"latency_ms"`
}

func showTest(t *storage.CredentialTest) *Tested {
	if t == nil {
		return nil
	}
	return &Tested{At: t.At, Outcome: t.Outcome, Status: t.Status, Message: t.Message, LatencyMS: t.Took.Milliseconds()}
}

func (a *api) showCredential(c storage.Credential) Credential {
	return Credential{
		Name: c.Name, Provider: c.Provider, Workspace: c.Workspace, Project: c.Project, Owner: c.Owner, Label: c.Label, Default: c.Default,
		Target: c.Target, Secret: secretMask, Hint: c.Hint, DataKey: c.DataKeyID, LastTest: showTest(c.Test),
		CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt, LastUsedAt: c.LastUsedAt, Overridden: a.Upstreams.Overrides(c.Provider),
	}
}

func (a *api) oneCredential(c storage.Credential) *one[Credential] {
	return &one[Credential]{ETag: etag(c.Revision), Body: a.showCredential(c)}
}

type credentialList struct {
	InWorkspace
	Page
	Provider string `query:"provider" maxLength:"128"`
}

// listCredentials gives those of a workspace, or of all: "*" is asked for by who may see them all.
func (a *api) listCredentials(ctx context.Context, in *credentialList) (*listed[Credential], error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	all, err := a.Store.Credentials(ctx)
	if err != nil {
		return nil, err
	}
	place := func(c storage.Credential) string { return c.Workspace + "/" + c.Name }
	all = slices.DeleteFunc(all, func(c storage.Credential) bool {
		elsewhere := in.Workspace != storage.Everywhere && c.Workspace != in.Workspace
		return elsewhere || place(c) <= after || in.Provider != "" && c.Provider != in.Provider
	})
	slices.SortFunc(all, func(x, y storage.Credential) int { return strings.Compare(place(x), place(y)) })
	return listOf(in.Page, all, place, a.showCredential), nil
}

// CredentialName names a credential of a workspace.
type CredentialName struct {
	InWorkspace
	Name string `path:"name" maxLength:"128"`
}

func (a *api) credential(ctx context.Context, in *CredentialName) (storage.Credential, error) {
	all, err := a.Store.Credentials(ctx)
	if err != nil {
		return storage.Credential{}, err
	}
	return pick(all, "credential", in.Name, func(c *storage.Credential) bool { return c.Workspace == in.Workspace && c.Name == in.Name })
}

func (a *api) getCredential(ctx context.Context, in *CredentialName) (*one[Credential], error) {
	c, err := a.credential(ctx, in)
	if err != nil {
		return nil, err
	}
	return a.oneCredential(c), nil
}

// CredentialFields are what may be said of a credential.
type CredentialFields struct {
	Secret   string  `json:"secret,omitempty" maxLength:"65536" writeOnly:"true" doc:"Kept sealed, and shown never again"`
	Provider *string `json:"provider,omitempty" maxLength:"128" doc:"As the configuration names it; without it the credential's own name. A change needs a secret"`
	BaseURL  *string `json:"base_url,omitempty" maxLength:"2048" doc:"Where the secret may be sent, for admins to say; without it the provider's own address. A change needs a secret, as the old one is never sent elsewhere"`
	Project  *string `json:"project,omitempty" maxLength:"128"`
	Owner    *string `json:"owner,omitempty" maxLength:"128"`
	Label    *string `json:"label,omitempty" maxLength:"256" doc:"What people say of it"`
	Default  *bool   `json:"default,omitempty" doc:"Makes it the workspace's first choice among its credentials of the provider"`
}

type newCredential struct {
	InWorkspace
	Body struct {
		Name string `json:"name" maxLength:"128"`
		CredentialFields
	}
}

func (a *api) createCredential(ctx context.Context, in *newCredential) (*one[Credential], error) {
	c := storage.Credential{Name: in.Body.Name, Provider: in.Body.Name, Workspace: in.Workspace, Revision: 1}
	if in.Body.Secret == "" {
		return nil, huma.Error422UnprocessableEntity("secret: it is missing")
	}
	if err := a.putCredential(ctx, &c, &in.Body.CredentialFields); err != nil {
		return nil, err
	}
	return a.credentialChanged(ctx, nil, c, a.Store.AddCredential)
}

type credentialChange struct {
	CredentialName
	Match
	Body CredentialFields
}

func (a *api) changeCredential(ctx context.Context, in *credentialChange) (*one[Credential], error) {
	before, err := a.credential(ctx, &in.CredentialName)
	if err != nil {
		return nil, err
	}
	if err := in.holds(before.Revision); err != nil {
		return nil, err
	}
	c := before
	if err := a.putCredential(ctx, &c, &in.Body); err != nil {
		return nil, err
	}
	return a.credentialChanged(ctx, &before, c, a.Store.ChangeCredential)
}

// putCredential sets what was said. What is sealed for one address is never opened for another: a
// change of the address comes with a new secret.
func (a *api) putCredential(ctx context.Context, c *storage.Credential, f *CredentialFields) error {
	for _, said := range []struct{ from, to *string }{{f.Provider, &c.Provider}, {f.Project, &c.Project}, {f.Owner, &c.Owner}, {f.Label, &c.Label}} {
		if said.from != nil {
			*said.to = *said.from
		}
	}
	if f.Default != nil {
		c.Default = *f.Default
	}
	if err := c.CheckNames(); err != nil {
		return huma.Error422UnprocessableEntity(err.Error())
	}
	c.UpdatedAt = a.Now().UTC().Truncate(time.Microsecond)
	if f.Secret == "" {
		if f.Provider != nil || f.BaseURL != nil {
			return huma.Error422UnprocessableEntity("secret: a new one is needed with another provider or base_url: the old one is sent to no other address")
		}
		return nil
	}
	secret, err := storage.ReadSecret(f.Secret)
	if err != nil {
		return huma.Error422UnprocessableEntity("secret: " + err.Error())
	}
	address, err := a.addressOf(ctx, c, f.BaseURL)
	if err != nil {
		return err
	}
	vault, err := a.Vault.Current(ctx)
	if err != nil {
		return err
	}
	if err := c.Seal(vault, secret, address, a.Now()); err != nil {
		return huma.Error422UnprocessableEntity(err.Error())
	}
	return nil
}

// addressOf is where a credential may be sent: only an admin may say, and none but who has the
// store itself at hand may say a place that guarded addresses may not name.
func (a *api) addressOf(ctx context.Context, c *storage.Credential, asked *string) (string, error) {
	known, err := a.Upstreams.Address(c.Provider)
	if asked == nil {
		if err != nil {
			return "", huma.Error422UnprocessableEntity("provider: " + err.Error())
		}
		return known, nil
	}
	if !a.may(ctx, policy.CredentialsAddress, c.Workspace) {
		return "", a.deny(ctx, policy.CredentialsAddress, c.Workspace)
	}
	target, err := storage.TargetOf(*asked)
	if err != nil {
		return "", huma.Error422UnprocessableEntity(err.Error())
	}
	if same, err := storage.TargetOf(known); err == nil && same == target || callerOf(ctx).local() {
		return *asked, nil
	}
	if err := a.Upstreams.Allowed(*asked); err != nil {
		return "", huma.Error422UnprocessableEntity("base_url: " + err.Error())
	}
	return *asked, nil
}

// credentialChanged makes a change of a credential, and gives it as it is then.
func (a *api) credentialChanged(ctx context.Context, before *storage.Credential, after storage.Credential, do func(context.Context, storage.Credential) error) (*one[Credential], error) {
	made := after
	c := change{action: policy.CredentialsWrite, target: "credential/" + after.Name, workspace: after.Workspace}
	if before != nil {
		c.before = a.showCredential(*before)
		made.Revision++
	}
	c.after = a.showCredential(made)
	if err := a.apply(ctx, &c, func(ctx context.Context) error { return do(ctx, after) }); err != nil {
		return nil, err
	}
	return a.oneCredential(made), nil
}

type credentialRemoval struct {
	CredentialName
	Match
}

func (a *api) removeCredential(ctx context.Context, in *credentialRemoval) (*nothing, error) {
	before, err := a.credential(ctx, &in.CredentialName)
	if err != nil {
		return nil, err
	}
	if err := in.holds(before.Revision); err != nil {
		return nil, err
	}
	c := change{action: policy.CredentialsWrite, target: "credential/" + before.Name, workspace: before.Workspace, before: a.showCredential(before)}
	return nil, a.apply(ctx, &c, func(ctx context.Context) error { return a.Store.RemoveCredential(ctx, before.Workspace, before.Name) })
}

// testCredential tries a credential at its provider. The call stands in no transaction; what came
// of it and the audit's note of the use are one.
func (a *api) testCredential(ctx context.Context, in *CredentialName) (*struct{ Body Tested }, error) {
	c, err := a.credential(ctx, in)
	if err != nil {
		return nil, err
	}
	vault, err := a.Vault.Current(ctx)
	if err != nil {
		return nil, err
	}
	test, err := a.Upstreams.Try(ctx, &c, vault)
	if err != nil {
		return nil, cmp.Or(sealProblem(err), err)
	}
	shown := showTest(&test)
	note := change{action: policy.CredentialsTest, target: "credential/" + c.Name, workspace: c.Workspace, after: shown}
	err = a.apply(ctx, &note, func(ctx context.Context) error {
		return a.Store.NoteCredential(ctx, c.ID, storage.CredentialSeen{UsedAt: &test.At, Test: &test})
	})
	return &struct{ Body Tested }{*shown}, err
}

// sealProblem tells who asks of a credential that cannot be opened for its provider's address.
func sealProblem(err error) error {
	if errors.Is(err, storage.ErrSealBroken) {
		return huma.Error409Conflict(err.Error())
	}
	return nil
}

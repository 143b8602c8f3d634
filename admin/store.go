package admin

import (
	"context"
	"fmt"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// Store is the store as the control plane needs it; its suite is in storage/storagetest.
type Store interface {
	documentStore
	accessStore
	sealedStore
	// Together makes one change of all that f changes through the context that it is given.
	Together(ctx context.Context, f func(context.Context) error) error
	historyStore
}

// historyStore keeps what was done and said.
type historyStore interface {
	auditStore
	Payloads
}

type auditStore interface {
	// Audit notes what was done, in the change of ctx where there is one.
	Audit(ctx context.Context, e storage.AuditEvent) error
	ChainAudit(ctx context.Context, most int) (storage.AuditHead, int, error)
	AuditLog(ctx context.Context, q storage.AuditQuery) ([]storage.AuditRecord, error)
}

type documentStore interface {
	documentReader
	documentWriter
}

// accessStore keeps who may call what.
type accessStore interface {
	tokenStore
	keyStore
	credentialStore
	tenantStore
}

type keyStore interface {
	Keys(ctx context.Context) ([]storage.Key, error)
	AddKey(ctx context.Context, k storage.Key) error
	ChangeKey(ctx context.Context, k storage.Key) error
	RevokeKey(ctx context.Context, workspace, ref string, at time.Time) (storage.Key, error)
}

type credentialStore interface {
	Credentials(ctx context.Context) ([]storage.Credential, error)
	AddCredential(ctx context.Context, c storage.Credential) error
	ChangeCredential(ctx context.Context, c storage.Credential) error
	NoteCredential(ctx context.Context, id string, seen storage.CredentialSeen) error
	RemoveCredential(ctx context.Context, workspace, name string) error
}

type tenantStore interface {
	Tenants(ctx context.Context, workspace string) ([]storage.Tenant, error)
	AddTenant(ctx context.Context, t storage.Tenant) error
	ChangeTenant(ctx context.Context, t storage.Tenant) error
	RemoveTenant(ctx context.Context, t storage.Tenant) error
}

type documentReader interface {
	Document(ctx context.Context, kind storage.Kind, workspace, id string) (storage.Document, error)
	DocumentByRef(ctx context.Context, kind storage.Kind, ref string) (storage.Document, error)
	Documents(ctx context.Context, q storage.DocumentQuery) ([]storage.Document, error)
}

type documentWriter interface {
	AddDocument(ctx context.Context, d storage.Document) error
	ChangeDocument(ctx context.Context, d storage.Document) error
	RemoveDocument(ctx context.Context, d storage.Document) error
}

type tokenStore interface {
	AdminToken(ctx context.Context, id string) (storage.AdminToken, error)
	AdminTokens(ctx context.Context) ([]storage.AdminToken, error)
	AddAdminToken(ctx context.Context, t storage.AdminToken) error
	RevokeAdminToken(ctx context.Context, id string, at time.Time) (storage.AdminToken, error)
}

// Vault seals what is kept and must be read again. The data keys that the store has now are known.
type Vault interface {
	Seal(ctx context.Context, secret storage.Secret, b storage.Binding) (storage.Sealed, error)
	Open(ctx context.Context, s storage.Sealed, b storage.Binding) (storage.Secret, error)
	// Current gives what does both.
	Current(ctx context.Context) (*storage.Vault, error)
}

// pick gives the one of a store's list that is meant, or an error that wraps storage.ErrNotFound.
func pick[T any](all []T, what, name string, meant func(*T) bool) (T, error) {
	for i := range all {
		if meant(&all[i]) {
			return all[i], nil
		}
	}
	var none T
	return none, fmt.Errorf("%s %q: %w", what, name, storage.ErrNotFound)
}

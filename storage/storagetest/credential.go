package storagetest

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// CredentialStore keeps sealed credentials and the wrapped keys that they are sealed under.
type CredentialStore interface {
	DataKeys(ctx context.Context) ([]storage.DataKey, error)
	AddDataKey(ctx context.Context, k storage.DataKey) error
	Credentials(ctx context.Context) ([]storage.Credential, error)
	CredentialWriter
}

// CredentialWriter changes credentials.
type CredentialWriter interface {
	AddCredential(ctx context.Context, c storage.Credential) error
	ChangeCredential(ctx context.Context, c storage.Credential) error
	PutCredential(ctx context.Context, c storage.Credential) error
	NoteCredential(ctx context.Context, id string, seen storage.CredentialSeen) error
	RemoveCredential(ctx context.Context, workspace, name string) error
}

const (
	upstream = "https://api.example.com/v1"
	canary   = "sk-canary-0123456789-abcdefghij"
)

// Credentials tests a CredentialStore. open gives an empty one.
func Credentials(t *testing.T, open func(t *testing.T) CredentialStore) {
	f := func(name string, test func(*testing.T, CredentialStore)) {
		t.Helper()
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
	f("data keys", dataKeys)
	f("as it was", credentialAsItWas)
	f("replaced", credentialReplaced)
	f("removed", credentialRemoved)
	f("refused", credentialRefused)
	f("changed", credentialChanged)
	f("noted", credentialNoted)
}

// vaultOf makes a vault with one data key, which the store holds.
func vaultOf(t *testing.T, s CredentialStore) *storage.Vault {
	t.Helper()
	master, err := storage.ParseMasterKey(storage.NewMasterKey())
	do(t, err)
	v := storage.NewVault(master)
	k, err := v.NewDataKey(t.Context(), start())
	do(t, err)
	do(t, s.AddDataKey(t.Context(), k))
	do(t, v.Load(t.Context(), []storage.DataKey{k}))
	return v
}

func credential(t *testing.T, v *storage.Vault, name string) storage.Credential {
	t.Helper()
	c := storage.Credential{Name: name, Provider: "openai", Workspace: storage.DefaultWorkspace, Revision: 1}
	do(t, c.Seal(v, storage.NewSecret(canary), upstream, start()))
	return c
}

func wantCredentials(t *testing.T, s CredentialStore, want ...storage.Credential) {
	t.Helper()
	got, err := s.Credentials(t.Context())
	do(t, err)
	if len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
		t.Fatalf("got  %+v\nwant %+v", got, want)
	}
}

func dataKeys(t *testing.T, s CredentialStore) {
	master, err := storage.ParseMasterKey(storage.NewMasterKey())
	do(t, err)
	v := storage.NewVault(master)
	old, err := v.NewDataKey(t.Context(), start())
	do(t, err)
	young, err := v.NewDataKey(t.Context(), start().Add(time.Second))
	do(t, err)
	do(t, s.AddDataKey(t.Context(), young))
	do(t, s.AddDataKey(t.Context(), old))
	wants(t, s.AddDataKey(t.Context(), storage.DataKey{ID: old.ID, Wrapped: []byte("x")}), storage.ErrExists)
	got, err := s.DataKeys(t.Context())
	do(t, err)
	if want := []storage.DataKey{old, young}; !reflect.DeepEqual(got, want) {
		t.Fatalf("got %+v, want %+v", got, want)
	}
}

func credentialAsItWas(t *testing.T, s CredentialStore) {
	v := vaultOf(t, s)
	full, bare := credential(t, v, "b"), credential(t, v, "a")
	used := start().Add(time.Minute)
	full.Project, full.Owner, full.LastUsedAt = "search", "ada@example.com", &used
	do(t, s.PutCredential(t.Context(), full))
	do(t, s.PutCredential(t.Context(), bare))
	wantCredentials(t, s, bare, full)
	got, err := s.Credentials(t.Context())
	do(t, err)
	secret, err := got[1].Open(v, upstream)
	do(t, err)
	if secret.Reveal() != canary {
		t.Fatal("the secret is another one after a round trip")
	}
}

func credentialReplaced(t *testing.T, s CredentialStore) {
	v := vaultOf(t, s)
	c := credential(t, v, "openai")
	do(t, s.PutCredential(t.Context(), c))
	changed := storage.Credential{Name: "openai", Provider: "mine", Workspace: storage.DefaultWorkspace, Project: "search"}
	do(t, changed.Seal(v, storage.NewSecret("another"), "http://10.0.0.7:8000/v1", start().Add(time.Hour)))
	do(t, s.PutCredential(t.Context(), changed))
	changed.CreatedAt, changed.Revision = c.CreatedAt, 2
	wantCredentials(t, s, changed)
}

func credentialRemoved(t *testing.T, s CredentialStore) {
	v := vaultOf(t, s)
	c := credential(t, v, "openai")
	do(t, s.PutCredential(t.Context(), c))
	wants(t, s.RemoveCredential(t.Context(), "elsewhere", "openai"), storage.ErrNotFound)
	wants(t, s.RemoveCredential(t.Context(), storage.DefaultWorkspace, "other"), storage.ErrNotFound)
	wantCredentials(t, s, c)
	do(t, s.RemoveCredential(t.Context(), storage.DefaultWorkspace, "openai"))
	wants(t, s.RemoveCredential(t.Context(), storage.DefaultWorkspace, "openai"), storage.ErrNotFound)
	wantCredentials(t, s)
}

func credentialRefused(t *testing.T, s CredentialStore) {
	v := vaultOf(t, s)
	unsealed := storage.Credential{Name: "openai", Provider: "openai", Workspace: storage.DefaultWorkspace}
	if err := s.PutCredential(t.Context(), unsealed); err == nil {
		t.Fatal("a credential that is not sealed was kept")
	}
	orphan := credential(t, v, "openai")
	orphan.DataKeyID = "dk-nobody"
	wants(t, s.PutCredential(t.Context(), orphan), storage.ErrNotFound)
	stray := credential(t, v, "openai")
	stray.Workspace = "elsewhere"
	wants(t, s.PutCredential(t.Context(), stray), storage.ErrNotFound)
	wantCredentials(t, s)
}

func credentialChanged(t *testing.T, s CredentialStore) {
	v := vaultOf(t, s)
	one, two := credential(t, v, "one"), credential(t, v, "two")
	one.Default = true
	do(t, s.AddCredential(t.Context(), one))
	do(t, s.AddCredential(t.Context(), two))
	wants(t, s.AddCredential(t.Context(), one), storage.ErrExists)

	two.Default, two.Label, two.Owner = true, "of the \"Ärger\" team", "ada@example.com"
	do(t, s.ChangeCredential(t.Context(), two))
	wants(t, s.ChangeCredential(t.Context(), two), storage.ErrChanged)
	two.Revision, one.Default = 2, false
	wantCredentials(t, s, one, two)
	gone := credential(t, v, "three")
	wants(t, s.ChangeCredential(t.Context(), gone), storage.ErrNotFound)
}

// What is noted is no change: nothing is read anew for it.
func credentialNoted(t *testing.T, s CredentialStore) {
	v := vaultOf(t, s)
	c := credential(t, v, "one")
	do(t, s.AddCredential(t.Context(), c))
	before := seen(t, s.(versioned))
	used := start().Add(time.Hour)
	c.Test = &storage.CredentialTest{At: start(), Outcome: "refused", Status: 401, Message: "no such key", Took: time.Second}
	do(t, s.NoteCredential(t.Context(), c.ID, storage.CredentialSeen{UsedAt: &used}))
	do(t, s.NoteCredential(t.Context(), c.ID, storage.CredentialSeen{Test: c.Test}))
	earlier := start()
	do(t, s.NoteCredential(t.Context(), c.ID, storage.CredentialSeen{UsedAt: &earlier}))
	do(t, s.NoteCredential(t.Context(), "unheard-of", storage.CredentialSeen{UsedAt: &used}))
	c.LastUsedAt = &used
	wantCredentials(t, s, c)
	if after := seen(t, s.(versioned)); after != before {
		t.Fatalf("version %d after notes, %d before", after, before)
	}
}

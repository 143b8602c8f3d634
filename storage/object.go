package storage

import (
	"errors"
	"fmt"
	"time"

	"github.com/aistrale/aistrale/providers"
)

// Object says whose something is that a provider keeps: a file, a batch, a stored response. The
// provider knows the account, and the account's users share it; only this row knows the tenant.
// It holds nothing of the object's content.
type Object struct {
	// Provider and Credential are the account that keeps it, ID its name there. The three
	// together are unique: two accounts may give one id twice.
	Provider   string // as accounts are found: "openai", "mock/gpt"
	Credential string // its name, "" where the account has none
	ID         string
	Kind       providers.ObjectKind

	Workspace, Project string
	Key, KeyName, User string // who made it

	Parent    string // id of the object that it goes away with, "" none
	Bytes     int64  // 0 where nobody said
	CreatedAt time.Time
	ExpiresAt *time.Time // nil: when its provider says so
	// Owed is set while something of it is still to be billed: a batch that has not ended.
	Owed bool
}

// GatewayKeeper stands as the provider of objects that the gateway itself keeps; no provider may
// have the name.
const GatewayKeeper = "aistrale"

// MaxObjectID bounds an object's id in bytes.
const MaxObjectID = 512

// Check says what is wrong with the object's own data. Stores refuse one that fails it.
func (o *Object) Check() error {
	switch {
	case o.ID == "" || len(o.ID) > MaxObjectID:
		return fmt.Errorf("object: its id has %d bytes, want 1 to %d", len(o.ID), MaxObjectID)
	case o.Provider == "" || o.Kind == "":
		return fmt.Errorf("object %q: it has no provider or no kind", o.ID)
	case o.Workspace == "":
		return fmt.Errorf("object %q: it has no workspace", o.ID)
	}
	return nil
}

// At reports whether the account keeps the object.
func (o *Object) At(provider, credential string) bool {
	return o.Provider == provider && o.Credential == credential
}

// Expired reports whether the object is gone at a time, by what was known when it was made.
func (o *Object) Expired(now time.Time) bool {
	return o.ExpiresAt != nil && !now.Before(*o.ExpiresAt)
}

// Stamp gives the object with its times as stores keep them.
func (o Object) Stamp() Object {
	o.CreatedAt = stamp(o.CreatedAt)
	if o.ExpiresAt != nil {
		at := stamp(*o.ExpiresAt)
		o.ExpiresAt = &at
	}
	return o
}

// ObjectQuery asks for objects in the order they were made.
type ObjectQuery struct {
	Workspace string // "" any
	Kind      providers.ObjectKind
	Providers []string // that keep them; nil any
	Owed      bool     // only those of which something is to be billed
	Oldest    bool     // the oldest first, else the newest
	After     *Object  // those behind this one in that order; nil from the beginning
	Limit     int
}

// ErrNotYours is wrapped where an object is claimed that belongs to another workspace.
var ErrNotYours = errors.New("it belongs to another workspace")

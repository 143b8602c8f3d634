package storage

import (
	"crypto/sha256"
	"fmt"
	"time"
)

// keyPrefix begins every virtual key.
const keyPrefix = "sk-ais-"

// Key is a virtual key: who calls, and what the caller may do. The store holds a hash of the
// key's text, never the text.
type Key struct {
	ID   string   // the public id, 8 letters or digits; may be logged
	Name string   // unique among the keys of a workspace that are not revoked
	Hash [32]byte // SHA-256 of the key's whole text
	// OldHash is that of the text before the last rotation, which is good until OldUntil.
	OldHash  [32]byte
	OldUntil *time.Time // nil: there is none

	Revision int64 // 1 when made in a store, and one more with each change; 0 in the configuration

	Workspace, Project, Owner string

	Models []string // patterns of public model names, "*" is all; empty allows none
	Allow  []string // governed fields that this key may use
	Tags   []string // go into every record of the key

	// What follows narrows, sets and bounds the key's calls. Stores keep it as Settings gives it.

	Deny           []string    `json:"-"` // governed fields that this key may not use, whatever else allows them
	DenyModels     []string    `json:"-"` // patterns, as in Models, which they narrow
	AllowProviders []string    `json:"-"` // names of those that may serve the key; empty: any
	DenyProviders  []string    `json:"-"` // names of those that may not
	AllowAddresses Networks    `json:"-"` // from where the key may be used; nil: from anywhere
	Parameters     Parameters  `json:"-"` // request fields set for the key's calls
	Timeouts       KeyTimeouts `json:"-"`
	// Sticky is what keeps the key's calls where an earlier one was served, where the model's
	// alias says nothing: session, prefix, or "" for what the provider says.
	Sticky string `json:"-"`
	// Cache is how long answers to the key's calls are kept for the same calls of its project; 0
	// not at all.
	Cache time.Duration `json:"-"`
	// Store is how long the gateway keeps responses and conversations of the key's that models'
	// providers do not keep; 0 not at all.
	Store time.Duration `json:"-"`
	// Payloads say what is kept of what the key's calls ask and are answered.
	Payloads PayloadSettings `json:"-"`
	// Priority says who goes first where calls wait for a limit: the higher. 0 is the usual.
	Priority int `json:"-"`
	// Bounds are the key's own limits and budgets.
	Bounds Bounds `json:"-"`

	CreatedAt time.Time
	ExpiresAt *time.Time // nil: never
	RevokedAt *time.Time // nil: not revoked
}

// KeyTimeouts bound the waits of a key's calls where they are shorter than what else holds. 0 is
// no bound of the key's own.
type KeyTimeouts struct {
	FirstByte  time.Duration // for an upstream to begin its answer
	StreamIdle time.Duration // of silence inside a stream
	Total      time.Duration // for the whole call
}

// NewKey makes a key of the default workspace and project that may use every model, and its
// text (sk-ais-<id>-<43 characters>), which is shown once and then known only to its user.
func NewKey(name string, now time.Time) (Key, Secret) {
	id, text := mint(keyPrefix)
	return Key{
		ID: id, Name: name, Hash: sha256.Sum256([]byte(text.Reveal())), Revision: 1,
		Workspace: DefaultWorkspace, Project: DefaultProject,
		Models: []string{"*"}, CreatedAt: stamp(now),
	}, text
}

// KeyOf makes a key from a text that an operator chose. The error never holds the text.
func KeyOf(name, text string) (Key, error) {
	id, ok := ParseKey(text)
	if !ok {
		return Key{}, fmt.Errorf("key %q: its text is not sk-ais-<8 letters or digits>-<at least %d URL-safe characters>", name, minSecret)
	}
	k := Key{
		ID: id, Name: name, Hash: sha256.Sum256([]byte(text)),
		Workspace: DefaultWorkspace, Project: DefaultProject, Models: []string{"*"},
	}
	return k, k.Check()
}

// ParseKey finds the public id in the text of a key, and says whether it has the form of one.
// It allocates nothing: the id is a part of text.
func ParseKey[T string | []byte](text T) (id T, ok bool) { return parse(keyPrefix, text) }

// Matches reports, in constant time, whether text is this key's at a time: it, or the one before
// the last rotation for as long as both are good.
func (k *Key) Matches(text []byte, now time.Time) bool {
	return matches(&k.Hash, text) || k.OldUntil != nil && now.Before(*k.OldUntil) && matches(&k.OldHash, text)
}

// Rotate gives the key a new text, which is shown once. The one before stays good until a time.
func (k *Key) Rotate(now, until time.Time) Secret {
	text := NewSecret(keyPrefix + k.ID + "-" + randomText())
	k.OldHash, k.OldUntil = k.Hash, nil
	if until.After(now) {
		until = stamp(until)
		k.OldUntil = &until
	}
	k.Hash = sha256.Sum256([]byte(text.Reveal()))
	return text
}

// Was reports whether a key that was found earlier is this one: by its text of now, or by the one
// before that is good still.
func (k *Key) Was(earlier *Key, now time.Time) bool {
	return k.Hash == earlier.Hash || k.OldUntil != nil && now.Before(*k.OldUntil) && k.OldHash == earlier.Hash
}

// Valid says why the key is refused at a time: ErrRevoked or ErrExpired.
func (k *Key) Valid(now time.Time) error { return usable(k.RevokedAt, k.ExpiresAt, now) }

// Check says what is wrong with the key's own data. Stores refuse a key that fails it.
func (k *Key) Check() error {
	if err := checkNamed("key", k.ID, k.Name); err != nil {
		return err
	}
	if err := CheckName("workspace", k.Workspace); err != nil {
		return fmt.Errorf("key %q: %w", k.Name, err)
	}
	if err := CheckName("project", k.Project); err != nil {
		return fmt.Errorf("key %q: %w", k.Name, err)
	}
	if k.Owner != "" {
		if err := CheckName("owner", k.Owner); err != nil {
			return fmt.Errorf("key %q: %w", k.Name, err)
		}
	}
	return k.checkLists()
}

// checkLists holds lists to printable ASCII without separators: they are printed
// as comma-separated lists and compared byte by byte.
func (k *Key) checkLists() error {
	lists := []struct {
		what  string
		items []string
	}{
		{"models", k.Models}, {"allow", k.Allow}, {"tags", k.Tags}, {"deny", k.Deny}, {"deny_models", k.DenyModels},
		{"allow_providers", k.AllowProviders}, {"deny_providers", k.DenyProviders},
	}
	for _, list := range lists {
		for _, item := range list.items {
			if !plain(item) {
				return fmt.Errorf("key %q: %s: %q is not a plain word", k.Name, list.what, item)
			}
		}
	}
	if err := k.Parameters.Check(); err != nil {
		return fmt.Errorf("key %q: %w", k.Name, err)
	}
	return k.checkWays()
}

func (k *Key) checkWays() error {
	if t := k.Timeouts; min(t.FirstByte, t.StreamIdle, t.Total) < 0 {
		return fmt.Errorf("key %q: timeouts: one is negative", k.Name)
	}
	if k.AllowAddresses != nil && len(k.AllowAddresses) == 0 {
		return fmt.Errorf("key %q: allow_addresses: is empty, so that the key could be used from nowhere", k.Name)
	}
	if k.Cache < 0 {
		return fmt.Errorf("key %q: cache is negative", k.Name)
	}
	if err := k.Payloads.Check(); err != nil {
		return fmt.Errorf("key %q: %w", k.Name, err)
	}
	if k.Store < 0 {
		return fmt.Errorf("key %q: store is negative", k.Name)
	}
	switch k.Sticky {
	case "", "session", "prefix":
	default:
		return fmt.Errorf("key %q: sticky: %q is not session or prefix", k.Name, k.Sticky)
	}
	if _, _, err := k.Bounds.Of(k.Scope()); err != nil {
		return fmt.Errorf("key %q: %w", k.Name, err)
	}
	return nil
}

// Scope is whom the key's own limits and budgets stand on: this key, whatever others are called.
func (k *Key) Scope() Scope {
	return Scope{Kind: ScopeKey, Name: k.Name, Workspace: k.Workspace, KeyID: k.ID}
}

func plain(s string) bool {
	if s == "" || len(s) > 256 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == ',' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// Package policy decides who may do what, from plain data in memory. It does no I/O: what it
// counts or looks up comes to it through small ports.
package policy

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// Keyring finds virtual keys by what a client presents. It is built whole and never changed.
type Keyring struct {
	byID    map[string]*storage.Key
	sole    bool
	missing error // why keys may be missing; nil where none is
}

// NewKeyring holds the given keys; of two with one public id the later wins.
func NewKeyring(lists ...[]storage.Key) *Keyring {
	r := &Keyring{byID: map[string]*storage.Key{}}
	for _, keys := range lists {
		for i := range keys {
			r.byID[keys[i].ID] = &keys[i]
		}
	}
	spaces := map[string]bool{}
	for _, key := range r.byID {
		spaces[key.Workspace] = true
	}
	r.sole = len(spaces) == 1
	return r
}

// Sole reports whether all keys, those that are revoked too, are of one workspace, and no other is
// missing: what stands at its providers can be nobody else's.
func (r *Keyring) Sole() bool { return r.sole && r.missing == nil }

// Incomplete gives a ring of the same keys that knows, with the operator's reason, that others
// may exist: who presents one of those is asked to come back, and not sent away.
func (r *Keyring) Incomplete(cause error) *Keyring { return &Keyring{byID: r.byID, missing: cause} }

// Blind reports whether no key is known, and others may exist.
func (r *Keyring) Blind() bool { return len(r.byID) == 0 && r.missing != nil }

// All gives every key, in the order of their ids.
func (r *Keyring) All() []*storage.Key {
	keys := slices.Collect(maps.Values(r.byID))
	slices.SortFunc(keys, func(a, b *storage.Key) int { return strings.Compare(a.ID, b.ID) })
	return keys
}

// ByID gives the key of a public id, nil where there is none any more.
func (r *Keyring) ByID(id string) *storage.Key { return r.byID[id] }

// Renew gives a key that was found earlier as it stands now.
func (r *Keyring) Renew(key *storage.Key, now time.Time) (*storage.Key, error) {
	found := r.byID[key.ID]
	if found == nil && r.missing != nil {
		return key, nil //nolint:nilerr // the store is away, and the key was good when it was there
	}
	if found == nil || !found.Was(key, now) {
		return nil, wrongKey(key.ID)
	}
	if err := found.Valid(now); err != nil {
		return nil, goneKey(err)
	}
	return found, nil
}

// Find gives the key whose text a client presented. Its errors are *providers.Fault, and none
// says whether it was the id or the secret that was wrong.
func (r *Keyring) Find(text []byte, now time.Time) (*storage.Key, error) {
	if len(text) == 0 {
		return nil, &providers.Fault{Kind: providers.FaultUnauthorized, NoRetry: true,
			Message: "You didn't provide an API key. Provide a virtual key in an Authorization header using Bearer auth (Authorization: Bearer sk-ais-…)."}
	}
	id, ok := storage.ParseKey(text)
	if !ok {
		return nil, wrongKey("")
	}
	key := r.byID[string(id)]
	if key == nil && r.missing != nil {
		return nil, &providers.Fault{Kind: providers.FaultUnavailable, Retryable: true, RetryAfter: lookAgain, Cause: r.missing,
			Message: "This API key cannot be looked up at the moment, as the gateway's store is not reachable. Please try again."}
	}
	if key == nil || !key.Matches(text, now) {
		return nil, wrongKey(string(id))
	}
	if err := key.Valid(now); err != nil {
		return nil, goneKey(err)
	}
	return key, nil
}

// lookAgain is when a client may ask again about a key that could not be looked up.
const lookAgain = 5 * time.Second

func goneKey(cause error) error {
	return &providers.Fault{Kind: providers.FaultUnauthorized, NoRetry: true, Cause: cause,
		Code: "invalid_api_key", Message: "Incorrect API key provided: this key is revoked or has expired."}
}

func wrongKey(id string) error {
	shown := "sk-ais-…"
	if id != "" {
		shown = "sk-ais-" + id + "-…"
	}
	return &providers.Fault{Kind: providers.FaultUnauthorized, NoRetry: true, Code: "invalid_api_key",
		Message: "Incorrect API key provided: " + shown + ". Virtual keys are made with `aistrale key create`."}
}

package storage

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// KeyWrapper guards data keys with a key that a Vault never sees: a MasterKey, or a key
// management service. All methods bind the result to the data key's id.
type KeyWrapper interface {
	Wrap(ctx context.Context, id string, key []byte) ([]byte, error)
	// Unwrap wraps ErrWrongMasterKey where another key wrapped it, and ErrSealBroken where what was
	// wrapped has changed.
	Unwrap(ctx context.Context, id string, wrapped []byte) ([]byte, error)
	// Rewrap gives a data key wrapped as Wrap would now, or what it was given where that is so.
	Rewrap(ctx context.Context, id string, wrapped []byte) ([]byte, error)
}

// DataKey is a key that seals rows, wrapped by the master key. Every sealed row names its data
// key, so a new master key re-wraps these few rows and touches no other.
type DataKey struct {
	ID        string
	Wrapped   []byte
	CreatedAt time.Time
}

// Binding is where a sealed value belongs. It opens nowhere else.
type Binding struct {
	Table, Row string
	Target     string // scheme://host:port that the value may be sent to, "" for none
}

// Sealed is a secret at rest.
type Sealed struct {
	DataKeyID string
	Blob      []byte // version, nonce, ciphertext, tag
}

// sealVersion begins every sealed blob.
const sealVersion = 1

// Vault seals secrets and opens them. It is safe for concurrent use.
type Vault struct {
	wrapper KeyWrapper

	mu      sync.RWMutex
	aeads   map[string]cipher.AEAD // by data key id
	closed  map[string]error       // data keys that did not unwrap, and why
	newest  string                 // id of the data key that seals
	created time.Time              // of the newest
}

// NewVault makes a vault without data keys. A nil wrapper is a vault without a master key: it
// refuses to seal and to open, with ErrNoMasterKey.
func NewVault(wrapper KeyWrapper) *Vault {
	return &Vault{wrapper: wrapper, aeads: map[string]cipher.AEAD{}, closed: map[string]error{}}
}

// NewDataKey makes a data key, which the caller stores before anything is sealed under it; the
// vault does not know it until Load.
func (v *Vault) NewDataKey(ctx context.Context, now time.Time) (DataKey, error) {
	if v.wrapper == nil {
		return DataKey{}, ErrNoMasterKey
	}
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails: crypto/rand ends the process instead
	id := "dk-" + strings.ToLower(rand.Text()[:16])
	wrapped, err := v.wrapper.Wrap(ctx, id, key)
	if err != nil {
		return DataKey{}, fmt.Errorf("data key %s: %w", id, err)
	}
	return DataKey{ID: id, Wrapped: wrapped, CreatedAt: stamp(now)}, nil
}

// Load makes the vault hold the data keys of a store, and no others; the newest one seals from
// now on. Keys that do not unwrap are named in the error, and the others are held all the same, so
// that one broken row never closes the rest; Open repeats the error for what was sealed under them.
func (v *Vault) Load(ctx context.Context, keys []DataKey) error {
	v.drop(keys)
	var errs []error
	for _, k := range keys {
		if v.holds(k.ID) {
			continue
		}
		aead, err := v.unwrap(ctx, k)
		if err != nil {
			err = fmt.Errorf("data key %s: %w", k.ID, err)
			v.close(k, err)
			errs = append(errs, err)
			continue
		}
		v.hold(k, aead)
	}
	return errors.Join(errs...)
}

// drop lets go of data keys that a store has no more.
func (v *Vault) drop(left []DataKey) {
	v.mu.Lock()
	defer v.mu.Unlock()
	gone := func(id string) bool {
		return !slices.ContainsFunc(left, func(k DataKey) bool { return k.ID == id })
	}
	maps.DeleteFunc(v.aeads, func(id string, _ cipher.AEAD) bool { return gone(id) })
	maps.DeleteFunc(v.closed, func(id string, _ error) bool { return gone(id) })
	v.newest, v.created = "", time.Time{}
	for _, k := range left {
		if v.aeads[k.ID] != nil {
			v.sealsIfNewest(k)
		}
	}
}

func (v *Vault) sealsIfNewest(k DataKey) {
	later := k.CreatedAt.After(v.created) || k.CreatedAt.Equal(v.created) && k.ID > v.newest
	if v.newest == "" || later {
		v.newest, v.created = k.ID, k.CreatedAt
	}
}

func (v *Vault) holds(id string) bool {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.aeads[id] != nil
}

func (v *Vault) unwrap(ctx context.Context, k DataKey) (cipher.AEAD, error) {
	if v.wrapper == nil {
		return nil, ErrNoMasterKey
	}
	key, err := v.wrapper.Unwrap(ctx, k.ID, k.Wrapped)
	if err != nil {
		return nil, err
	}
	return newAEAD(key)
}

func (v *Vault) hold(k DataKey, aead cipher.AEAD) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.aeads[k.ID] = aead
	delete(v.closed, k.ID)
	v.sealsIfNewest(k)
}

func (v *Vault) close(k DataKey, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.closed[k.ID] = err
}

// Closed gives why a data key that the vault was given does not unwrap; nil where it does.
func (v *Vault) Closed(id string) error {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.closed[id]
}

// Seal encrypts a secret under the newest data key, for one binding.
func (v *Vault) Seal(secret Secret, b Binding) (Sealed, error) {
	if v.wrapper == nil {
		return Sealed{}, ErrNoMasterKey
	}
	v.mu.RLock()
	id := v.newest
	aead := v.aeads[id]
	v.mu.RUnlock()
	if aead == nil {
		return Sealed{}, errors.New("the vault holds no data key")
	}
	blob := aead.Seal([]byte{sealVersion}, nil, []byte(secret.Reveal()), b.under(id))
	return Sealed{DataKeyID: id, Blob: blob}, nil
}

// Open decrypts a secret. It wraps ErrNoMasterKey without a master key, what Load said of the
// data key where that did not unwrap, ErrNotFound where there is no such data key, ErrSealBroken
// where anything else is not as it was sealed.
func (v *Vault) Open(s Sealed, b Binding) (Secret, error) {
	if v.wrapper == nil {
		return Secret{}, ErrNoMasterKey
	}
	v.mu.RLock()
	aead, closed := v.aeads[s.DataKeyID], v.closed[s.DataKeyID]
	v.mu.RUnlock()
	if closed != nil {
		return Secret{}, closed
	}
	if aead == nil {
		return Secret{}, fmt.Errorf("data key %q: %w", s.DataKeyID, ErrNotFound)
	}
	if len(s.Blob) == 0 || s.Blob[0] != sealVersion {
		return Secret{}, ErrSealBroken
	}
	text, err := aead.Open(nil, nil, s.Blob[1:], b.under(s.DataKeyID))
	if err != nil {
		return Secret{}, ErrSealBroken
	}
	return NewSecret(string(text)), nil
}

// under is the associated data of a value sealed under a data key.
func (b Binding) under(dataKeyID string) []byte {
	return bind(b.Table, b.Row, dataKeyID, b.Target)
}

// bind joins parts so that no two lists of parts give the same bytes.
func bind(parts ...string) []byte {
	joined := []byte{sealVersion}
	for _, p := range parts {
		joined = binary.AppendUvarint(joined, uint64(len(p)))
		joined = append(joined, p...)
	}
	return joined
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

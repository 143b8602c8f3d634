package storage

import (
	"context"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// masterKeySize is the size of a master key in bytes.
const masterKeySize = 32

// wrapVersion begins every data key wrapped by a MasterKey.
const wrapVersion = 1

// MasterKey wraps data keys under 32 bytes that the operator keeps. It prints as "[redacted]".
type MasterKey struct {
	aead cipher.AEAD
	mark [8]byte // tells which master key wrapped a data key; says nothing about the key
}

// ParseMasterKey reads 32 bytes of base64, standard or URL-safe, padded or not. White space
// around it is ignored. The error never holds the text.
func ParseMasterKey(text Secret) (*MasterKey, error) {
	plain := strings.TrimRight(strings.TrimSpace(text.Reveal()), "=")
	plain = strings.NewReplacer("-", "+", "_", "/").Replace(plain)
	raw, err := base64.RawStdEncoding.DecodeString(plain)
	if err != nil {
		return nil, errors.New("the master key is not base64")
	}
	if len(raw) != masterKeySize {
		return nil, fmt.Errorf("the master key has %d bytes, not %d", len(raw), masterKeySize)
	}
	return newMasterKey(raw)
}

// NewMasterKey makes 32 random bytes and gives them in base64, as ParseMasterKey reads them.
func NewMasterKey() Secret {
	raw := make([]byte, masterKeySize)
	_, _ = rand.Read(raw) // never fails: crypto/rand ends the process instead
	return NewSecret(base64.StdEncoding.EncodeToString(raw))
}

// newMasterKey derives two keys, so that the mark stored in the clear is of no use against the
// one that wraps.
func newMasterKey(raw []byte) (*MasterKey, error) {
	wrapping, err := hkdf.Key(sha256.New, raw, nil, "aistrale/wrap/1", masterKeySize)
	if err != nil {
		return nil, fmt.Errorf("master key: %w", err)
	}
	mark, err := hkdf.Key(sha256.New, raw, nil, "aistrale/mark/1", 8)
	if err != nil {
		return nil, fmt.Errorf("master key: %w", err)
	}
	aead, err := newAEAD(wrapping)
	if err != nil {
		return nil, fmt.Errorf("master key: %w", err)
	}
	return &MasterKey{aead: aead, mark: [8]byte(mark)}, nil
}

// Wrap implements KeyWrapper: version, mark, nonce, ciphertext, tag.
func (m *MasterKey) Wrap(_ context.Context, id string, key []byte) ([]byte, error) {
	head := append([]byte{wrapVersion}, m.mark[:]...)
	return m.aead.Seal(head, nil, key, m.bound(id)), nil
}

// Unwrap implements KeyWrapper. It wraps ErrWrongMasterKey where another master key wrapped
// the data key, and ErrSealBroken where the wrapped key was changed.
func (m *MasterKey) Unwrap(_ context.Context, id string, wrapped []byte) ([]byte, error) {
	head := 1 + len(m.mark)
	if len(wrapped) < head {
		return nil, ErrSealBroken
	}
	if wrapped[0] != wrapVersion { // a key management service did
		return nil, ErrWrongMasterKey
	}
	if [8]byte(wrapped[1:head]) != m.mark {
		return nil, ErrWrongMasterKey
	}
	key, err := m.aead.Open(nil, nil, wrapped[head:], m.bound(id))
	if err != nil {
		return nil, ErrSealBroken
	}
	return key, nil
}

// Rewrap implements KeyWrapper: a master key has one form.
func (m *MasterKey) Rewrap(ctx context.Context, id string, wrapped []byte) ([]byte, error) {
	_, err := m.Unwrap(ctx, id, wrapped)
	return wrapped, err
}

func (m *MasterKey) bound(id string) []byte {
	return bind("data_keys", id, string(m.mark[:]))
}

// String implements fmt.Stringer.
func (*MasterKey) String() string { return Redacted }

// GoString implements fmt.GoStringer, which %#v asks.
func (*MasterKey) GoString() string { return Redacted }

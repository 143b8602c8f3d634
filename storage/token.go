package storage

import (
	"crypto/sha256"
	"time"
)

// tokenPrefix begins every admin token.
const tokenPrefix = "ais-admin-"

// AdminToken opens the control plane. The store holds a hash of its text, never the text.
type AdminToken struct {
	ID   string // the public id, 8 letters or digits; may be logged
	Name string // unique among the tokens that are not revoked
	Hash [32]byte

	CreatedAt time.Time
	ExpiresAt *time.Time // nil: never
	RevokedAt *time.Time // nil: not revoked
}

// NewAdminToken makes a token and its text (ais-admin-<id>-<43 characters>), shown once.
func NewAdminToken(name string, now time.Time) (AdminToken, Secret) {
	id, text := mint(tokenPrefix)
	return AdminToken{
		ID: id, Name: name, Hash: sha256.Sum256([]byte(text.Reveal())), CreatedAt: stamp(now),
	}, text
}

// ParseAdminToken is ParseKey for admin tokens.
func ParseAdminToken[T string | []byte](text T) (id T, ok bool) { return parse(tokenPrefix, text) }

// Matches reports, in constant time, whether text is this token's.
func (t *AdminToken) Matches(text []byte) bool { return matches(&t.Hash, text) }

// Valid says why the token is refused at a time: ErrRevoked or ErrExpired.
func (t *AdminToken) Valid(now time.Time) error { return usable(t.RevokedAt, t.ExpiresAt, now) }

// Check says what is wrong with the token's own data.
func (t *AdminToken) Check() error { return checkNamed("admin token", t.ID, t.Name) }

package storage

import (
	"crypto/sha256"
	"fmt"
	"time"
)

// tokenPrefix begins every admin token.
const tokenPrefix = "ais-admin-"

// AdminToken opens the control plane. The store holds a hash of its text, never the text.
type AdminToken struct {
	ID   string // the public id, 8 letters or digits; may be logged
	Name string // unique among the tokens that are not revoked
	Hash [32]byte

	// Owner is the user whose rights the token has; "" where it is the installation's own, which
	// may do everything.
	Owner string
	// Scopes narrow those rights to actions ("keys.read", "prompts.*"). Empty: all of them.
	Scopes []string

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
func (t *AdminToken) Check() error {
	if t.Owner != "" {
		if err := CheckName("owner", t.Owner); err != nil {
			return fmt.Errorf("admin token %q: %w", t.Name, err)
		}
	}
	for _, scope := range t.Scopes {
		if !plain(scope) {
			return fmt.Errorf("admin token %q: scopes: %q is not a plain word", t.Name, scope)
		}
	}
	return checkNamed("admin token", t.ID, t.Name)
}

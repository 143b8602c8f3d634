package storage

import (
	"crypto/sha256"
	"time"
)

// Session is a user who has signed in with a browser. The store holds a hash of what the cookie
// holds, never the thing itself.
type Session struct {
	Hash      [32]byte // SHA-256 of the cookie's value
	User      string
	CreatedAt time.Time
	ExpiresAt time.Time // whatever happens
	SeenAt    time.Time // some minutes may be missing
}

// NewSession makes a session and the value of its cookie: 256 random bits, base64url.
func NewSession(user string, now time.Time, lasts time.Duration) (Session, Secret) {
	text := NewSecret(randomText())
	now = stamp(now)
	return Session{
		Hash: SessionHash(text.Reveal()), User: user, CreatedAt: now, ExpiresAt: now.Add(lasts), SeenAt: now,
	}, text
}

// SessionHash is what a cookie's value is found by.
func SessionHash(value string) [32]byte { return sha256.Sum256([]byte(value)) }

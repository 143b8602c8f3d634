package storage

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"strings"
	"time"
)

// A bearer is the one form of what callers prove themselves with:
// <prefix><public id>-<secret>. Virtual keys and admin tokens are two prefixes of it.
const (
	idLength  = 8
	minSecret = 32
	// maxSecret bounds what is hashed for a caller that is not known yet.
	maxSecret   = 256
	secretBytes = 32
)

// idAlphabet leaves out 0, 1, l and o: ids are read aloud and typed from screenshots.
const idAlphabet = "abcdefghijkmnpqrstuvwxyz23456789"

// mint makes a new bearer: 40 random bits of id, 256 of secret.
func mint(prefix string) (id string, text Secret) {
	var idBits [5]byte
	_, _ = rand.Read(idBits[:]) // never fails: crypto/rand ends the process instead
	id = base32.NewEncoding(idAlphabet).EncodeToString(idBits[:])
	return id, NewSecret(prefix + id + "-" + randomText())
}

// randomText is what nobody guesses, in 43 URL-safe characters.
func randomText() string {
	var secret [secretBytes]byte
	_, _ = rand.Read(secret[:])
	return base64.RawURLEncoding.EncodeToString(secret[:])
}

// parse finds the id in a bearer of the given prefix. It allocates nothing.
func parse[T string | []byte](prefix string, text T) (id T, ok bool) {
	var none T
	start, end := len(prefix), len(prefix)+idLength
	if len(text) < end+1+minSecret || len(text) > end+1+maxSecret || text[end] != '-' {
		return none, false
	}
	for i := range start {
		if text[i] != prefix[i] {
			return none, false
		}
	}
	for i := start; i < end; i++ {
		if !alphanumeric(text[i]) {
			return none, false
		}
	}
	for i := end + 1; i < len(text); i++ {
		if c := text[i]; !alphanumeric(c) && c != '-' && c != '_' {
			return none, false
		}
	}
	return text[start:end], true
}

// matches compares in constant time. A plain hash is enough: the secret has 256 bits, so there
// is nothing that a slow hash would slow down for a guesser.
func matches(hash *[32]byte, text []byte) bool {
	sum := sha256.Sum256(text)
	return subtle.ConstantTimeCompare(hash[:], sum[:]) == 1
}

// usable says why a bearer that matches is refused: ErrRevoked or ErrExpired.
func usable(revoked, expires *time.Time, now time.Time) error {
	if revoked != nil {
		return ErrRevoked
	}
	if expires != nil && !now.Before(*expires) {
		return ErrExpired
	}
	return nil
}

// checkNamed says what is wrong with what a Key and an AdminToken share.
func checkNamed(what, id, name string) error {
	if err := CheckName(what, name); err != nil {
		return err
	}
	if len(id) != idLength {
		return fmt.Errorf("%s %q: the public id has %d characters, not %d", what, name, len(id), idLength)
	}
	for i := range len(id) {
		if !alphanumeric(id[i]) {
			return fmt.Errorf("%s %q: the public id is letters and digits only", what, name)
		}
	}
	return nil
}

// MaskBearers takes the secrets of keys and tokens out of a text that quotes what a caller sent:
// people paste them where a name should be. The public ids stay.
func MaskBearers(text string) string {
	for _, prefix := range []string{keyPrefix, tokenPrefix} {
		for from := 0; ; {
			i := strings.Index(text[from:], prefix)
			if i < 0 {
				break
			}
			from += i + len(prefix)
			end := from
			for end < len(text) && (alphanumeric(text[end]) || text[end] == '-' || text[end] == '_') {
				end++
			}
			if end-from > idLength+1 && text[from+idLength] == '-' {
				text = text[:from+idLength+1] + "…" + text[end:]
			}
		}
	}
	return text
}

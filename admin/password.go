package admin

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Passwords are hashed with argon2id at what OWASP's Password Storage Cheat Sheet names as its
// first choice: 19 MiB, 2 passes, 1 lane.
const (
	argonMemory = 19 << 10 // KiB; tests take less
	argonPasses = 2
	argonLanes  = 1
	argonKey    = 32
	argonSalt   = 16
)

// atOnce bounds the hashes that are computed at one time: each takes 19 MiB and some 20 ms of a core.
const atOnce = 2

// argon2id is argon2.IDKey; tests count its calls.
type argon2id func(password, salt []byte, passes, memory uint32, lanes uint8, length uint32) []byte

// hasher hashes passwords, few at a time.
type hasher struct {
	memory uint32 // KiB
	slots  chan struct{}
	key    argon2id
	nobody string // the hash of a password that nobody has
}

func newHasher(memory uint32) *hasher {
	h := &hasher{memory: memory, slots: make(chan struct{}, atOnce), key: argon2.IDKey}
	h.nobody = h.phc(make([]byte, argonSalt), make([]byte, argonKey))
	return h
}

// hash gives a password's hash in the PHC string format.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, argonSalt)
	_, _ = rand.Read(salt) // never fails: crypto/rand ends the process instead
	key, err := h.derive(ctx, password, salt, argonPasses, h.memory)
	if err != nil {
		return "", err
	}
	return h.phc(salt, key), nil
}

// matches reports whether a password is the one of a hash. For "", the hash of nobody, it takes as
// long as for another, and is false.
func (h *hasher) matches(ctx context.Context, hash, password string) (bool, error) {
	known := hash != ""
	if !known {
		hash = h.nobody
	}
	salt, want, passes, memory, err := readPHC(hash)
	if err != nil {
		return false, err
	}
	key, err := h.derive(ctx, password, salt, passes, memory)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(key, want) == 1 && known, nil
}

func (h *hasher) derive(ctx context.Context, password string, salt []byte, passes, memory uint32) ([]byte, error) {
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
		return h.key([]byte(password), salt, passes, memory, argonLanes, argonKey), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (h *hasher) phc(salt, key []byte) string {
	b := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memory, argonPasses, argonLanes, b.EncodeToString(salt), b.EncodeToString(key))
}

func readPHC(hash string) (salt, key []byte, passes, memory uint32, err error) {
	parts := strings.Split(hash, "$")
	var version, lanes int
	if len(parts) != 6 || parts[1] != "argon2id" {
		return nil, nil, 0, 0, errors.New("a password's hash is not argon2id's")
	}
	if _, err = fmt.Sscanf(parts[2], "v=%d", &version); err != nil {
		return nil, nil, 0, 0, fmt.Errorf("a password's hash: %w", err)
	}
	if _, err = fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &passes, &lanes); err != nil {
		return nil, nil, 0, 0, fmt.Errorf("a password's hash: %w", err)
	}
	if version != argon2.Version || lanes != argonLanes {
		return nil, nil, 0, 0, fmt.Errorf("a password's hash has version %d and %d lanes", version, lanes)
	}
	if salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil {
		return nil, nil, 0, 0, fmt.Errorf("a password's hash: %w", err)
	}
	key, err = base64.RawStdEncoding.DecodeString(parts[5])
	return salt, key, passes, memory, err
}

package policy

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

func TestKeyring_Find(t *testing.T) {
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	soon, past := now.Add(time.Hour), now.Add(-time.Hour)
	made := func(name string, change func(*storage.Key)) (storage.Key, string) {
		k, text := storage.NewKey(name, now)
		change(&k)
		return k, text.Reveal()
	}
	alice, aliceText := made("alice", func(k *storage.Key) { k.ExpiresAt = &soon })
	bob, bobText := made("bob", func(k *storage.Key) { k.RevokedAt = &past })
	carol, carolText := made("carol", func(k *storage.Key) { k.ExpiresAt = &past })
	_, stranger := made("nobody", func(*storage.Key) {})
	ring := NewKeyring([]storage.Key{alice, bob}, []storage.Key{carol})

	found, err := ring.Find([]byte(aliceText), now)
	if err != nil || found.Name != "alice" {
		t.Fatalf("Find() = %v, %v", found, err)
	}
	f := func(text, code, message string, cause error) {
		t.Helper()
		key, err := ring.Find([]byte(text), now)
		var fault *providers.Fault
		if key != nil || !errors.As(err, &fault) || fault.Kind != providers.FaultUnauthorized || !fault.NoRetry || fault.Code != code ||
			!strings.HasPrefix(fault.Message, message) || !errors.Is(fault.Cause, cause) {
			t.Errorf("Find(%q) = %v, %#v", text, key, err)
			return
		}
		if secret := text[min(len(text), len("sk-ais-12345678-")):]; secret != "" && strings.Contains(err.Error(), secret) {
			t.Errorf("the error quotes the secret: %v", err)
		}
	}
	f("", "", "You didn't provide an API key.", nil)
	f("sk-proj-0123456789012345678901234567890123456789012345678", "invalid_api_key", "Incorrect API key provided: sk-ais-…. ", nil)
	f(stranger, "invalid_api_key", "Incorrect API key provided: "+stranger[:len("sk-ais-12345678-")]+"…. ", nil)
	f(bobText, "invalid_api_key", "Incorrect API key provided: this key is revoked or has expired.", storage.ErrRevoked)
	f(carolText, "invalid_api_key", "Incorrect API key provided: this key is revoked or has expired.", storage.ErrExpired)
	// A known id with another secret answers as an id that nobody has.
	forged := aliceText[:len("sk-ais-12345678-")] + stranger[len("sk-ais-12345678-"):]
	f(forged, "invalid_api_key", "Incorrect API key provided: "+forged[:len("sk-ais-12345678-")]+"…. ", nil)
	// The state of a key is told only to who has its secret.
	f(bobText[:len("sk-ais-12345678-")]+stranger[len("sk-ais-12345678-"):], "invalid_api_key", "Incorrect API key provided: sk-ais-", nil)
}

func TestNewKeyring_LaterListWins(t *testing.T) {
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	stored, text := storage.NewKey("stored", now)
	given := stored
	given.Name = "given"
	found, err := NewKeyring([]storage.Key{stored}, []storage.Key{given}).Find([]byte(text.Reveal()), now)
	if err != nil || found.Name != "given" {
		t.Errorf("Find() = %v, %v", found, err)
	}
}

// While the store cannot be asked, a key that is not known is no wrong key: 503, never 401.
func TestKeyring_Incomplete(t *testing.T) {
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	given, givenText := storage.NewKey("given", now)
	_, stranger := storage.NewKey("nobody", now)
	down := errors.New("connection refused")
	whole := NewKeyring([]storage.Key{given})
	ring := whole.Incomplete(down)

	if found, err := ring.Find([]byte(givenText.Reveal()), now); err != nil || found.Name != "given" {
		t.Errorf("a known key: %v, %v", found, err)
	}
	f := func(r *Keyring, text string, kind providers.FaultKind, cause error) {
		t.Helper()
		key, err := r.Find([]byte(text), now)
		var fault *providers.Fault
		if key != nil || !errors.As(err, &fault) || fault.Kind != kind || !errors.Is(fault.Cause, cause) || strings.Contains(fault.Message, "refused") {
			t.Errorf("Find(%q) = %v, %#v", text, key, err)
		}
	}
	f(ring, stranger.Reveal(), providers.FaultUnavailable, down)
	f(whole, stranger.Reveal(), providers.FaultUnauthorized, nil)
	// What can be no key, or is not the secret of a known one, is wrong whatever the store says.
	f(ring, "", providers.FaultUnauthorized, nil)
	f(ring, "sk-proj-1", providers.FaultUnauthorized, nil)
	f(ring, givenText.Reveal()[:len("sk-ais-12345678-")]+stranger.Reveal()[len("sk-ais-12345678-"):], providers.FaultUnauthorized, nil)
}

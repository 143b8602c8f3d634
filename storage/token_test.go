package storage

import (
	"errors"
	"regexp"
	"testing"
	"time"
)

func TestNewAdminToken(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	token, text := NewAdminToken("root", now)
	if !regexp.MustCompile(`^ais-admin-[a-z2-9]{8}-[A-Za-z0-9_-]{43}$`).MatchString(text.Reveal()) {
		t.Fatal("the text has another form")
	}
	if id, ok := ParseAdminToken(text.Reveal()); !ok || id != token.ID {
		t.Fatalf("its text names %q, the token is %q", id, token.ID)
	}
	if !token.Matches([]byte(text.Reveal())) || token.Matches([]byte(text.Reveal()[1:])) {
		t.Fatal("a token matches its own text and no other")
	}
	if err := errors.Join(token.Check(), token.Valid(now)); err != nil {
		t.Fatal(err)
	}
	token.ExpiresAt = &now
	if err := token.Valid(now); !errors.Is(err, ErrExpired) {
		t.Fatalf("error %v, want %v", err, ErrExpired)
	}
}

// Neither opens the other's door.
func TestTokenIsNoKey(t *testing.T) {
	_, key := NewKey("ci", time.Now())
	_, token := NewAdminToken("root", time.Now())
	if _, ok := ParseAdminToken(key.Reveal()); ok {
		t.Error("a key has the form of an admin token")
	}
	if _, ok := ParseKey(token.Reveal()); ok {
		t.Error("an admin token has the form of a key")
	}
}

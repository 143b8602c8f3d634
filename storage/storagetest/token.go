package storagetest

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// TokenStore keeps admin tokens.
type TokenStore interface {
	AdminToken(ctx context.Context, id string) (storage.AdminToken, error)
	AdminTokens(ctx context.Context) ([]storage.AdminToken, error)
	AddAdminToken(ctx context.Context, t storage.AdminToken) error
	RevokeAdminToken(ctx context.Context, id string, at time.Time) (storage.AdminToken, error)
}

// AdminTokens tests a TokenStore. open gives an empty one.
func AdminTokens(t *testing.T, open func(t *testing.T) TokenStore) {
	s := open(t)
	expires := start().Add(time.Hour)
	first, text := storage.NewAdminToken("root", start())
	second, _ := storage.NewAdminToken("deploy", start().Add(time.Second))
	second.ExpiresAt, second.Owner, second.Scopes = &expires, "ada@example.com", []string{"keys.read", "prompts.*"}
	do(t, s.AddAdminToken(t.Context(), second))
	do(t, s.AddAdminToken(t.Context(), first))

	same, _ := storage.NewAdminToken("root", start())
	wants(t, s.AddAdminToken(t.Context(), same), storage.ErrExists)
	same.Name, same.ID = "other", first.ID
	wants(t, s.AddAdminToken(t.Context(), same), storage.ErrExists)
	nameless, _ := storage.NewAdminToken("", start())
	if err := s.AddAdminToken(t.Context(), nameless); err == nil {
		t.Fatal("a token without a name was added")
	}

	got, err := s.AdminTokens(t.Context())
	do(t, err)
	if want := []storage.AdminToken{first, second}; !reflect.DeepEqual(got, want) {
		t.Fatalf("got %+v, want %+v", got, want)
	}
	if !got[0].Matches([]byte(text.Reveal())) {
		t.Fatal("the token's own text does not match it after a round trip")
	}

	one, err := s.AdminToken(t.Context(), second.ID)
	do(t, err)
	if !reflect.DeepEqual(one, second) {
		t.Fatalf("got %+v, want %+v", one, second)
	}
	hers, _ := storage.NewAdminToken("root", start())
	hers.Owner = "ada@example.com"
	do(t, s.AddAdminToken(t.Context(), hers)) // a name is its owner's

	at := start().Add(time.Minute)
	revoked, err := s.RevokeAdminToken(t.Context(), second.ID, at)
	do(t, err)
	if second.RevokedAt = &at; !reflect.DeepEqual(revoked, second) {
		t.Fatalf("got %+v, want %+v", revoked, second)
	}
	again, err := s.RevokeAdminToken(t.Context(), second.ID, at.Add(time.Hour))
	do(t, err)
	if !again.RevokedAt.Equal(at) {
		t.Fatalf("revoked again, its time is %s, want %s", again.RevokedAt, at)
	}
	_, err = s.RevokeAdminToken(t.Context(), "nobody22", at)
	wants(t, err, storage.ErrNotFound)
}

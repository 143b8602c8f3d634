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
	AdminTokens(ctx context.Context) ([]storage.AdminToken, error)
	AddAdminToken(ctx context.Context, t storage.AdminToken) error
}

// AdminTokens tests a TokenStore. open gives an empty one.
func AdminTokens(t *testing.T, open func(t *testing.T) TokenStore) {
	s := open(t)
	expires := start().Add(time.Hour)
	first, text := storage.NewAdminToken("root", start())
	second, _ := storage.NewAdminToken("deploy", start().Add(time.Second))
	second.ExpiresAt = &expires
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
}

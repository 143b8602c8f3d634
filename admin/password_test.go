package admin

import (
	"context"
	"strings"
	"testing"
)

func TestPasswords(t *testing.T) {
	h := newHasher(argonMemory)
	hash, err := h.hash(t.Context(), password)
	do(t, err)
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatalf("the hash is %s", hash)
	}
	again, err := h.hash(t.Context(), password)
	do(t, err)
	if hash == again {
		t.Fatal("two hashes of one password are the same: they have no salt")
	}
	for _, c := range []struct {
		hash, password string
		want           bool
	}{{hash, password, true}, {again, password, true}, {hash, password + "x", false}, {"", "", false}, {"", password, false}} {
		got, err := newHasher(8).matches(t.Context(), c.hash, c.password) // by what the hash itself says it costs
		do(t, err)
		if got != c.want {
			t.Errorf("%q by %q: %t, want %t", c.hash, c.password, got, c.want)
		}
	}
	for _, broken := range []string{"x", "$argon2i$v=19$m=8,t=2,p=1$AAAA$AAAA", "$argon2id$v=19$m=8,t=2,p=4$AAAA$AAAA", "$argon2id$v=19$m=8,t=2,p=1$!$AAAA"} {
		if _, err := h.matches(t.Context(), broken, password); err == nil {
			t.Errorf("%q is taken for a hash", broken)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	h.slots <- struct{}{}
	h.slots <- struct{}{}
	if _, err := h.hash(gone, password); err == nil {
		t.Error("a client that has left was waited for")
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/aistrale/aistrale/storage"
)

// startedMeta is set in the store once developer mode has shown its first key.
const startedMeta = "developer_started"

// firstKeys are shown once: the store keeps only their hashes.
type firstKeys struct{ key, admin storage.Secret }

// bootstrap prepares developer mode: a key and an admin token at the first start, and the
// providers' keys of the environment at every one.
func (s *store) bootstrap(ctx context.Context, config *Config) (*firstKeys, error) {
	if err := s.takeFromEnvironment(ctx, config); err != nil {
		return nil, err
	}
	if _, err := s.Meta(ctx, startedMeta); !errors.Is(err, storage.ErrNotFound) {
		return nil, err
	}
	now := s.env.Now()
	key, keyText := storage.NewKey("developer", now)
	key.Models = []string{"*"}
	token, tokenText := storage.NewAdminToken("developer", now)
	if err := s.AddKey(ctx, key); err != nil {
		return nil, err
	}
	if err := s.AddAdminToken(ctx, token); err != nil {
		return nil, err
	}
	return &firstKeys{keyText, tokenText}, s.SetMeta(ctx, startedMeta, now.UTC().Format("2006-01-02"))
}

// greet tells a developer what to do next.
func (k *firstKeys) greet(w io.Writer, address string) {
	if k == nil {
		_, _ = fmt.Fprintf(w, "\nAISTRALE is serving on http://%s/v1\n  another key:  aistrale key create NAME\n\n", address)
		return
	}
	_, _ = fmt.Fprintf(w, `
AISTRALE is serving on http://%[1]s/v1

  admin token   %[3]s
  virtual key   %[2]s

These are shown once. Try the built-in emulator, which needs no provider:

  curl http://%[1]s/v1/chat/completions \
    -H 'authorization: Bearer %[2]s' \
    -H 'content-type: application/json' \
    -d '{"model":"mock/gpt","messages":[{"role":"user","content":"Hello!"}]}'

`, address, k.key.Reveal(), k.admin.Reveal())
}

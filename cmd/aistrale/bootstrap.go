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

// bootstrap makes developer mode's key and admin token at the first start; at a later one, and
// while a shared store is down, it gives nil.
func (s *store) bootstrap(ctx context.Context) (*firstKeys, error) {
	if !s.read {
		return nil, nil
	}
	if _, err := s.Meta(ctx, startedMeta); !errors.Is(err, storage.ErrNotFound) {
		return nil, err
	}
	now := s.env.Now()
	key, keyText := storage.NewKey("", now)
	key.Models = []string{"*"}
	err := underFreeName(func(name string) error {
		key.Name = name
		return s.AddKey(ctx, key)
	})
	if err != nil {
		return nil, err
	}
	token, tokenText := storage.NewAdminToken("", now)
	err = underFreeName(func(name string) error {
		token.Name = name
		return s.AddAdminToken(ctx, token)
	})
	if err != nil {
		return nil, err
	}
	return &firstKeys{keyText, tokenText}, s.SetMeta(ctx, startedMeta, now.UTC().Format("2006-01-02"))
}

// underFreeName adds under the name "developer", or with a number behind it where a start that
// did not get to its end, or an operator, has taken that.
func underFreeName(add func(name string) error) error {
	const name, most = "developer", 100
	err := add(name)
	for n := 2; n <= most && errors.Is(err, storage.ErrExists); n++ {
		err = add(fmt.Sprintf("%s-%d", name, n))
	}
	return err
}

// greet tells a developer what to do next; program is the name that it was called by.
func (k *firstKeys) greet(w io.Writer, address, program string) {
	if k == nil {
		_, _ = fmt.Fprintf(w, "\nAISTRALE is serving on http://%s/v1\n\n  another key:  %s key create NAME\n\n", address, program)
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

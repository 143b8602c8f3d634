package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/aistrale/aistrale/proxy"
	"github.com/aistrale/aistrale/storage"
)

// TurnsConfig bounds what is kept of conversations, for keys with the setting store.
type TurnsConfig struct {
	MaxLifetime time.Duration `yaml:"max_lifetime"` // a key's setting may not be longer
	MaxSize     Size          `yaml:"max_size"`     // of one response with its input
}

// sealedTurns keeps turns in the store, sealed.
type sealedTurns struct {
	store *store

	mu    sync.Mutex
	ready bool // there is a data key that seals
}

// turns gives where turns are kept: nowhere without a master key, as a reply that cannot be sealed
// would be made in vain.
func (s *store) turns() proxy.Turns {
	if s.wrapper == nil {
		return nil
	}
	return &sealedTurns{store: s}
}

// warnUnsealed reports keys whose turns cannot be kept.
func (s *store) warnUnsealed(config *Config, stored []storage.Key) {
	stores := slices.ContainsFunc(stored, func(k storage.Key) bool { return k.Store > 0 && k.RevokedAt == nil }) ||
		slices.ContainsFunc(config.Keys, func(k KeyConfig) bool { return k.Store > 0 })
	if s.wrapper == nil && stores {
		s.log.Error("a key has store set, and nothing can be sealed, so nothing is kept", "error", s.missing.Error())
	}
}

// PutTurns implements proxy.Turns.
func (s *sealedTurns) PutTurns(ctx context.Context, turns ...storage.Turn) error {
	err := s.putTurns(ctx, turns)
	if errors.Is(err, storage.ErrNotFound) { // the data key was rotated away a moment ago
		s.mu.Lock()
		s.ready = false
		s.mu.Unlock()
		err = s.putTurns(ctx, turns)
	}
	return err
}

func (s *sealedTurns) putTurns(ctx context.Context, turns []storage.Turn) error {
	if err := s.prepare(ctx); err != nil {
		return err
	}
	sealed := make([]storage.SealedTurn, len(turns))
	for i := range turns {
		var err error
		if sealed[i], err = turns[i].Seal(s.store.vault); err != nil {
			return err
		}
	}
	return s.store.PutTurns(ctx, sealed...)
}

// prepare makes the store's first data key, where nothing was sealed yet.
func (s *sealedTurns) prepare(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ready {
		return nil
	}
	if err := fillVault(ctx, s.store, s.store.vault, s.store.env.Now()); err != nil {
		return s.why(err)
	}
	s.ready = true
	return nil
}

// forget has the data keys read anew before the next is sealed.
func (s *sealedTurns) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ready = false
}

// FindTurns implements proxy.Turns.
func (s *sealedTurns) FindTurns(ctx context.Context, workspace string, ids ...string) ([]storage.Turn, error) {
	sealed, err := s.store.FindTurns(ctx, workspace, ids...)
	return s.open(ctx, sealed, err)
}

// TurnChain implements proxy.Turns.
func (s *sealedTurns) TurnChain(ctx context.Context, workspace, id string, most int) ([]storage.Turn, error) {
	sealed, err := s.store.TurnChain(ctx, workspace, id, most)
	return s.open(ctx, sealed, err)
}

// TurnsWithin implements proxy.Turns.
func (s *sealedTurns) TurnsWithin(ctx context.Context, q storage.TurnQuery) ([]storage.Turn, error) {
	sealed, err := s.store.TurnsWithin(ctx, q)
	return s.open(ctx, sealed, err)
}

// RemoveTurn implements proxy.Turns.
func (s *sealedTurns) RemoveTurn(ctx context.Context, workspace, id string) error {
	return s.store.RemoveTurn(ctx, workspace, id)
}

func (s *sealedTurns) open(ctx context.Context, sealed []storage.SealedTurn, err error) ([]storage.Turn, error) {
	if err != nil {
		return nil, err
	}
	turns := make([]storage.Turn, len(sealed))
	for i := range sealed {
		turns[i], err = sealed[i].Open(s.store.vault)
		if errors.Is(err, storage.ErrNotFound) { // another gateway's data key, which is new
			if keys, listErr := s.store.DataKeys(ctx); listErr != nil || s.store.vault.Load(ctx, keys) == nil {
				turns[i], err = sealed[i].Open(s.store.vault)
			}
		}
		if err != nil {
			return nil, s.why(err)
		}
	}
	return turns, nil
}

// why says where a master key may be.
func (s *sealedTurns) why(err error) error {
	if errors.Is(err, storage.ErrNoMasterKey) && s.store.missing != nil {
		return s.store.missing
	}
	return err
}

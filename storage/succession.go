package storage

import (
	"context"
	"errors"
)

// Succession is a KeyWrapper that is being replaced by another: it wraps with the new one and
// unwraps with both, until Rewrap has been asked for every data key.
type Succession struct{ New, Old KeyWrapper }

// Wrap implements KeyWrapper.
func (s Succession) Wrap(ctx context.Context, id string, key []byte) ([]byte, error) {
	return s.New.Wrap(ctx, id, key)
}

// Unwrap implements KeyWrapper.
func (s Succession) Unwrap(ctx context.Context, id string, wrapped []byte) ([]byte, error) {
	key, err := s.New.Unwrap(ctx, id, wrapped)
	if errors.Is(err, ErrWrongMasterKey) {
		return s.Old.Unwrap(ctx, id, wrapped)
	}
	return key, err
}

// Rewrap implements KeyWrapper.
func (s Succession) Rewrap(ctx context.Context, id string, wrapped []byte) ([]byte, error) {
	again, err := s.New.Rewrap(ctx, id, wrapped)
	if !errors.Is(err, ErrWrongMasterKey) {
		return again, err
	}
	key, err := s.Old.Unwrap(ctx, id, wrapped)
	if err != nil {
		return nil, err
	}
	return s.New.Wrap(ctx, id, key)
}

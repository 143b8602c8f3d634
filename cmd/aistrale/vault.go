package main

import (
	"context"
	"fmt"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// dataKeyStore keeps wrapped data keys.
type dataKeyStore interface {
	DataKeys(ctx context.Context) ([]storage.DataKey, error)
	AddDataKey(ctx context.Context, k storage.DataKey) error
}

// sealingVault makes a vault that holds the store's data keys, for a caller that will seal: it
// makes the store's first data key. A store whose data keys do not unwrap gets no new one: a wrong master key must not go unnoticed
// until it has sealed half of the rows.
func sealingVault(ctx context.Context, s dataKeyStore, wrapper storage.KeyWrapper, now time.Time) (*storage.Vault, error) {
	keys, err := s.DataKeys(ctx)
	if err != nil {
		return nil, err
	}
	vault := storage.NewVault(wrapper)
	if len(keys) == 0 {
		key, err := vault.NewDataKey(ctx, now)
		if err != nil {
			return nil, err
		}
		if err := s.AddDataKey(ctx, key); err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	if err := vault.Load(ctx, keys); err != nil {
		return nil, fmt.Errorf("nothing was sealed: %w", err)
	}
	return vault, nil
}

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
	vault := storage.NewVault(wrapper)
	if err := fillVault(ctx, s, vault, now); err != nil {
		return nil, err
	}
	return vault, nil
}

// fillVault makes a vault hold the store's data keys, of which there is one afterwards.
func fillVault(ctx context.Context, s dataKeyStore, vault *storage.Vault, now time.Time) error {
	keys, err := s.DataKeys(ctx)
	if err != nil {
		return err
	}
	if len(keys) == 0 {
		key, err := vault.NewDataKey(ctx, now)
		if err != nil {
			return err
		}
		if err := s.AddDataKey(ctx, key); err != nil {
			return err
		}
		keys = append(keys, key)
	}
	if err := vault.Load(ctx, keys); err != nil {
		return fmt.Errorf("nothing was sealed: %w", err)
	}
	return nil
}

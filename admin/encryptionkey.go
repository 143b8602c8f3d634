package admin

import (
	"context"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

// EncryptionKey is a data key as the API shows one: never its bytes.
type EncryptionKey struct {
	ID        string           `json:"id"`
	State     string           `json:"state" enum:"active,retiring,closed" doc:"active: it seals; retiring: what is sealed under it is being moved to the active one, and then it is removed; closed: it does not open with the master key at hand"`
	CreatedAt time.Time        `json:"created_at"`
	Rows      int64            `json:"rows" doc:"Sealed under it at this moment"`
	ByTable   map[string]int64 `json:"by_table"`
}

// EncryptionKeys are all of them, the oldest first, with the progress of a rotation.
type EncryptionKeys struct {
	Data     []EncryptionKey `json:"data"`
	Rotating bool            `json:"rotating" doc:"Something is still sealed under an older key, or an older key is still there"`
	Left     int64           `json:"rows_left" doc:"To be sealed anew"`
	Rows     int64           `json:"rows" doc:"Sealed, all together"`
}

type encryptionKeys struct{ Body EncryptionKeys }

func (a *api) listEncryptionKeys(ctx context.Context, _ *struct{}) (*encryptionKeys, error) {
	keys, err := a.Store.DataKeys(ctx)
	if err != nil {
		return nil, err
	}
	counts, err := a.Store.SealedCounts(ctx)
	if err != nil {
		return nil, err
	}
	var vault *storage.Vault
	if len(keys) > 0 {
		vault, _ = a.Vault.Current(ctx) // what does not open is shown as closed
	}
	out := &encryptionKeys{EncryptionKeys{Data: []EncryptionKey{}, Rotating: len(keys) > 1}}
	for i, k := range keys {
		shown := EncryptionKey{ID: k.ID, State: "retiring", CreatedAt: k.CreatedAt, ByTable: map[string]int64{}}
		if i == len(keys)-1 {
			shown.State = "active"
		}
		if vault == nil || vault.Closed(k.ID) != nil {
			shown.State = "closed"
		}
		for _, c := range counts {
			if c.DataKeyID == k.ID {
				shown.ByTable[c.Table] = c.Rows
				shown.Rows += c.Rows
			}
		}
		out.Body.Rows += shown.Rows
		if i < len(keys)-1 {
			out.Body.Left += shown.Rows
		}
		out.Body.Data = append(out.Body.Data, shown)
	}
	return out, nil
}

// rotateEncryptionKeys makes a data key that seals from now on. Every node's Sealer moves what older
// ones have sealed.
func (a *api) rotateEncryptionKeys(ctx context.Context, _ *struct{}) (*encryptionKeys, error) {
	vault, err := a.Vault.Current(ctx)
	if err != nil {
		return nil, err
	}
	keys, err := a.Store.DataKeys(ctx)
	if err != nil {
		return nil, err
	}
	at := a.Now()
	for _, k := range keys { // the newest seals, whatever the clocks of the nodes that made them say
		if !at.After(k.CreatedAt) {
			at = k.CreatedAt.Add(time.Millisecond)
		}
	}
	key, err := vault.NewDataKey(ctx, at)
	if err != nil {
		return nil, err
	}
	shown := map[string]any{"id": key.ID, "created_at": key.CreatedAt}
	c := change{action: policy.EncryptionRotate, target: "encryption_key/" + key.ID, after: shown}
	if err := a.apply(ctx, &c, func(ctx context.Context) error { return a.Store.AddDataKey(ctx, key) }); err != nil {
		return nil, err
	}
	return a.listEncryptionKeys(ctx, nil)
}

// rewrapEncryptionKeys has all data keys wrapped by the master key of now, in its newest version.
func (a *api) rewrapEncryptionKeys(ctx context.Context, _ *struct{}) (*encryptionKeys, error) {
	if a.Sealer.Wrapper == nil {
		_, err := a.Vault.Current(ctx)
		return nil, err
	}
	n, err := a.Sealer.Rewrap(ctx)
	if err != nil {
		return nil, err
	}
	c := change{action: policy.EncryptionRotate, target: "encryption_key/*", after: map[string]int{"rewrapped": n}}
	if err := a.apply(ctx, &c, func(context.Context) error { return nil }); err != nil {
		return nil, err
	}
	return a.listEncryptionKeys(ctx, nil)
}

// Health is how the parts of the gateway do.
type Health struct {
	OK         bool         `json:"ok" doc:"Every part is, and all that is sealed can be opened"`
	Ready      bool         `json:"ready" doc:"The node that was asked takes traffic"`
	Parts      []Part       `json:"parts" doc:"Of the node that was asked; none where no gateway runs"`
	Unopenable []Unopenable `json:"unopenable" doc:"What is sealed and cannot be opened"`
}

func (a *api) health(ctx context.Context, _ *struct{}) (*struct{ Body Health }, error) {
	closed, err := a.Sealer.Unopenable(ctx)
	if err != nil {
		return nil, err
	}
	parts := []Part{}
	if a.Parts != nil {
		parts = append(parts, a.Parts()...)
	}
	return &struct{ Body Health }{Health{
		OK: len(closed) == 0 && Sound(parts), Ready: a.Parts != nil && Serving(parts), Parts: parts, Unopenable: closed,
	}}, nil
}

// sealedStore has what is sealed sealed anew.
type sealedStore interface {
	SealedRows(ctx context.Context, t storage.SealedTable, q storage.SealedQuery) ([]storage.SealedRow, error)
	SealedCounts(ctx context.Context) ([]storage.SealedCount, error)
	Reseal(ctx context.Context, t storage.SealedTable, rows []storage.Resealed) (int64, error)
	dataKeyStore
}

// dataKeyStore keeps data keys, wrapped.
type dataKeyStore interface {
	DataKeys(ctx context.Context) ([]storage.DataKey, error)
	AddDataKey(ctx context.Context, k storage.DataKey) error
	RewrapDataKey(ctx context.Context, k storage.DataKey, old []byte) error
	RemoveDataKey(ctx context.Context, id string) error
}

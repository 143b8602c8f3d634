package storagetest

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// SealedStore has what is sealed sealed anew.
type SealedStore interface {
	SealedRows(ctx context.Context, t storage.SealedTable, q storage.SealedQuery) ([]storage.SealedRow, error)
	SealedCounts(ctx context.Context) ([]storage.SealedCount, error)
	Reseal(ctx context.Context, t storage.SealedTable, rows []storage.Resealed) (int64, error)
	RewrapDataKey(ctx context.Context, k storage.DataKey, old []byte) error
	RemoveDataKey(ctx context.Context, id string) error
}

// Seals tests a SealedStore. open gives an empty one.
func Seals(t *testing.T, open func(t *testing.T) NounStore) {
	t.Run("sealed anew", func(t *testing.T) { sealedAnew(t, open(t)) })
	t.Run("data keys", func(t *testing.T) { dataKeysChange(t, open(t)) })
}

// sealSome puts two rows into every table that has something sealed.
func sealSome(t *testing.T, s NounStore, v *storage.Vault) {
	t.Helper()
	for _, name := range []string{"a", "b"} {
		do(t, s.AddCredential(t.Context(), credential(t, v, name)))
		d := document(prompts(), "team", name)
		var err error
		d.Sealed, err = v.Seal(storage.NewSecret(canary), d.Binding())
		do(t, err)
		do(t, s.AddDocument(t.Context(), d))
		do(t, s.AddDocument(t.Context(), document(sessions(), "", name))) // nothing is sealed in it
		ends := start().Add(time.Hour)
		turn, err := storage.Turn{ID: name, Workspace: "team", CreatedAt: start(), ExpiresAt: &ends, Content: []byte(canary)}.Seal(v)
		do(t, err)
		do(t, s.PutTurns(t.Context(), turn))
		payload, err := storage.Payload{ID: name, Workspace: "team", User: "ada", EndUser: "u1", CreatedAt: start(), ExpiresAt: ends, Content: []byte(canary)}.Seal(v)
		do(t, err)
		do(t, s.AddPayloads(t.Context(), payload))
	}
}

// opens opens every row of every table, page by page, and says how many there were.
func opens(t *testing.T, s SealedStore, v *storage.Vault) (n int) {
	t.Helper()
	for _, table := range storage.SealedTables() {
		for q := (storage.SealedQuery{Limit: 1}); ; n++ {
			rows, err := s.SealedRows(t.Context(), table, q)
			do(t, err)
			if len(rows) == 0 {
				break
			}
			secret, err := v.Open(rows[0].Sealed, table.Bind(rows[0].Values))
			do(t, err)
			if secret.Reveal() != canary {
				t.Fatalf("%s %q: another secret", table.Name, rows[0].Values)
			}
			q.After = &rows[0]
		}
	}
	return n
}

func sealedAnew(t *testing.T, s NounStore) {
	v := vaultOf(t, s)
	sealSome(t, s, v)
	keys, err := s.DataKeys(t.Context())
	do(t, err)
	old := keys[0]
	tables := storage.SealedTables()
	if n := opens(t, s, v); n != 2*len(tables) {
		t.Fatalf("%d rows, want two of each of %d tables", n, len(tables))
	}
	young, err := v.NewDataKey(t.Context(), start().Add(time.Hour))
	do(t, err)
	do(t, s.AddDataKey(t.Context(), young))
	do(t, v.Load(t.Context(), []storage.DataKey{old, young}))
	for i, table := range tables {
		rows, err := s.SealedRows(t.Context(), table, storage.SealedQuery{Under: old.ID, Limit: 10})
		do(t, err)
		var anew []storage.Resealed
		for _, row := range rows {
			secret, err := v.Open(row.Sealed, table.Bind(row.Values))
			do(t, err)
			sealed, err := v.Seal(secret, table.Bind(row.Values))
			do(t, err)
			anew = append(anew, storage.Resealed{SealedRow: row, New: sealed})
		}
		wants(t, s.RemoveDataKey(t.Context(), old.ID), storage.ErrInUse)
		counts := func(under string, n int64) {
			t.Helper()
			all, err := s.SealedCounts(t.Context())
			do(t, err)
			want, got := storage.SealedCount{Table: table.Name, DataKeyID: under, Rows: n}, []storage.SealedCount(nil)
			for _, c := range all {
				if c.Table == table.Name {
					got = append(got, c)
				}
			}
			if !reflect.DeepEqual(got, []storage.SealedCount{want}) {
				t.Fatalf("got %+v, want %+v", got, want)
			}
		}
		counts(old.ID, 2)
		for _, want := range []int64{2, 0} { // the second time the rows are not any more what was read
			n, err := s.Reseal(t.Context(), table, anew)
			do(t, err)
			if n != want {
				t.Fatalf("%s: %d rows sealed anew, want %d", table.Name, n, want)
			}
		}
		counts(young.ID, 2)
		if i < len(tables)-1 {
			wants(t, s.RemoveDataKey(t.Context(), old.ID), storage.ErrInUse)
		}
	}
	do(t, s.RemoveDataKey(t.Context(), old.ID))
	wants(t, s.RemoveDataKey(t.Context(), old.ID), storage.ErrNotFound)
	do(t, v.Load(t.Context(), []storage.DataKey{young}))
	if n := opens(t, s, v); n != 2*len(tables) {
		t.Fatalf("%d rows are left", n)
	}
}

func dataKeysChange(t *testing.T, s NounStore) {
	vaultOf(t, s)
	keys, err := s.DataKeys(t.Context())
	do(t, err)
	k := keys[0]
	old := k.Wrapped
	k.Wrapped = []byte("wrapped otherwise")
	before := seen(t, s)
	do(t, s.RewrapDataKey(t.Context(), k, old))
	if seen(t, s) == before {
		t.Fatal("nobody is told that a data key is wrapped otherwise")
	}
	wants(t, s.RewrapDataKey(t.Context(), k, old), storage.ErrChanged)
	if keys, err = s.DataKeys(t.Context()); err != nil || !reflect.DeepEqual(keys, []storage.DataKey{k}) {
		t.Fatalf("got %+v, error %v", keys, err)
	}
	wants(t, s.RemoveDataKey(t.Context(), "dk-unheard-of"), storage.ErrNotFound)
}

package admin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// turnKeeper keeps turns, as the data plane does.
type turnKeeper interface {
	PutTurns(ctx context.Context, turns ...storage.SealedTurn) error
	FindTurns(ctx context.Context, workspace string, ids ...string) ([]storage.SealedTurn, error)
}

// sealed has something sealed in every table, and more than a batch of turns.
func (a *testAPI) seal() {
	a.t.Helper()
	a.wants(201, a.root, "POST", "/credentials", `{"name":"openai","secret":"`+canary+`"}`, "Idempotency-Key", "sealed")
	_, err := a.auditor.checkpoint(a.t.Context()) // makes the key that signs
	do(a.t, err)
	ends := a.clock.Add(time.Hour)
	for i := range sealBatch + 5 {
		turn, err := storage.Turn{ID: fmt.Sprintf("resp_%03d", i), Workspace: "default", CreatedAt: a.clock, ExpiresAt: &ends, Content: []byte(canary)}.Seal(a.vault.Vault)
		do(a.t, err)
		do(a.t, a.store.(turnKeeper).PutTurns(a.t.Context(), turn))
	}
}

// reads fails where anything that was sealed does not open any more.
func (a *testAPI) reads() {
	a.t.Helper()
	if got := a.opens("default", "openai"); got != canary {
		a.t.Error("the credential is another one")
	}
	again := a.wants(201, a.root, "POST", "/credentials", `{"name":"openai","secret":"`+canary+`"}`, "Idempotency-Key", "sealed")
	if again.header.Get("idempotency-replayed") != "true" {
		a.t.Error("the kept answer is gone")
	}
	turns, err := a.store.(turnKeeper).FindTurns(a.t.Context(), "default", "resp_000", "resp_104")
	do(a.t, err)
	for _, sealed := range turns {
		if turn, err := sealed.Open(a.vault.Vault); err != nil || string(turn.Content) != canary {
			a.t.Errorf("turn %s: error %v", sealed.ID, err)
		}
	}
	a.clock = a.clock.Add(time.Second)
	do(a.t, a.store.Audit(a.t.Context(), storage.AuditEvent{ID: fmt.Sprint(a.clock.UnixNano()), At: a.clock, Actor: "x", Action: "test", Outcome: storage.AuditDone}))
	if _, err := a.auditor.checkpoint(a.t.Context()); err != nil {
		a.t.Errorf("the key that signs checkpoints: %v", err)
	}
}

// Everything is sealed anew, and the old data key is of no use afterwards.
func TestRotation(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		a.seal()
		keys, err := a.store.DataKeys(t.Context())
		do(t, err)
		old := keys[0]
		started := a.wants(200, a.root, "POST", "/encryption-keys/rotate", "")
		if started.field(t, "rotating") != true || started.field(t, "rows_left").(float64) < sealBatch+5+3 {
			t.Fatalf("it begins with %s", started.body)
		}
		// Killed in the midst, and two nodes at once after that.
		ctx, cancel := context.WithCancel(t.Context())
		dying := NewSealer(SealerOptions{Store: &dyingStore{a.store, cancel}, Vault: a.vault, Wrapper: a.vault.master, Log: a.sealer.Log, Now: a.sealer.Now})
		if err := dying.turn(ctx); err == nil {
			t.Fatal("it was not cut short")
		}
		left := a.wants(200, a.root, "GET", "/encryption-keys", "").field(t, "rows_left").(float64)
		if all := started.field(t, "rows_left").(float64); left == 0 || left >= all {
			t.Fatalf("%v of %v rows are left where it was cut short", left, all)
		}
		a.reads()
		other := NewSealer(a.sealer.SealerOptions)
		done := make(chan error)
		go func() { done <- other.turn(t.Context()) }()
		do(t, errors.Join(a.sealer.turn(t.Context()), <-done))
		if got := a.wants(200, a.root, "GET", "/encryption-keys", ""); got.field(t, "rows_left") != 0.0 || got.field(t, "rotating") != true {
			t.Fatalf("after both: %s", got.body)
		}
		a.clock = a.clock.Add(sealStays)
		do(t, a.sealer.turn(t.Context()))
		do(t, other.turn(t.Context()))
		if got := a.wants(200, a.root, "GET", "/encryption-keys", ""); got.field(t, "rotating") != false || strings.Contains(got.body, old.ID) {
			t.Fatalf("at the end: %s", got.body)
		}
		a.reads()
		a.useless(old)
		if got := a.wants(200, a.root, "GET", "/health", ""); got.field(t, "ok") != true {
			t.Errorf("health: %s", got.body)
		}
	})
}

// useless fails where something still opens under a data key.
func (a *testAPI) useless(k storage.DataKey) {
	a.t.Helper()
	old := storage.NewVault(a.vault.master)
	do(a.t, old.Load(a.t.Context(), []storage.DataKey{k}))
	n := 0
	for _, table := range storage.SealedTables() {
		do(a.t, a.sealer.each(a.t.Context(), table, "", func(rows []storage.SealedRow) error {
			for _, row := range rows {
				n++
				if _, err := old.Open(row.Sealed, table.Bind(row.Values)); err == nil {
					a.t.Errorf("%s %q opens under the old data key", table.Name, row.Values)
				}
				row.DataKeyID = k.ID
				if _, err := old.Open(row.Sealed, table.Bind(row.Values)); err == nil {
					a.t.Errorf("%s %q opens under the old data key's bytes", table.Name, row.Values)
				}
			}
			return nil
		}))
	}
	if n < sealBatch+5+3 {
		a.t.Errorf("only %d rows are sealed", n)
	}
}

// dyingStore ends its caller after the second batch.
type dyingStore struct {
	testStore
	die func()
}

func (s *dyingStore) Reseal(ctx context.Context, t storage.SealedTable, rows []storage.Resealed) (int64, error) {
	n, err := s.testStore.Reseal(ctx, t, rows)
	if t.Name == "documents" {
		s.die()
	}
	return n, err
}

// The master key is replaced by giving both; the old one opens nothing afterwards.
func TestMasterKeyRotation(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		a.seal()
		fresh, err := storage.ParseMasterKey(storage.NewMasterKey())
		do(t, err)
		both := storage.Succession{New: fresh, Old: a.vault.master}
		a.sealer.Wrapper = both
		if n, err := a.sealer.Rewrap(t.Context()); n != 1 || err != nil {
			t.Fatalf("%d data keys, error %v", n, err)
		}
		if n, err := a.sealer.Rewrap(t.Context()); n != 0 || err != nil {
			t.Fatalf("the second time %d data keys, error %v", n, err)
		}
		a.reads() // a node that has not heard of the new one goes on with what it has open
		keys, err := a.store.DataKeys(t.Context())
		do(t, err)
		if err := storage.NewVault(a.vault.master).Load(t.Context(), keys); !errors.Is(err, storage.ErrWrongMasterKey) {
			t.Fatalf("error %v with the old master key", err)
		}
		a.vault.Vault = storage.NewVault(fresh)
		do(t, a.vault.Load(t.Context(), keys))
		if got := a.opens("default", "openai"); got != canary {
			t.Error("the credential is another one")
		}
		a.sealer.Wrapper = a.vault.master // somebody who has only the old one
		if _, err := a.sealer.Rewrap(t.Context()); !errors.Is(err, storage.ErrWrongMasterKey) {
			t.Fatalf("error %v", err)
		}
		a.wants(200, a.root, "POST", "/encryption-keys/rotate", "")
		_, err = a.auditor.chain(t.Context())
		do(t, err)
		if log := a.wants(200, a.root, "GET", "/audit?action=encryption_keys.*", "").body; !strings.Contains(log, "encryption_key/dk-") {
			t.Errorf("the audit log has %s", log)
		}
	})
}

// What cannot be opened shows, without what it is.
func TestUnopenable(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		a.seal()
		table := storage.SealedTables()[0]
		rows, err := a.store.SealedRows(t.Context(), table, storage.SealedQuery{Limit: 1})
		do(t, err)
		broken := rows[0].Sealed
		broken.Blob = append([]byte{}, broken.Blob...)
		broken.Blob[len(broken.Blob)-1] ^= 1
		_, err = a.store.Reseal(t.Context(), table, []storage.Resealed{{SealedRow: rows[0], New: broken}})
		do(t, err)
		do(t, a.sealer.turn(t.Context()))
		got := a.wants(200, a.root, "GET", "/health", "")
		if got.field(t, "ok") != false || !strings.Contains(got.body, `"table":"credentials","rows":1`) {
			t.Errorf("health: %s", got.body)
		}
		// A rotation moves the others, and the old key stays for the row.
		a.wants(200, a.root, "POST", "/encryption-keys/rotate", "")
		for range 2 {
			a.clock = a.clock.Add(sealStays)
			do(t, a.sealer.turn(t.Context()))
		}
		if got := a.wants(200, a.root, "GET", "/encryption-keys", ""); got.field(t, "rows_left") != 1.0 {
			t.Errorf("left: %s", got.body)
		}
	})
}

package storagetest

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// TurnStore keeps turns of conversations, sealed.
type TurnStore interface {
	turnKeeper
	ExpireTurns(ctx context.Context, before time.Time) (int64, error)
	AddDataKey(ctx context.Context, k storage.DataKey) error
	versioned
}

// turnKeeper is what a gateway asks.
type turnKeeper interface {
	PutTurns(ctx context.Context, turns ...storage.SealedTurn) error
	FindTurns(ctx context.Context, workspace string, ids ...string) ([]storage.SealedTurn, error)
	TurnChain(ctx context.Context, workspace, id string, most int) ([]storage.SealedTurn, error)
	TurnsWithin(ctx context.Context, q storage.TurnQuery) ([]storage.SealedTurn, error)
	RemoveTurn(ctx context.Context, workspace, id string) error
}

// Turns tests a TurnStore. open gives an empty one.
func Turns(t *testing.T, open func(t *testing.T) TurnStore) {
	f := func(name string, test func(*testing.T, TurnStore)) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			s := open(t)
			do(t, s.AddDataKey(t.Context(), storage.DataKey{ID: "dk-1", Wrapped: []byte{1}, CreatedAt: start()}))
			test(t, s)
		})
	}
	f("as they were", turnsAsTheyWere)
	f("put again", turnsPutAgain)
	f("all or none", turnsAllOrNone)
	f("of another workspace", turnsOfAnother)
	f("chained", turnsChained)
	f("of a conversation", turnsWithin)
	f("removed", turnsRemoved)
	f("expired", turnsExpired)
	f("no nouns", turnsNoNouns)
}

// turn is one that ends so many seconds after the start.
func turn(id, previous string, seconds int) storage.SealedTurn {
	until := start().Add(time.Duration(seconds) * time.Second)
	return storage.SealedTurn{
		Turn:   storage.Turn{ID: id, Workspace: "a", Previous: previous, CreatedAt: start(), ExpiresAt: &until},
		Sealed: storage.Sealed{DataKeyID: "dk-1", Blob: []byte("sealed " + id)},
	}
}

// said is an item of a conversation, added so many seconds after the start.
func said(id, within string, seconds, place int) storage.SealedTurn {
	t := turn(id, "", 0)
	t.Within, t.Place, t.ExpiresAt, t.CreatedAt = within, place, nil, start().Add(time.Duration(seconds)*time.Second)
	return t
}

func wantTurns(t *testing.T, got []storage.SealedTurn, err error, want ...storage.SealedTurn) {
	t.Helper()
	do(t, err)
	if len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
		t.Fatalf("got  %+v\nwant %+v", got, want)
	}
}

func turnIDs(t *testing.T, got []storage.SealedTurn, err error) string {
	t.Helper()
	do(t, err)
	var ids []string
	for i := range got {
		ids = append(ids, got[i].ID)
	}
	return strings.Join(ids, " ")
}

func turnsAsTheyWere(t *testing.T, s TurnStore) {
	found, err := s.FindTurns(t.Context(), "a", "resp_1")
	wantTurns(t, found, err)
	full, item := turn("resp_Ärger 'x'", "resp_0", 60), said("msg_1", "conv_1", 1, 2147483647)
	full.Blob = []byte{0, 1, 0xff, 0}
	do(t, s.PutTurns(t.Context(), full, item))
	found, err = s.FindTurns(t.Context(), "a", full.ID, "resp_0")
	wantTurns(t, found, err, full)
	found, err = s.FindTurns(t.Context(), "a", "msg_1")
	wantTurns(t, found, err, item)
	for _, bad := range []storage.SealedTurn{{}, func() storage.SealedTurn { b := full; b.Blob = nil; return b }(), func() storage.SealedTurn { b := full; b.Within = "conv_1"; return b }()} {
		if err := s.PutTurns(t.Context(), bad); err == nil {
			t.Errorf("kept %+v", bad)
		}
	}
	missing := turn("resp_2", "", 60)
	missing.DataKeyID = "dk-2"
	wants(t, s.PutTurns(t.Context(), missing), storage.ErrNotFound)
}

func turnsPutAgain(t *testing.T, s TurnStore) {
	do(t, s.PutTurns(t.Context(), turn("conv_1", "", 60)))
	later := turn("conv_1", "", 120)
	later.Blob = []byte("other")
	do(t, s.PutTurns(t.Context(), later))
	found, err := s.FindTurns(t.Context(), "a", "conv_1")
	wantTurns(t, found, err, later)
}

func turnsAllOrNone(t *testing.T, s TurnStore) {
	theirs := turn("resp_2", "", 60)
	theirs.Workspace = "b"
	do(t, s.PutTurns(t.Context(), theirs))
	wants(t, s.PutTurns(t.Context(), turn("resp_1", "", 60), turn("resp_2", "", 60)), storage.ErrNotYours)
	found, err := s.FindTurns(t.Context(), "a", "resp_1", "resp_2")
	wantTurns(t, found, err)
}

func turnsOfAnother(t *testing.T, s TurnStore) {
	root, own, theirs := turn("resp_1", "", 60), turn("resp_2", "resp_1", 60), said("msg_1", "conv_1", 0, 0)
	root.Workspace, theirs.Workspace = "b", "b"
	do(t, s.PutTurns(t.Context(), root, own, theirs))
	found, err := s.TurnChain(t.Context(), "a", "resp_2", 0)
	wantTurns(t, found, err, own)
	found, err = s.TurnChain(t.Context(), "a", "resp_1", 0)
	wantTurns(t, found, err)
	found, err = s.TurnsWithin(t.Context(), storage.TurnQuery{Workspace: "a", Within: "conv_1", Limit: 9})
	wantTurns(t, found, err)
	do(t, s.RemoveTurn(t.Context(), "a", "resp_1"))
	found, err = s.FindTurns(t.Context(), "b", "resp_1")
	wantTurns(t, found, err, root)
}

func turnsChained(t *testing.T, s TurnStore) {
	const n = 50
	before := ""
	for i := range n {
		id := fmt.Sprintf("resp_%d", i)
		do(t, s.PutTurns(t.Context(), turn(id, before, 60)))
		before = id
	}
	do(t, s.PutTurns(t.Context(), turn("resp_side", "resp_7", 60), turn("resp_loop", "resp_pool", 60), turn("resp_pool", "resp_loop", 60)))
	found, err := s.TurnChain(t.Context(), "a", before, 0)
	do(t, err)
	for i := range found {
		if found[i].ID != fmt.Sprintf("resp_%d", i) || len(found) != n {
			t.Fatalf("at %d of %d: %s", i, len(found), found[i].ID)
		}
	}
	found, err = s.TurnChain(t.Context(), "a", "resp_side", 0)
	if ids := turnIDs(t, found, err); !strings.HasPrefix(ids, "resp_0 resp_1 ") || !strings.HasSuffix(ids, " resp_6 resp_7 resp_side") {
		t.Errorf("a branch has %s", ids)
	}
	found, err = s.TurnChain(t.Context(), "a", "resp_loop", 0)
	if do(t, err); len(found) > storage.MaxTurns {
		t.Errorf("a loop has %d turns", len(found))
	}
	weight := len(turn("resp_0", "", 0).Blob) + len(turn("resp_1", "", 0).Blob)
	found, err = s.TurnChain(t.Context(), "a", "resp_1", weight)
	if ids := turnIDs(t, found, err); ids != "resp_0 resp_1" {
		t.Errorf("up to its weight: %s", ids)
	}
	_, err = s.TurnChain(t.Context(), "a", "resp_1", weight-1)
	wants(t, err, storage.ErrTooMuch)
}

func turnsWithin(t *testing.T, s TurnStore) {
	var all []storage.SealedTurn
	for i := range 12 {
		all = append(all, said(fmt.Sprintf("msg_%d", 12-i), "conv_1", i/5, i%5))
	}
	do(t, s.PutTurns(t.Context(), slices.Concat([]storage.SealedTurn{turn("conv_1", "", 60), said("msg_x", "conv_2", 0, 0)}, all)...))
	found, err := s.TurnsWithin(t.Context(), storage.TurnQuery{Workspace: "a", Within: "conv_1", Limit: 99})
	wantTurns(t, found, err, all...)
	for _, newest := range []bool{false, true} {
		if newest {
			slices.Reverse(all)
		}
		q := storage.TurnQuery{Workspace: "a", Within: "conv_1", Newest: newest, Limit: 5}
		for at := 0; at < len(all); at += 5 {
			found, err := s.TurnsWithin(t.Context(), q)
			wantTurns(t, found, err, all[at:min(at+5, len(all))]...)
			q.After = &found[len(found)-1].Turn
		}
	}
	_, err = s.TurnsWithin(t.Context(), storage.TurnQuery{Workspace: "a", Within: "conv_1", Limit: 99, Most: 20})
	wants(t, err, storage.ErrTooMuch)
}

func turnsRemoved(t *testing.T, s TurnStore) {
	do(t, s.PutTurns(t.Context(), turn("conv_1", "", 60), said("msg_1", "conv_1", 0, 0), said("msg_2", "conv_1", 0, 1), turn("resp_1", "", 60), turn("resp_2", "resp_1", 60)))
	do(t, s.RemoveTurn(t.Context(), "a", "msg_1"))
	found, err := s.FindTurns(t.Context(), "a", "msg_1", "msg_2")
	if ids := turnIDs(t, found, err); ids != "msg_2" {
		t.Errorf("left: %s", ids)
	}
	do(t, s.RemoveTurn(t.Context(), "a", "conv_1"))
	do(t, s.RemoveTurn(t.Context(), "a", "conv_1")) // nothing is no error
	do(t, s.RemoveTurn(t.Context(), "a", "resp_1"))
	found, err = s.FindTurns(t.Context(), "a", "conv_1", "msg_2", "resp_1")
	wantTurns(t, found, err)
	found, err = s.TurnChain(t.Context(), "a", "resp_2", 0)
	wantTurns(t, found, err, turn("resp_2", "resp_1", 60))
}

// A turn that has expired is gone, but for one that a later turn stands on. What a conversation
// holds goes with it.
func turnsExpired(t *testing.T, s TurnStore) {
	do(t, s.PutTurns(t.Context(),
		turn("resp_1", "", 10), turn("resp_2", "resp_1", 20), turn("resp_3", "resp_2", 90), // the last still lives
		turn("resp_4", "", 10), turn("resp_5", "resp_4", 20), // all have ended
		turn("resp_6", "", 60), // at that moment
		turn("conv_1", "", 10), said("msg_1", "conv_1", 0, 0), turn("conv_2", "", 90), said("msg_2", "conv_2", 0, 0)))
	n, err := s.ExpireTurns(t.Context(), start().Add(time.Minute))
	do(t, err)
	found, err := s.FindTurns(t.Context(), "a", "resp_1", "resp_2", "resp_3", "resp_4", "resp_5", "resp_6", "conv_1", "msg_1", "conv_2", "msg_2")
	ids := strings.Fields(turnIDs(t, found, err))
	slices.Sort(ids)
	if want := []string{"conv_2", "msg_2", "resp_1", "resp_2", "resp_3", "resp_6"}; n != 4 || !slices.Equal(ids, want) {
		t.Fatalf("%d have expired; left: %v", n, ids)
	}
	n, err = s.ExpireTurns(t.Context(), start().Add(100*time.Second))
	if do(t, err); n != 6 {
		t.Fatalf("%d have expired", n)
	}
}

// What requests leave behind must not have every gateway read its keys anew.
func turnsNoNouns(t *testing.T, s TurnStore) {
	before := seen(t, s)
	do(t, s.PutTurns(t.Context(), turn("resp_1", "", 60)))
	do(t, s.RemoveTurn(t.Context(), "a", "resp_1"))
	if after := seen(t, s); after != before {
		t.Fatalf("the version went from %d to %d", before, after)
	}
}

package storagetest

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// ObjectStore keeps whose objects are that providers keep.
type ObjectStore interface {
	owners
	ExpireObjects(ctx context.Context, before time.Time) (int64, error)
	versioned
}

// owners is what a gateway asks.
type owners interface {
	FindObjects(ctx context.Context, id string) ([]storage.Object, error)
	ClaimObjects(ctx context.Context, objects ...storage.Object) error
	ReleaseObject(ctx context.Context, o storage.Object) error
	ListObjects(ctx context.Context, q storage.ObjectQuery) ([]storage.Object, error)
	SettleObject(ctx context.Context, o storage.Object) (bool, error)
}

// Objects tests an ObjectStore. open gives an empty one.
func Objects(t *testing.T, open func(t *testing.T) ObjectStore) {
	f := func(name string, test func(*testing.T, ObjectStore)) {
		t.Helper()
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
	f("as they were", objectsAsTheyWere)
	f("of two accounts", objectsOfTwoAccounts)
	f("of another workspace", objectsOfAnother)
	f("claimed again", objectsClaimedAgain)
	f("all or none", objectsAllOrNone)
	f("released with their parent", objectsReleased)
	f("listed", objectsListed)
	f("owed", objectsOwed)
	f("expired", objectsExpired)
	f("claimed at once", objectsAtOnce)
	f("no nouns", objectsNoNouns)
}

func object(id string, seconds int) storage.Object {
	return storage.Object{
		Provider: "openai", Credential: "main", ID: id, Kind: providers.ObjectFile, Workspace: "a", Project: "p",
		CreatedAt: start().Add(time.Duration(seconds) * time.Second),
	}
}

func wantFound(t *testing.T, s ObjectStore, id string, want ...storage.Object) {
	t.Helper()
	got, err := s.FindObjects(t.Context(), id)
	do(t, err)
	sameObjects(t, got, want)
}

func sameObjects(t *testing.T, got, want []storage.Object) {
	t.Helper()
	if len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
		t.Fatalf("got  %+v\nwant %+v", got, want)
	}
}

func objectsAsTheyWere(t *testing.T, s ObjectStore) {
	wantFound(t, s, "file-1")
	until := start().AddDate(0, 0, 30)
	full := storage.Object{
		Provider: "mock/gpt", Credential: "Ärger 'x'", ID: `files/a"b`, Kind: providers.ObjectBatch, Workspace: "a", Project: "p",
		Key: "abcdefgh", KeyName: "ci", User: "ann@example.org", Parent: "vs_1", Bytes: 1<<63 - 1,
		CreatedAt: start(), ExpiresAt: &until, Owed: true,
	}
	bare := storage.Object{Provider: "openai", ID: "file-1", Kind: providers.ObjectFile, Workspace: "a", CreatedAt: start()}
	do(t, s.ClaimObjects(t.Context(), full, bare))
	wantFound(t, s, full.ID, full)
	wantFound(t, s, "file-1", bare)
	wantFound(t, s, "FILE-1")
	do(t, s.ClaimObjects(t.Context()))
}

// Two accounts may give one id twice, each to a tenant of its own.
func objectsOfTwoAccounts(t *testing.T, s ObjectStore) {
	one, two, three := object("file-1", 0), object("file-1", 1), object("file-1", 2)
	two.Credential, two.Workspace = "other", "b"
	three.Provider, three.Workspace = "azure", "c"
	do(t, s.ClaimObjects(t.Context(), one, two, three))
	wantFound(t, s, "file-1", three, one, two)
	do(t, s.ReleaseObject(t.Context(), two))
	wantFound(t, s, "file-1", three, one)
}

func objectsOfAnother(t *testing.T, s ObjectStore) {
	mine, theirs := object("file-1", 0), object("file-1", 1)
	theirs.Workspace = "b"
	do(t, s.ClaimObjects(t.Context(), mine))
	wants(t, s.ClaimObjects(t.Context(), object("file-2", 0), theirs), storage.ErrNotYours)
	wantFound(t, s, "file-1", mine)
	wantFound(t, s, "file-2")
}

func objectsClaimedAgain(t *testing.T, s ObjectStore) {
	first := object("batch_1", 0)
	first.Owed, first.Key = true, "firstkey"
	do(t, s.ClaimObjects(t.Context(), first))
	until := start().AddDate(0, 0, 1)
	again := object("batch_1", 60)
	again.Bytes, again.ExpiresAt, again.Key = 7, &until, "otherkey"
	do(t, s.ClaimObjects(t.Context(), again))
	first.Bytes, first.ExpiresAt = 7, &until
	wantFound(t, s, "batch_1", first)
	do(t, s.ClaimObjects(t.Context(), object("batch_1", 90)))
	wantFound(t, s, "batch_1", first)
}

func objectsAllOrNone(t *testing.T, s ObjectStore) {
	bad := object("", 0)
	if err := s.ClaimObjects(t.Context(), object("file-1", 0), bad); err == nil {
		t.Fatal("an object without an id was claimed")
	}
	wantFound(t, s, "file-1")
}

func objectsReleased(t *testing.T, s ObjectStore) {
	parent, child, stranger, elsewhere := object("vs_1", 0), object("vsfb_1", 1), object("vsfb_2", 2), object("vsfb_3", 3)
	child.Parent, stranger.Parent, elsewhere.Parent = "vs_1", "vs_2", "vs_1"
	elsewhere.Credential = "other"
	do(t, s.ClaimObjects(t.Context(), parent, child, stranger, elsewhere))
	do(t, s.ReleaseObject(t.Context(), parent))
	wantFound(t, s, "vs_1")
	wantFound(t, s, "vsfb_1")
	wantFound(t, s, "vsfb_2", stranger)
	wantFound(t, s, "vsfb_3", elsewhere)
	do(t, s.ReleaseObject(t.Context(), parent)) // nobody's already
}

func objectsListed(t *testing.T, s ObjectStore) {
	var mine []storage.Object
	for i := range 5 {
		mine = append(mine, object(fmt.Sprintf("file-%d", 9-i), i/2)) // times that are equal too
	}
	other, foreign := object("batch_1", 0), object("file-0", 0)
	other.Kind, foreign.Workspace = providers.ObjectBatch, "b"
	do(t, s.ClaimObjects(t.Context(), append(mine[:5:5], other, foreign)...))
	oldest := []storage.Object{mine[1], mine[0], mine[3], mine[2], mine[4]}
	list := func(q storage.ObjectQuery) []storage.Object {
		q.Workspace, q.Kind = "a", providers.ObjectFile
		got, err := s.ListObjects(t.Context(), q)
		do(t, err)
		return got
	}
	sameObjects(t, list(storage.ObjectQuery{Oldest: true, Limit: 10}), oldest)
	sameObjects(t, list(storage.ObjectQuery{Limit: 2}), []storage.Object{oldest[4], oldest[3]})
	sameObjects(t, list(storage.ObjectQuery{Providers: []string{"else", mine[0].Provider}, Limit: 1}), []storage.Object{oldest[4]})
	for _, of := range [][]string{{"else"}, {}} {
		sameObjects(t, list(storage.ObjectQuery{Providers: of, Limit: 10}), nil)
	}
	for i := range oldest {
		sameObjects(t, list(storage.ObjectQuery{Oldest: true, After: &oldest[i], Limit: 2}), oldest[i+1:min(i+3, 5)])
		behind := list(storage.ObjectQuery{After: &oldest[i], Limit: 10})
		if len(behind) != i {
			t.Fatalf("behind %d: %+v", i, behind)
		}
	}
}

func objectsOwed(t *testing.T, s ObjectStore) {
	var all []storage.Object
	for i := range 3 {
		o := object(fmt.Sprintf("batch_%d", i), i)
		o.Kind, o.Owed, o.Workspace = providers.ObjectBatch, true, string(rune('a'+i))
		all = append(all, o)
	}
	do(t, s.ClaimObjects(t.Context(), all...))
	for i, want := range []bool{true, false} {
		was, err := s.SettleObject(t.Context(), all[1])
		if do(t, err); was != want {
			t.Errorf("settled for the %d. time: it was owed %t", i+1, was)
		}
	}
	got, err := s.ListObjects(t.Context(), storage.ObjectQuery{Kind: providers.ObjectBatch, Owed: true, Oldest: true, Limit: 10})
	do(t, err)
	sameObjects(t, got, []storage.Object{all[0], all[2]})
	do(t, s.ClaimObjects(t.Context(), all[1])) // seen again: it stays settled
	all[1].Owed = false
	wantFound(t, s, "batch_1", all[1])
}

func objectsExpired(t *testing.T, s ObjectStore) {
	early, late := start().Add(time.Hour), start().Add(2*time.Hour)
	gone, owed, left, forever := object("resp_1", 0), object("batch_2", 0), object("resp_3", 0), object("resp_4", 0)
	gone.ExpiresAt, owed.ExpiresAt, left.ExpiresAt, owed.Owed = &early, &early, &late, true
	do(t, s.ClaimObjects(t.Context(), gone, owed, left, forever))
	n, err := s.ExpireObjects(t.Context(), late)
	do(t, err)
	if n != 1 {
		t.Fatalf("%d have expired", n)
	}
	wantFound(t, s, "resp_1")
	wantFound(t, s, "batch_2", owed)
	wantFound(t, s, "resp_3", left)
	wantFound(t, s, "resp_4", forever)
}

// Of two workspaces that claim one object at once, one has it and the other hears so.
func objectsAtOnce(t *testing.T, s ObjectStore) {
	const n = 8
	var wg sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		wg.Go(func() {
			o := object("file-1", i)
			o.Workspace = fmt.Sprintf("w%d", i)
			errs[i] = s.ClaimObjects(t.Context(), o)
		})
	}
	wg.Wait()
	had := 0
	for i, err := range errs {
		if err == nil {
			had++
			o := object("file-1", i)
			o.Workspace = fmt.Sprintf("w%d", i)
			wantFound(t, s, "file-1", o)
			continue
		}
		wants(t, err, storage.ErrNotYours)
	}
	if had != 1 {
		t.Fatalf("%d workspaces have the object", had)
	}
}

// What requests leave behind must not have every gateway read its keys anew.
func objectsNoNouns(t *testing.T, s ObjectStore) {
	before := seen(t, s)
	o := object("file-1", 0)
	do(t, s.ClaimObjects(t.Context(), o))
	_, err := s.SettleObject(t.Context(), o)
	do(t, err)
	do(t, s.ReleaseObject(t.Context(), o))
	if after := seen(t, s); after != before {
		t.Fatalf("the version went from %d to %d", before, after)
	}
}

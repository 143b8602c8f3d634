package storagetest

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// KeyStore keeps virtual keys.
type KeyStore interface {
	Keys(ctx context.Context) ([]storage.Key, error)
	AddKey(ctx context.Context, k storage.Key) error
	ChangeKey(ctx context.Context, k storage.Key) error
	RevokeKey(ctx context.Context, workspace, ref string, at time.Time) (storage.Key, error)
	Version(ctx context.Context) (int64, error)
}

// Keys tests a KeyStore. open gives an empty one.
func Keys(t *testing.T, open func(t *testing.T) KeyStore) {
	f := func(name string, test func(*testing.T, KeyStore)) {
		t.Helper()
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
	f("empty", func(t *testing.T, s KeyStore) { wantKeys(t, s) })
	f("as it was", keyAsItWas)
	f("oldest first", keysOldestFirst)
	f("taken", keyTaken)
	f("refused", keyRefused)
	f("revoked by id", keyRevokedByID)
	f("revoked by name", keyRevokedByName)
	f("another workspace", keyElsewhere)
	f("changed", keyChanged)
	f("version", keyVersion)
	f("race for a name", keyRace)
}

func wantKeys(t *testing.T, s KeyStore, want ...storage.Key) {
	t.Helper()
	got, err := s.Keys(t.Context())
	do(t, err)
	if len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
		t.Fatalf("got  %+v\nwant %+v", got, want)
	}
}

func key(name string, after time.Duration) storage.Key {
	k, _ := storage.NewKey(name, start().Add(after))
	return k
}

func keyAsItWas(t *testing.T, s KeyStore) {
	expires := start().Add(720 * time.Hour)
	full, text := storage.NewKey("ci@example.com", start())
	full.Project, full.Owner = "search", "ada@example.com"
	full.Models = []string{"anthropic/*", "fast"}
	full.Allow = []string{"speed", "mcp_servers"}
	full.Tags = []string{"team=search"}
	full.ExpiresAt = &expires
	full.Deny, full.DenyModels = []string{"speed.fast"}, []string{"anthropic/claude-opus-*"}
	full.AllowProviders, full.DenyProviders = []string{"anthropic"}, []string{"groq"}
	full.AllowAddresses = storage.Networks{{Prefix: netip.MustParsePrefix("10.1.0.0/16")}, {Prefix: netip.MustParsePrefix("::1/128")}}
	full.Parameters = storage.Parameters{
		Defaults: []storage.Parameter{{Name: "seed", Value: []byte("12345678901234567890")}, {Name: "temperature", Value: []byte("1e-1")}},
		Force:    []storage.Parameter{{Name: "metadata", Value: []byte(`{"a":"\u0000é"}`)}, {Name: "user", Value: []byte("null")}},
	}
	full.Timeouts = storage.KeyTimeouts{FirstByte: time.Second, StreamIdle: time.Minute, Total: time.Hour}
	full.Priority, full.Sticky, full.Cache = 7, "session", time.Minute
	bare := key("bare", time.Second)
	bare.Models = nil
	do(t, s.AddKey(t.Context(), full))
	do(t, s.AddKey(t.Context(), bare))
	wantKeys(t, s, full, bare)
	revoked, err := s.RevokeKey(t.Context(), full.Workspace, full.ID, expires)
	do(t, err)
	full.RevokedAt, full.Revision = &expires, 2
	if !reflect.DeepEqual(revoked, full) {
		t.Fatalf("got  %+v\nwant %+v", revoked, full)
	}
	got, err := s.Keys(t.Context())
	do(t, err)
	if !got[0].Matches([]byte(text.Reveal()), start()) {
		t.Fatal("the key's own text does not match it after a round trip")
	}
}

func keyChanged(t *testing.T, s KeyStore) {
	k, old := storage.NewKey("ci", start())
	do(t, s.AddKey(t.Context(), k))
	young := k.Rotate(start(), start().Add(time.Hour))
	k.Models, k.Tags, k.Project, k.Owner, k.Priority = []string{"fast"}, []string{"a"}, "search", "ada", 3
	do(t, s.ChangeKey(t.Context(), k))
	wants(t, s.ChangeKey(t.Context(), k), storage.ErrChanged)
	k.Revision = 2
	wantKeys(t, s, k)
	got, err := s.Keys(t.Context())
	do(t, err)
	for _, c := range []struct {
		text  storage.Secret
		after time.Duration
		want  bool
	}{{young, 0, true}, {young, 2 * time.Hour, true}, {old, 0, true}, {old, time.Hour, false}} {
		if is := got[0].Matches([]byte(c.text.Reveal()), start().Add(c.after)); is != c.want {
			t.Errorf("%s after the rotation the text is good: %t, want %t", c.after, is, c.want)
		}
	}
	nobody := key("nobody", 0)
	wants(t, s.ChangeKey(t.Context(), nobody), storage.ErrNotFound)
	_, err = s.RevokeKey(t.Context(), k.Workspace, k.ID, start())
	do(t, err)
	k.Revision = 3
	wants(t, s.ChangeKey(t.Context(), k), storage.ErrChanged) // nobody changes what is revoked
}

func keysOldestFirst(t *testing.T, s KeyStore) {
	second, first := key("a", time.Microsecond), key("b", 0)
	do(t, s.AddKey(t.Context(), second))
	do(t, s.AddKey(t.Context(), first))
	wantKeys(t, s, first, second)
}

func keyTaken(t *testing.T, s KeyStore) {
	k := key("ci", 0)
	do(t, s.AddKey(t.Context(), k))
	wants(t, s.AddKey(t.Context(), key("ci", 0)), storage.ErrExists)
	other := key("other", 0)
	other.ID = k.ID
	wants(t, s.AddKey(t.Context(), other), storage.ErrExists)
	wantKeys(t, s, k)
}

func keyRefused(t *testing.T, s KeyStore) {
	f := func(spoil func(*storage.Key)) {
		t.Helper()
		k := key("ci", 0)
		spoil(&k)
		if err := s.AddKey(t.Context(), k); err == nil {
			t.Fatalf("%+v was added", k)
		}
	}
	f(func(k *storage.Key) { k.Name = "" })
	f(func(k *storage.Key) { k.Name = "a/b" })
	f(func(k *storage.Key) { k.ID = "short" })
	f(func(k *storage.Key) { k.Project = "" })
	f(func(k *storage.Key) { k.Models = []string{"a,b"} })
	f(func(k *storage.Key) { k.Sticky = "always" })
	f(func(k *storage.Key) { k.Parameters.Force = []storage.Parameter{{Name: "model", Value: []byte(`"x"`)}} })
	wantKeys(t, s)
}

func keyRevokedByID(t *testing.T, s KeyStore) {
	k := key("ci", 0)
	do(t, s.AddKey(t.Context(), k))
	first, later := start().Add(time.Hour), start().Add(2*time.Hour)
	k.RevokedAt, k.Revision = &first, 2
	for _, at := range []time.Time{first, later} { // the second time changes nothing
		got, err := s.RevokeKey(t.Context(), storage.DefaultWorkspace, k.ID, at)
		do(t, err)
		if !reflect.DeepEqual(got, k) {
			t.Fatalf("got %+v, want %+v", got, k)
		}
	}
	wantKeys(t, s, k)
	_, err := s.RevokeKey(t.Context(), storage.DefaultWorkspace, "nosuchid", first)
	wants(t, err, storage.ErrNotFound)
}

func keyRevokedByName(t *testing.T, s KeyStore) {
	old, young := key("ci", 0), key("ci", time.Second)
	do(t, s.AddKey(t.Context(), old))
	at := start().Add(time.Hour)
	_, err := s.RevokeKey(t.Context(), storage.DefaultWorkspace, "ci", at)
	do(t, err)
	_, err = s.RevokeKey(t.Context(), storage.DefaultWorkspace, "ci", at)
	wants(t, err, storage.ErrNotFound)
	do(t, s.AddKey(t.Context(), young)) // a revoked key gives its name free
	wantsKey := young
	wantsKey.RevokedAt, wantsKey.Revision = &at, 2
	got, err := s.RevokeKey(t.Context(), storage.DefaultWorkspace, "ci", at)
	do(t, err)
	if !reflect.DeepEqual(got, wantsKey) {
		t.Fatalf("got %+v, want %+v", got, wantsKey)
	}
	// An id wins over a name, so that nobody shields a key by a name that is another's id.
	shield := key(old.ID, 2*time.Second)
	do(t, s.AddKey(t.Context(), shield))
	got, err = s.RevokeKey(t.Context(), storage.DefaultWorkspace, old.ID, at)
	do(t, err)
	if got.ID != old.ID {
		t.Fatalf("revoked %s, want %s", got.ID, old.ID)
	}
}

func keyElsewhere(t *testing.T, s KeyStore) {
	k := key("ci", 0)
	do(t, s.AddKey(t.Context(), k))
	for _, ref := range []string{k.ID, "ci"} {
		_, err := s.RevokeKey(t.Context(), "elsewhere", ref, start())
		wants(t, err, storage.ErrNotFound)
	}
	stray := key("stray", 0)
	stray.Workspace = "elsewhere"
	wants(t, s.AddKey(t.Context(), stray), storage.ErrNotFound)
	wantKeys(t, s, k)
}

func keyVersion(t *testing.T, s KeyStore) {
	k := key("ci", 0)
	before := seen(t, s)
	if again := seen(t, s); again != before {
		t.Fatalf("the version went from %d to %d without a write", before, again)
	}
	do(t, s.AddKey(t.Context(), k))
	added := seen(t, s)
	_, err := s.RevokeKey(t.Context(), storage.DefaultWorkspace, k.ID, start())
	do(t, err)
	revoked := seen(t, s)
	if before == added || added == revoked || before == revoked {
		t.Fatalf("versions %d, %d, %d are not three", before, added, revoked)
	}
	_, err = s.Keys(t.Context())
	do(t, err)
	if again := seen(t, s); again != revoked {
		t.Fatalf("the version went from %d to %d by a read", revoked, again)
	}
}

func keyRace(t *testing.T, s KeyStore) {
	const racers = 8
	var wg sync.WaitGroup
	errs := make([]error, racers)
	for i := range racers {
		wg.Go(func() {
			errs[i] = errors.Join(
				s.AddKey(t.Context(), key(fmt.Sprintf("own-%d", i), 0)),
				s.AddKey(t.Context(), key("ci", 0)))
		})
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		wants(t, err, storage.ErrExists)
	}
	if won != 1 {
		t.Fatalf("%d of %d racers got the one name", won, racers)
	}
	keys, err := s.Keys(t.Context())
	do(t, err)
	if len(keys) != racers+1 {
		t.Fatalf("%d keys, want %d", len(keys), racers+1)
	}
}

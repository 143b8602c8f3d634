package storagetest

import (
	"context"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// PayloadStore keeps what requests asked and were answered, sealed.
type PayloadStore interface {
	AddPayloads(ctx context.Context, payloads ...storage.SealedPayload) error
	Payload(ctx context.Context, workspace, id string) (storage.SealedPayload, error)
	ErasePayloads(ctx context.Context, workspace, user string) (int64, error)
	ExpirePayloads(ctx context.Context, before time.Time) (int64, error)
}

// Payloads tests a PayloadStore. open gives an empty one.
func Payloads(t *testing.T, open func(t *testing.T) NounStore) {
	s := open(t)
	v := vaultOf(t, s)
	made := func(id, workspace, owner, endUser string, lasts time.Duration) storage.SealedPayload {
		p, err := storage.Payload{
			ID: id, Workspace: workspace, Key: "abcd2345", User: owner, EndUser: endUser, CreatedAt: start(), ExpiresAt: start().Add(lasts), Content: []byte("content of " + id),
		}.Seal(v)
		do(t, err)
		return p
	}
	before := seen(t, s)
	all := []storage.SealedPayload{
		made("1", "team", "ada", "u1", time.Hour), made("2", "team", "bob", "ada", time.Hour), made("3", "team", "bob", "u1", time.Hour),
		made("4", "other", "ada", "ada", time.Hour), made("5", "team", "", "", time.Minute),
	}
	do(t, s.AddPayloads(t.Context(), all...))
	do(t, s.AddPayloads(t.Context(), all[0])) // once more
	if seen(t, s) != before {
		t.Error("payloads are news to those who watch the nouns")
	}
	for _, want := range all {
		got, err := s.Payload(t.Context(), want.Workspace, want.ID)
		do(t, err)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
		text, err := v.Open(got.Sealed, got.Binding())
		do(t, err)
		if text.Reveal() != "content of "+want.ID {
			t.Errorf("it says %q", text.Reveal())
		}
		got.Workspace = "elsewhere"
		_, err = v.Open(got.Sealed, got.Binding())
		wants(t, err, storage.ErrSealBroken)
	}
	_, err := s.Payload(t.Context(), "other", "1")
	wants(t, err, storage.ErrNotFound)
	if err := s.AddPayloads(t.Context(), made("6", "team", "", "", time.Hour), storage.SealedPayload{}); err == nil {
		t.Error("what is not sealed was kept")
	}
	_, err = s.Payload(t.Context(), "team", "6")
	wants(t, err, storage.ErrNotFound)
	erased(t, s)
	var many []storage.SealedPayload
	for i := range 2100 {
		p := all[0]
		p.ID = fmt.Sprint("many", i)
		many = append(many, p)
	}
	do(t, s.AddPayloads(t.Context(), many...))
	if n, err := s.ExpirePayloads(t.Context(), start().Add(2*time.Hour)); n != 2102 || err != nil {
		t.Errorf("%d have expired, error %v", n, err)
	}
}

// erased holds that a person's payloads go, and those whose time is over, of the five that Payloads
// has added.
func erased(t *testing.T, s NounStore) {
	n, err := s.ErasePayloads(t.Context(), "team", "ada")
	do(t, err)
	if n != 2 {
		t.Errorf("%d are erased, want the owner's and the end user's", n)
	}
	if n, err = s.ErasePayloads(t.Context(), "team", "ada"); n != 0 || err != nil {
		t.Errorf("%d are erased again, error %v", n, err)
	}
	_, err = s.Payload(t.Context(), "other", "4")
	do(t, err)
	if n, err = s.ExpirePayloads(t.Context(), start().Add(2*time.Minute)); n != 1 || err != nil {
		t.Errorf("%d have expired, error %v", n, err)
	}
}

package storagetest

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// DocumentStore keeps nouns of the control plane.
type DocumentStore interface {
	DocumentReader
	AddDocument(ctx context.Context, d storage.Document) error
	ChangeDocument(ctx context.Context, d storage.Document) error
	RemoveDocument(ctx context.Context, d storage.Document) error
	ExpireDocuments(ctx context.Context, before time.Time) (int64, error)
}

// DocumentReader finds them.
type DocumentReader interface {
	Document(ctx context.Context, kind storage.Kind, workspace, id string) (storage.Document, error)
	DocumentByRef(ctx context.Context, kind storage.Kind, ref string) (storage.Document, error)
	Documents(ctx context.Context, q storage.DocumentQuery) ([]storage.Document, error)
	Together(ctx context.Context, f func(context.Context) error) error
	versioned
}

// Documents tests a DocumentStore. open gives an empty one.
func Documents(t *testing.T, open func(t *testing.T) DocumentStore) {
	t.Run("round trip", func(t *testing.T) { documentRoundTrip(t, open(t)) })
	t.Run("changes", func(t *testing.T) { documentChanges(t, open(t)) })
	t.Run("lists", func(t *testing.T) { documentLists(t, open(t)) })
	t.Run("together", func(t *testing.T) { documentTogether(t, open(t)) })
	t.Run("expiry and version", func(t *testing.T) { documentExpiry(t, open(t)) })
}

func prompts() storage.Kind  { return storage.Kind{Name: "prompt", Served: true} }
func sessions() storage.Kind { return storage.Kind{Name: "session"} }

func document(kind storage.Kind, workspace, id string) storage.Document {
	return storage.Document{
		Kind: kind, Workspace: workspace, ID: id, Body: []byte(`{"text":"Ärger \u0000"}`),
		Revision: 1, CreatedAt: start(), UpdatedAt: start(),
	}
}

func documentRoundTrip(t *testing.T, s DocumentStore) {
	ends := start().Add(time.Hour)
	full := document(prompts(), "default", "greeting")
	full.Ref, full.ExpiresAt = "https://id.example.com|42", &ends
	do(t, s.AddDocument(t.Context(), full))
	got, err := s.Document(t.Context(), prompts(), "default", "greeting")
	do(t, err)
	if !reflect.DeepEqual(got, full) {
		t.Fatalf("got %+v, want %+v", got, full)
	}
	got, err = s.DocumentByRef(t.Context(), prompts(), full.Ref)
	do(t, err)
	if !reflect.DeepEqual(got, full) {
		t.Fatalf("by ref: got %+v, want %+v", got, full)
	}
	wants(t, s.AddDocument(t.Context(), document(prompts(), "default", "greeting")), storage.ErrExists)
	same := document(prompts(), "default", "other")
	same.Ref = full.Ref
	wants(t, s.AddDocument(t.Context(), same), storage.ErrExists)
	do(t, s.AddDocument(t.Context(), document(prompts(), "team", "greeting"))) // names are a workspace's
	do(t, s.AddDocument(t.Context(), document(sessions(), "default", "greeting")))

	for _, err := range []error{
		second(s.Document(t.Context(), prompts(), "other", "greeting")),
		second(s.Document(t.Context(), prompts(), "default", "Greeting")),
		second(s.DocumentByRef(t.Context(), sessions(), full.Ref)),
		second(s.DocumentByRef(t.Context(), prompts(), "")),
	} {
		wants(t, err, storage.ErrNotFound)
	}
	if s.AddDocument(t.Context(), storage.Document{ID: "kindless"}) == nil {
		t.Fatal("a document without a kind was added")
	}
}

func second[T any](_ T, err error) error { return err }

func documentChanges(t *testing.T, s DocumentStore) {
	d := document(prompts(), "default", "greeting")
	do(t, s.AddDocument(t.Context(), d))
	d.Body, d.UpdatedAt, d.Ref = []byte(`{"text":"new"}`), start().Add(time.Second), "ref"
	do(t, s.ChangeDocument(t.Context(), d))
	wants(t, s.ChangeDocument(t.Context(), d), storage.ErrChanged) // whoever read revision 1 comes too late
	d.Revision = 2
	got, err := s.Document(t.Context(), prompts(), "default", "greeting")
	do(t, err)
	if !reflect.DeepEqual(got, d) {
		t.Fatalf("got %+v, want %+v", got, d)
	}
	other := document(prompts(), "default", "other")
	do(t, s.AddDocument(t.Context(), other))
	other.Ref = "ref"
	wants(t, s.ChangeDocument(t.Context(), other), storage.ErrExists)
	wants(t, s.ChangeDocument(t.Context(), document(prompts(), "default", "nobody")), storage.ErrNotFound)

	old := d
	old.Revision = 1
	wants(t, s.RemoveDocument(t.Context(), old), storage.ErrChanged)
	do(t, s.RemoveDocument(t.Context(), d))
	wants(t, s.RemoveDocument(t.Context(), d), storage.ErrNotFound)
}

func documentLists(t *testing.T, s DocumentStore) {
	for _, id := range []string{"b", "a_1", "a%2", "Z", "a-3"} {
		do(t, s.AddDocument(t.Context(), document(prompts(), "default", id)))
	}
	do(t, s.AddDocument(t.Context(), document(prompts(), "team", "a_1")))
	do(t, s.AddDocument(t.Context(), document(sessions(), "default", "a")))
	for _, c := range []struct {
		q    storage.DocumentQuery
		want []string
	}{
		{storage.DocumentQuery{Workspace: "default"}, []string{"Z", "a%2", "a-3", "a_1", "b"}},
		{storage.DocumentQuery{Workspace: "default", Limit: 2}, []string{"Z", "a%2"}},
		{storage.DocumentQuery{Workspace: "default", After: "a%2", Limit: 2}, []string{"a-3", "a_1"}},
		{storage.DocumentQuery{Workspace: "default", Prefix: "a_"}, []string{"a_1"}},
		{storage.DocumentQuery{All: true, Prefix: "a_"}, []string{"a_1", "a_1"}},
		{storage.DocumentQuery{}, nil},
	} {
		c.q.Kind = prompts()
		found, err := s.Documents(t.Context(), c.q)
		do(t, err)
		var ids []string
		for i := range found {
			ids = append(ids, found[i].ID)
		}
		if !reflect.DeepEqual(ids, c.want) {
			t.Errorf("%+v: got %v, want %v", c.q, ids, c.want)
		}
	}
}

func documentTogether(t *testing.T, s DocumentStore) {
	failed := errors.New("failed")
	wants(t, s.Together(t.Context(), func(ctx context.Context) error {
		do(t, s.AddDocument(ctx, document(prompts(), "default", "one")))
		found, err := s.Documents(ctx, storage.DocumentQuery{Kind: prompts(), Workspace: "default"})
		do(t, err)
		if len(found) != 1 {
			t.Errorf("what was changed is seen %d times within the change, want once", len(found))
		}
		return failed
	}), failed)
	_, err := s.Document(t.Context(), prompts(), "default", "one")
	wants(t, err, storage.ErrNotFound)

	do(t, s.Together(t.Context(), func(ctx context.Context) error {
		return errors.Join(
			s.AddDocument(ctx, document(prompts(), "default", "one")),
			s.AddDocument(ctx, document(prompts(), "default", "two")))
	}))
	found, err := s.Documents(t.Context(), storage.DocumentQuery{Kind: prompts(), Workspace: "default"})
	do(t, err)
	if len(found) != 2 {
		t.Fatalf("%d are kept, want 2", len(found))
	}
}

func documentExpiry(t *testing.T, s DocumentStore) {
	before := seen(t, s)
	ends := start().Add(time.Minute)
	short := document(sessions(), "", "short")
	short.ExpiresAt = &ends
	do(t, s.AddDocument(t.Context(), short))
	do(t, s.AddDocument(t.Context(), document(sessions(), "", "long")))
	for want, after := range []time.Duration{0, time.Hour} {
		n, err := s.ExpireDocuments(t.Context(), start().Add(after))
		do(t, err)
		if n != int64(want) {
			t.Fatalf("after %s %d expired, want %d", after, n, want)
		}
	}
	if seen(t, s) != before {
		t.Fatal("documents that no request is judged by changed the version")
	}
	do(t, s.AddDocument(t.Context(), document(prompts(), "default", "greeting")))
	if seen(t, s) == before {
		t.Fatal("a document that requests are judged by did not change the version")
	}
}

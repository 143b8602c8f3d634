package admin

import (
	"context"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/aistrale/aistrale/storage"
)

// shelf keeps one kind of noun in the store's documents.
type shelf[T any] struct {
	store documentStore
	kind  storage.Kind
}

// kept is a noun with what the store knows of it.
type kept[T any] struct {
	Noun T
	storage.Document
}

func (s shelf[T]) read(d storage.Document, err error) (kept[T], error) {
	k := kept[T]{Document: d}
	if err == nil {
		err = json.Unmarshal(d.Body, &k.Noun)
	}
	return k, err
}

// get gives a noun of a workspace. It wraps storage.ErrNotFound.
func (s shelf[T]) get(ctx context.Context, workspace, id string) (kept[T], error) {
	return s.read(s.store.Document(ctx, s.kind, workspace, id))
}

// byRef gives the noun of a second name. It wraps storage.ErrNotFound.
func (s shelf[T]) byRef(ctx context.Context, ref string) (kept[T], error) {
	return s.read(s.store.DocumentByRef(ctx, s.kind, ref))
}

// list gives what a query asks for; its kind is the shelf's.
func (s shelf[T]) list(ctx context.Context, q storage.DocumentQuery) ([]kept[T], error) {
	q.Kind = s.kind
	found, err := s.store.Documents(ctx, q)
	if err != nil {
		return nil, err
	}
	all := make([]kept[T], 0, len(found))
	for _, d := range found {
		k, err := s.read(d, nil)
		if err != nil {
			return nil, err
		}
		all = append(all, k)
	}
	return all, nil
}

// add keeps a new noun. It wraps storage.ErrExists.
func (s shelf[T]) add(ctx context.Context, k *kept[T], now time.Time) error {
	k.Kind, k.Revision, k.CreatedAt, k.UpdatedAt = s.kind, 1, now, now
	if err := s.write(k); err != nil {
		return err
	}
	k.Document = k.Stamp()
	return s.store.AddDocument(ctx, k.Document)
}

// change keeps the noun in the place of the revision that was read. It wraps storage.ErrChanged
// where that is not the newest any more.
func (s shelf[T]) change(ctx context.Context, k *kept[T], now time.Time) error {
	k.UpdatedAt = now
	if err := s.write(k); err != nil {
		return err
	}
	k.Document = k.Stamp()
	if err := s.store.ChangeDocument(ctx, k.Document); err != nil {
		return err
	}
	k.Revision++
	return nil
}

func (s shelf[T]) write(k *kept[T]) (err error) {
	k.Body, err = json.Marshal(k.Noun, json.Deterministic(true))
	return err
}

// remove takes the revision that was read away.
func (s shelf[T]) remove(ctx context.Context, k kept[T]) error {
	return s.store.RemoveDocument(ctx, k.Document)
}

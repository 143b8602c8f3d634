package proxy

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/aistrale/aistrale/storage"
)

// shelf is a store of objects in memory, which can be made to fail.
type shelf struct {
	mu     sync.Mutex
	all    []storage.Object
	broken error
	asked  int // how often an id was looked up
	claims int // how often objects were written down
}

func (s *shelf) FindObjects(_ context.Context, id string) ([]storage.Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	var found []storage.Object
	for _, o := range s.all {
		if o.ID == id {
			found = append(found, o)
		}
	}
	return found, s.broken
}

// clear is for tests that outlast the gateway's own look at what is owed.
func (s *shelf) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = nil
}

func (s *shelf) ClaimObjects(_ context.Context, objects ...storage.Object) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.claims++
	if s.broken != nil {
		return s.broken
	}
	for _, o := range objects {
		i := slices.IndexFunc(s.all, func(old storage.Object) bool { return old.ID == o.ID && old.At(o.Provider, o.Credential) })
		switch {
		case i < 0:
			s.all = append(s.all, o)
		case s.all[i].Workspace != o.Workspace:
			return storage.ErrNotYours
		}
	}
	return nil
}

func (s *shelf) ReleaseObject(_ context.Context, o storage.Object) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = slices.DeleteFunc(s.all, func(old storage.Object) bool {
		return old.At(o.Provider, o.Credential) && (old.ID == o.ID || old.Parent == o.ID)
	})
	return s.broken
}

func (s *shelf) ListObjects(_ context.Context, q storage.ObjectQuery) ([]storage.Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	order := func(a, b storage.Object) int {
		if n := a.CreatedAt.Compare(b.CreatedAt); n != 0 {
			return n
		}
		return strings.Compare(a.ID, b.ID)
	}
	var found []storage.Object
	for _, o := range s.all {
		if o.Kind == q.Kind && (q.Workspace == "" || o.Workspace == q.Workspace) && (!q.Owed || o.Owed) && (q.Providers == nil || slices.Contains(q.Providers, o.Provider)) {
			found = append(found, o)
		}
	}
	slices.SortFunc(found, order)
	if !q.Oldest {
		slices.Reverse(found)
	}
	if q.After != nil {
		i := slices.IndexFunc(found, func(o storage.Object) bool { return o.ID == q.After.ID })
		found = found[i+1:]
	}
	return found[:min(len(found), q.Limit)], s.broken
}

func (s *shelf) SettleObject(_ context.Context, o storage.Object) (was bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.all {
		if s.all[i].ID == o.ID && s.all[i].At(o.Provider, o.Credential) {
			was, s.all[i].Owed = s.all[i].Owed, false
		}
	}
	return was, s.broken
}

func (s *shelf) find(id string) *storage.Object {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.all {
		if s.all[i].ID == id {
			o := s.all[i]
			return &o
		}
	}
	return nil
}

// fail has the shelf fail, or not.
func (s *shelf) fail(broken bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = nil
	if broken {
		s.broken = errors.New("the store is down")
	}
}

var _ Objects = (*shelf)(nil)

// forgetAll has the store asked again for every id.
func (o *objects) forgetAll() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.order.Len() > 0 {
		o.drop(o.order.Back())
	}
}

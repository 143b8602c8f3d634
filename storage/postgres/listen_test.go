package postgres

import (
	"context"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/storagetest"
)

// ear hears what a store tells of.
type ear struct {
	t     *testing.T
	heard chan struct{}
	up    chan bool
}

func listening(t *testing.T, s *Store) *ear {
	t.Helper()
	e := &ear{t: t, heard: make(chan struct{}, 100), up: make(chan bool, 100)}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.Listen(ctx, func() { e.heard <- struct{}{} }, func(up bool) { e.up <- up })
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	e.stands()
	return e
}

const patience = 30 * time.Second

func next[T any](t *testing.T, c <-chan T, what string) (got T) {
	t.Helper()
	select {
	case got = <-c:
	case <-time.After(patience):
		t.Fatalf("%s: not within %s", what, patience)
	}
	return got
}

// stands waits until the line stands, of which one is told with a word that something may be new.
func (e *ear) stands() {
	e.t.Helper()
	for !next(e.t, e.up, "the line stands") {
	}
	next(e.t, e.heard, "the first word")
}

func TestListen(t *testing.T) {
	address := storagetest.Postgres(t)
	s, err := Open(t.Context(), Options{URL: storage.NewSecret(address)})
	do(t, err)
	t.Cleanup(func() { _ = s.Close() })
	other, err := Open(t.Context(), Options{URL: storage.NewSecret(address)})
	do(t, err)
	t.Cleanup(func() { _ = other.Close() })
	e := listening(t, s)

	first, _ := storage.NewKey("first", time.Now())
	do(t, other.AddKey(t.Context(), first))
	next(t, e.heard, "another's change")

	// What no request is judged by is not told of: the next word is of the change after it.
	now := time.Now()
	do(t, other.AddDocument(t.Context(), storage.Document{Kind: storage.Kind{Name: "session"}, ID: "x", Body: []byte(`{}`), Revision: 1, CreatedAt: now, UpdatedAt: now}))
	if err := other.Together(t.Context(), func(ctx context.Context) error {
		key, _ := storage.NewKey("second", time.Now())
		if err := other.AddKey(ctx, key); err != nil {
			return err
		}
		_, err := other.RevokeKey(ctx, first.Workspace, first.ID, time.Now())
		return err
	}); err != nil {
		t.Fatal(err)
	}
	next(t, e.heard, "a change of several nouns")
	if len(e.heard) > 0 {
		t.Error("one change is told of twice, or what is none is told of")
	}

	// The server hangs up: the line comes to stand again, and says that something may be new.
	execute(t, address, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()`)
	if next(t, e.up, "the line is gone") {
		t.Fatal("the line came to stand without having been gone")
	}
	e.stands()
	third, _ := storage.NewKey("third", time.Now())
	do(t, other.AddKey(t.Context(), third))
	next(t, e.heard, "a change after the line was gone")
}

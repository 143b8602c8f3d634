package redis

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/storagetest"
)

func next[T any](t *testing.T, c <-chan T, what string) (got T) {
	t.Helper()
	const patience = 30 * time.Second
	select {
	case got = <-c:
	case <-time.After(patience):
		t.Fatalf("%s: not within %s", what, patience)
	}
	return got
}

func openedBell(t *testing.T, url string, run func(context.Context, *Bell)) *Bell {
	t.Helper()
	b, err := OpenBell(storage.NewSecret(url), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		run(ctx, b)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		_ = b.Close()
	})
	return b
}

// A ring is heard by others, before and after Redis was gone; what it was not told is counted.
func TestBell(t *testing.T) {
	server := storagetest.OwnRedis(t)
	heard, up := make(chan struct{}, 100), make(chan bool, 100)
	openedBell(t, server.URL(), func(ctx context.Context, b *Bell) {
		b.Listen(ctx, func() { heard <- struct{}{} }, func(now bool) { up <- now })
	})
	ringer := openedBell(t, server.URL(), func(ctx context.Context, b *Bell) { b.Run(ctx) })
	for !next(t, up, "the line stands") {
	}
	next(t, heard, "the first word")
	ringer.Ring()
	next(t, heard, "a ring")

	server.Kill()
	if next(t, up, "the line is gone") {
		t.Fatal("the line came to stand without having been gone")
	}
	ringer.Ring()
	for late := time.Now().Add(10 * time.Second); ringer.Unrung() == 0; {
		if time.Now().After(late) {
			t.Fatal("a ring that nobody took is not counted")
		}
	}
	server.Start()
	for !next(t, up, "the line stands again") {
	}
	next(t, heard, "the first word again")
	ringer.Ring()
	next(t, heard, "a ring after Redis was gone")
}

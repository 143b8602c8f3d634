package redis

import (
	"bytes"
	"io"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/storagetest"
)

func openedReplies(t *testing.T, url string) *Replies {
	t.Helper()
	r, err := OpenReplies(storage.NewSecret(url), slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// found waits for the writer.
func found(t *testing.T, r *Replies, key *storage.ReplyKey) storage.Reply {
	t.Helper()
	for late := time.Now().Add(10 * time.Second); time.Now().Before(late); {
		if reply, ok := r.Find(t.Context(), key); ok {
			return reply
		}
	}
	t.Fatal("the reply is not there")
	return storage.Reply{}
}

func TestReplies(t *testing.T) {
	r := openedReplies(t, storagetest.Redis(t))
	key := &storage.ReplyKey{Place: [32]byte{1}, Seal: [32]byte{2}}
	want := storage.Reply{
		Time: time.Now().UTC().Truncate(time.Microsecond), ContentType: "text/event-stream", Provider: "one", Model: "m", Credential: "c",
		Served: "m-1", Finish: "stop", Exact: true, Body: []byte("data: the whole answer\n\n"),
	}
	if _, ok := r.Find(t.Context(), key); ok {
		t.Error("there before it was kept")
	}
	r.Keep(key, want, time.Hour)
	if got := found(t, r, key); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	raw, err := r.client.Get(t.Context(), nameOf(key)).Bytes()
	if err != nil || bytes.Contains(raw, []byte("whole answer")) || bytes.Contains(raw, []byte("one")) {
		t.Errorf("stands in Redis as %q, %v", raw, err)
	}
	if ttl := r.client.PTTL(t.Context(), nameOf(key)).Val(); ttl <= 0 || ttl > time.Hour {
		t.Errorf("kept for %s", ttl)
	}
	other := &storage.ReplyKey{Place: key.Place, Seal: [32]byte{3}}
	if _, ok := r.Find(t.Context(), other); ok {
		t.Error("opened by another seal")
	}
	if err := r.client.Set(t.Context(), nameOf(key), strings.Repeat("x", 100), 0).Err(); err != nil {
		t.Fatal(err)
	}
	if _, ok := r.Find(t.Context(), key); ok {
		t.Error("took what nobody sealed")
	}
}

func TestReplies_whileRedisIsAway(t *testing.T) {
	server := storagetest.OwnRedis(t)
	r := openedReplies(t, server.URL())
	key := &storage.ReplyKey{Place: [32]byte{1}, Seal: [32]byte{2}}
	r.Keep(key, storage.Reply{Body: []byte("x")}, time.Hour)
	found(t, r, key)
	server.Freeze()
	if _, ok := r.Find(t.Context(), key); ok {
		t.Error("a frozen server answered")
	}
	for range 2 * maxWaiting { // nobody waits for the writer
		r.Keep(key, storage.Reply{Body: []byte("y")}, time.Hour)
	}
	if r.Dropped() == 0 {
		t.Error("what had no room was not counted")
	}
	server.Thaw()
	found(t, r, key)
}

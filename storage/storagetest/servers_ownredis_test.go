package storagetest

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

func TestOwnRedis(t *testing.T) {
	s := OwnRedis(t)
	options, err := redis.ParseURL(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	options.MaxRetries, options.ContextTimeoutEnabled = -1, true
	client := redis.NewClient(options)
	defer func() { _ = client.Close() }()
	set(t, s.URL(), "word")
	s.Freeze()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := client.Get(ctx, "word").Err(); err == nil {
		t.Error("a frozen server answers")
	}
	s.Thaw()
	if err := client.Get(t.Context(), "word").Err(); err != nil {
		t.Error(err)
	}
	s.Kill()
	if err := client.Get(t.Context(), "word").Err(); err == nil {
		t.Error("a dead server answers")
	}
	s.Start()
	if n, err := client.DBSize(t.Context()).Result(); err != nil || n != 0 {
		t.Errorf("%d keys in a fresh server, %v", n, err)
	}
}

package storagetest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// Redis gives the URL of an empty database of a real Redis server, and empties it when the test
// ends. The server is that of AISTRALE_TEST_REDIS_URL, of which only databases that are empty
// are used, else a throw-away one. Where there is none to be had the test is skipped, and fails
// if CI=true. Channels of Pub/Sub are shared by all databases of a server.
func Redis(t testing.TB) string {
	t.Helper()
	s, err := redises()
	s = give(t, s, err)
	options, err := redis.ParseURL(s.url)
	if err != nil {
		t.Fatal("AISTRALE_TEST_REDIS_URL is not a Redis URL") // it may hold a password
	}
	number, err := claim(t.Context(), *options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := release(context.Background(), *options, number); err != nil {
			t.Error(err)
		}
	})
	u, err := url.Parse(s.url)
	if err != nil {
		t.Fatal("AISTRALE_TEST_REDIS_URL is not a URL")
	}
	u.Path = fmt.Sprintf("/%d", number)
	return u.String()
}

func startRedis() (*server, error) {
	if given := os.Getenv("AISTRALE_TEST_REDIS_URL"); given != "" {
		return &server{url: given}, nil
	}
	path, err := find("redis-server", "redis-server", "/opt/homebrew/bin", "/usr/local/bin")
	if err != nil {
		return nil, err
	}
	program := func(folder, port string) []string {
		return []string{
			path, "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
			"--dir", folder, "--databases", "1024",
		}
	}
	ready := func(port string) error {
		client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + port, MaxRetries: -1})
		defer func() { _ = client.Close() }()
		return client.Ping(context.Background()).Err()
	}
	s, err := launcher{func(string) error { return nil }, program, ready}.launch()
	if err != nil {
		return nil, err
	}
	s.url = "redis://127.0.0.1:" + s.url
	return s, nil
}

// claimed is the mark in database 0 of a database that a test has; it goes by itself where a
// test is killed.
func claimed(number int) string { return fmt.Sprintf("aistrale:test:database:%d", number) }

const claimFor = time.Hour

// claim takes the first database that is empty and nobody's.
func claim(ctx context.Context, options redis.Options) (int, error) {
	options.DB = 0
	marks := redis.NewClient(&options)
	defer func() { _ = marks.Close() }()
	for number := 1; ; number++ {
		mine, err := marks.SetNX(ctx, claimed(number), os.Getpid(), claimFor).Result()
		if err != nil {
			return 0, fmt.Errorf("claim a Redis database: %w", err)
		}
		if !mine {
			continue
		}
		size, err := sizeOf(ctx, options, number)
		if err == nil && size == 0 {
			return number, nil
		}
		marks.Del(ctx, claimed(number))
		if err != nil {
			return 0, fmt.Errorf("no empty Redis database is left (AISTRALE_TEST_REDIS_URL: flush one): %w", err)
		}
	}
}

func sizeOf(ctx context.Context, options redis.Options, number int) (int64, error) {
	options.DB = number
	client := redis.NewClient(&options)
	defer func() { _ = client.Close() }()
	return client.DBSize(ctx).Result()
}

// release empties a database that claim gave, and gives it back.
func release(ctx context.Context, options redis.Options, number int) error {
	options.DB = number
	client := redis.NewClient(&options)
	defer func() { _ = client.Close() }()
	if err := client.FlushDB(ctx).Err(); err != nil {
		return fmt.Errorf("empty Redis database %d: %w", number, err)
	}
	options.DB = 0
	marks := redis.NewClient(&options)
	defer func() { _ = marks.Close() }()
	return marks.Del(ctx, claimed(number)).Err()
}

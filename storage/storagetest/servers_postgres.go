package storagetest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Both are started once by the test binary that asks first.
var (
	postgres = sync.OnceValues(startPostgres)
	redises  = sync.OnceValues(startRedis)
	database atomic.Int64 // numbers the databases of this process
)

// Postgres gives the URL of a fresh, empty database of a real PostgreSQL server, and drops it
// when the test ends. The server is that of AISTRALE_TEST_POSTGRES_URL, whose user must be
// allowed to create databases, else a throw-away one. Where there is none to be had the test is
// skipped, and fails if CI=true.
func Postgres(t testing.TB) string {
	t.Helper()
	s, err := postgres()
	s = give(t, s, err)
	name := fmt.Sprintf("aistrale_test_%d_%d", os.Getpid(), database.Add(1))
	if err := command(t.Context(), s.url, "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// The test's own context has ended. FORCE ends connections that it left open.
		if err := command(context.Background(), s.url, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	u, err := url.Parse(s.url)
	if err != nil {
		t.Fatal("AISTRALE_TEST_POSTGRES_URL is not a URL") // it may hold a password
	}
	u.Path = "/" + name
	return u.String()
}

func startPostgres() (*server, error) {
	if given := os.Getenv("AISTRALE_TEST_POSTGRES_URL"); given != "" {
		return &server{url: given}, nil
	}
	const debian, brew, brewIntel = "/usr/lib/postgresql/*/bin", "/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin"
	path, err := find("postgres", "postgresql", debian, brew, brewIntel)
	if err != nil {
		return nil, err
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return nil, err
	}
	prepare := func(folder string) error {
		initdb := unprivileged(filepath.Join(filepath.Dir(path), "initdb"),
			"-D", filepath.Join(folder, "data"), "-U", "test", "--auth=trust", "-N", "-E", "UTF8", "--locale=C")
		if out, err := initdb.CombinedOutput(); err != nil {
			return fmt.Errorf("initdb: %w: %s", err, tail(out))
		}
		return nil
	}
	program := func(folder, port string) []string {
		return []string{
			path, "-D", filepath.Join(folder, "data"), "-p", port, "-h", "127.0.0.1",
			"-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off",
			"-c", "max_connections=100", "-c", "shared_buffers=64MB", "-c", "jit=off",
		}
	}
	address := func(port string) string {
		return "postgres://test@127.0.0.1:" + port + "/postgres?sslmode=disable"
	}
	ready := func(port string) error { return command(context.Background(), address(port), "SELECT 1") }
	s, err := launcher{prepare, program, ready}.launch()
	if err != nil {
		return nil, err
	}
	s.url = address(s.url)
	return s, nil
}

// command runs one statement on a connection of its own.
func command(ctx context.Context, address, sql string) error {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, sql); err != nil {
		return fmt.Errorf("%s: %w", sql, err)
	}
	return nil
}

package storagetest

import (
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
)

func TestPostgres(t *testing.T) {
	conn, err := pgx.Connect(t.Context(), Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	for _, sql := range []string{`CREATE TABLE words (word text)`, `INSERT INTO words VALUES ('été'), ('漢')`} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	var words int
	if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM words WHERE length(word) IN (1, 3)`).Scan(&words); err != nil {
		t.Fatal(err)
	}
	if words != 2 {
		t.Errorf("%d words, want 2", words)
	}
}

func TestPostgres_DatabasesAreFreshAndGoAgain(t *testing.T) {
	var first string
	t.Run("one test", func(t *testing.T) {
		first = Postgres(t)
		if second := Postgres(t); second == first {
			t.Errorf("the same database twice: %s", first)
		}
		if err := command(t.Context(), first, `CREATE TABLE words (word text)`); err != nil {
			t.Fatal(err)
		}
	})
	if first == "" {
		t.SkipNow() // the test above has said why
	}
	err := command(t.Context(), first, `SELECT 1`)
	if err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("after the test its database answers %v, want that it does not exist", err)
	}
}

func TestRedis(t *testing.T) {
	options, err := redis.ParseURL(Redis(t))
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(options)
	defer func() { _ = client.Close() }()
	if err := client.Set(t.Context(), "k", 40, 0).Err(); err != nil {
		t.Fatal(err)
	}
	add := redis.NewScript(`return redis.call('INCRBY', KEYS[1], ARGV[1])`)
	if got, err := add.Run(t.Context(), client, []string{"k"}, 2).Int(); err != nil || got != 42 {
		t.Errorf("script gives %d, %v, want 42", got, err)
	}
}

func TestRedis_DatabasesAreEmptyAndGoAgain(t *testing.T) {
	var first string
	t.Run("one test", func(t *testing.T) {
		first = Redis(t)
		if second := Redis(t); second == first {
			t.Errorf("the same database twice: %s", first)
		}
		set(t, first, "k")
	})
	t.Run("the next", func(t *testing.T) {
		options, err := redis.ParseURL(Redis(t))
		if err != nil {
			t.Fatal(err)
		}
		if n, err := sizeOf(t.Context(), *options, options.DB); err != nil || n != 0 {
			t.Errorf("%d keys, %v, want none", n, err)
		}
	})
}

// A server that somebody else runs may hold what they need.
func TestRedis_LeavesDatabasesInUseAlone(t *testing.T) {
	used := Redis(t)
	set(t, used, "theirs")
	options, err := redis.ParseURL(used)
	if err != nil {
		t.Fatal(err)
	}
	options.DB = 0
	marks := redis.NewClient(options)
	defer func() { _ = marks.Close() }()
	before, _ := redis.ParseURL(used)
	if err := marks.Del(t.Context(), claimed(before.DB)).Err(); err != nil { // as if nobody had claimed it
		t.Fatal(err)
	}
	if again := Redis(t); again == used {
		t.Error("a database with keys was given out")
	}
}

func set(t *testing.T, address, key string) {
	t.Helper()
	options, err := redis.ParseURL(address)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(options)
	defer func() { _ = client.Close() }()
	if err := client.Set(t.Context(), key, 1, 0).Err(); err != nil {
		t.Fatal(err)
	}
}

// The kernel closes a dead process's pipes, so closing one is what kill -9 looks like.
func TestServer_GoesWithItsTestBinary(t *testing.T) {
	s, err := startRedis()
	s = give(t, s, err)
	if s.stop == nil {
		t.Skip("the server of AISTRALE_TEST_REDIS_URL is not ours to stop")
	}
	if err := s.stop.Close(); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	gone := func() error {
		if conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", u.Host); err == nil {
			return errors.Join(errors.New("it still answers"), conn.Close())
		}
		if _, err := os.Stat(s.folder); err == nil {
			return errors.New("its folder is still there")
		}
		return nil
	}
	if err := await(nil, gone); err != nil {
		t.Error(err)
	}
}

func TestFind_SaysWhatToInstall(t *testing.T) {
	t.Setenv("PATH", t.TempDir()) // no such program, and no apt-get
	_, err := find("redis-server", "redis-server")
	if !errors.Is(err, errMissing) || !strings.Contains(err.Error(), "apt-get install redis-server") {
		t.Errorf("find() = %v, want what to install", err)
	}
}

func TestFind_LooksBesideThePath(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("PATH", folder)
	for _, version := range []string{"15", "17"} {
		bin := filepath.Join(folder, version, "bin")
		if err := os.MkdirAll(bin, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(bin, "postgres"), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	want := filepath.Join(folder, "17", "bin", "postgres")
	if got, err := find("postgres", "postgresql", filepath.Join(folder, "*", "bin")); err != nil || got != want {
		t.Errorf("find() = %s, %v, want %s", got, err, want)
	}
}

func TestLauncher_SaysWhatTheServerSaid(t *testing.T) {
	var folders []string
	l := launcher{
		prepare: func(folder string) error { folders = append(folders, folder); return nil },
		program: func(string, string) []string { return []string{"sh", "-c", "echo out of luck; exit 3"} },
		ready:   func(string) error { return errors.New("refused") },
	}
	_, err := l.launch()
	if !errors.Is(err, errEnded) || !strings.Contains(err.Error(), "out of luck") {
		t.Errorf("launch() = %v, want that the server ended and what it said", err)
	}
	if len(folders) != 3 {
		t.Errorf("%d tries, want 3", len(folders))
	}
	for _, folder := range folders {
		if _, err := os.Stat(folder); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("folder %s is left behind", folder)
		}
	}
}

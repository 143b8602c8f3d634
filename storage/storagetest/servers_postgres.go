package storagetest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

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
	return s.database(t, "template1")
}

// Template is what several tests want to find in a fresh database. It is made once, by Fill, and
// copied: the schema of a store alone takes a second under the race detector.
type Template struct {
	Fill func(t testing.TB, address string)

	mu   sync.Mutex
	name string
}

// Postgres is the function of that name, for a database with what is in the template.
func (p *Template) Postgres(t testing.TB) string {
	t.Helper()
	s, err := postgres()
	s = give(t, s, err)
	if s.folder == "" { // nothing is left behind on a server that is not ours
		address := s.database(t, "template1")
		p.Fill(t, address)
		return address
	}
	return s.database(t, p.made(t, s))
}

func (p *Template) made(t testing.TB, s *server) string {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.name == "" {
		name := s.create(t, "template1")
		p.Fill(t, s.at(t, name))
		p.name = name
	}
	return p.name
}

// database makes a database out of another one, and drops it when the test ends.
func (s *server) database(t testing.TB, from string) string {
	t.Helper()
	name := s.create(t, from)
	t.Cleanup(func() {
		// The test's own context has ended. FORCE ends connections that it left open.
		if err := command(context.Background(), s.url, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return s.at(t, name)
}

func (s *server) create(t testing.TB, from string) (name string) {
	t.Helper()
	name = fmt.Sprintf("aistrale_test_%d_%d", os.Getpid(), database.Add(1))
	if err := command(t.Context(), s.url, "CREATE DATABASE "+name+" TEMPLATE "+from); err != nil {
		t.Fatal(err)
	}
	return name
}

// at is the URL of one of the server's databases.
func (s *server) at(t testing.TB, name string) string {
	t.Helper()
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
	l, err := postgresLauncher("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
	if err != nil {
		return nil, err
	}
	s, err := l.launch()
	if err != nil {
		return nil, err
	}
	s.url = postgresAt(s.url)
	return s, nil
}

func postgresAt(port string) string {
	return "postgres://test@127.0.0.1:" + port + "/postgres?sslmode=disable"
}

// postgresLauncher says how a server is started, with settings of its own.
func postgresLauncher(settings ...string) (launcher, error) {
	const debian, brew, brewIntel = "/usr/lib/postgresql/*/bin", "/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin"
	path, err := find("postgres", "postgresql", debian, brew, brewIntel)
	if err != nil {
		return launcher{}, err
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return launcher{}, err
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
		return append([]string{
			path, "-D", filepath.Join(folder, "data"), "-p", port, "-h", "127.0.0.1",
			"-c", "unix_socket_directories=", "-c", "max_connections=100", "-c", "shared_buffers=64MB", "-c", "jit=off",
		}, settings...)
	}
	ready := func(port string) error { return command(context.Background(), postgresAt(port), "SELECT 1") }
	return launcher{prepare, program, ready}, nil
}

// Server is a PostgreSQL server of one test's own, which it may stop and start again. What it
// has committed survives: it does call fsync.
type Server struct {
	URL string // of an empty database

	launcher launcher
	port     string
	server   *server
}

// PostgresServer starts a server, which ends with the test. Where there is no PostgreSQL to be
// had the test is skipped, and fails if CI=true.
func PostgresServer(t testing.TB) *Server {
	t.Helper()
	l, err := postgresLauncher()
	if err != nil {
		give(t, nil, err)
	}
	s, err := l.launch()
	s = give(t, s, err)
	own := &Server{URL: postgresAt(s.url), launcher: l, port: s.url, server: s}
	t.Cleanup(func() {
		_ = own.server.stop.Close()
		<-own.server.ended
		if err := os.RemoveAll(own.server.folder); err != nil {
			t.Error(err)
		}
	})
	return own
}

// Kill ends the server as a crash of the machine does: all of its processes at once.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.URL)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := conn.Query(t.Context(), `SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()`)
	if err != nil {
		t.Fatal(err)
	}
	pids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		t.Fatal(err)
	}
	// Those that the first one leaves behind would serve on for a moment.
	s.end(t, syscall.SIGKILL)
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Fatal(err)
		}
	}
	_ = conn.Close(context.Background())
}

// Stop ends the server in good order, whoever is connected.
func (s *Server) Stop(t testing.TB) { s.end(t, syscall.SIGINT) }

func (s *Server) end(t testing.TB, how syscall.Signal) {
	t.Helper()
	file, err := os.ReadFile(filepath.Join(s.server.folder, "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(file), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, how); err != nil {
		t.Fatal(err)
	}
	<-s.server.ended
}

// Start starts the server again, after Kill or Stop, on the same port and with what it had
// committed.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	// After a kill the server's own processes take a moment to notice; until then it refuses.
	for deadline := time.Now().Add(patience); ; {
		again, err := s.launcher.run(s.server.folder, s.port)
		if err == nil {
			s.server = again
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
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

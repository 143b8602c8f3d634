package storagetest

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/redis/go-redis/v9"
)

// RedisServer is a Redis server of one test alone, which may do to it what would stop others.
type RedisServer struct {
	t      testing.TB
	path   string
	folder string
	port   string
	more   []string
	run    *server // nil: it is dead
	pid    int
}

// OwnRedis starts a server that is stopped with the test; more are its arguments. Where none can
// be started the test is skipped, and fails if CI=true.
func OwnRedis(t testing.TB, more ...string) *RedisServer {
	t.Helper()
	path, err := find("redis-server", "redis-server", "/opt/homebrew/bin", "/usr/local/bin")
	if err != nil {
		give(t, nil, err)
	}
	s := &RedisServer{t: t, path: path, more: more}
	if s.folder, err = newFolder(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(s.folder) })
	if s.port, err = freePort(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Kill)
	s.Start()
	return s
}

// URL is where it is, also while it is dead.
func (s *RedisServer) URL() string { return "redis://127.0.0.1:" + s.port }

// Start starts it where it was, empty.
func (s *RedisServer) Start() {
	s.t.Helper()
	run, err := launcher{program: s.program, ready: s.ready}.run(s.folder, s.port)
	if err != nil {
		s.t.Fatal(err)
	}
	s.run = run
}

func (s *RedisServer) program(folder, port string) []string {
	args := []string{s.path, "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder}
	return append(args, s.more...)
}

// ready asks for the server's process id, which is a child's of what was started.
func (s *RedisServer) ready(port string) error {
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + port, MaxRetries: -1})
	defer func() { _ = client.Close() }()
	info, err := client.Info(context.Background(), "server").Result()
	if err != nil {
		return err
	}
	_, after, _ := strings.Cut(info, "process_id:")
	_, err = fmt.Sscan(after, &s.pid)
	return err
}

// Freeze stops the server's process: connections stay, and are made, and nothing answers.
func (s *RedisServer) Freeze() { s.signal(syscall.SIGSTOP) }

// Thaw lets it run on.
func (s *RedisServer) Thaw() { s.signal(syscall.SIGCONT) }

// Kill ends it as kill -9 does, and returns when it is gone. What it knew is lost.
func (s *RedisServer) Kill() {
	if s.run == nil {
		return
	}
	s.signal(syscall.SIGKILL)
	<-s.run.ended
	_ = s.run.stop.Close()
	s.run = nil
}

func (s *RedisServer) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := syscall.Kill(s.pid, sig); err != nil {
		s.t.Errorf("signal %d to redis-server: %v", sig, err)
	}
}

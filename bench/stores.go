//go:build linux

package main

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// stores are the servers that gateways of a run may share: URLs, "" where there is none.
type stores struct {
	postgres, redis string
	servers         [2]*process // PostgreSQL and Redis, where the run started them
}

// database gives the URL of a gateway's own database.
func (s *stores) database(n int) string {
	u, err := url.Parse(s.postgres)
	if err != nil {
		return s.postgres
	}
	u.Path = "/" + databaseName(n)
	return u.String()
}

func databaseName(n int) string { return fmt.Sprintf("aistrale_bench_%d_%d", os.Getpid(), n) }

// databases is how many gateways of a run have one of their own.
const databases = 2

// each runs a statement for each of them, with its name.
func (s *stores) each(statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.postgres)
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	for n := range databases {
		if _, err := conn.Exec(ctx, fmt.Sprintf(statement, databaseName(n))); err != nil {
			return err
		}
	}
	return nil
}

// size is what the databases take on disk, in bytes; 0 where there are none.
func (s *stores) size() (sum float64) {
	if s.postgres == "" {
		return 0
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.postgres)
	if err != nil {
		return 0
	}
	defer func() { _ = conn.Close(ctx) }()
	for n := range databases {
		var bytes float64
		if err := conn.QueryRow(ctx, `SELECT pg_database_size($1)`, databaseName(n)).Scan(&bytes); err == nil {
			sum += bytes
		}
	}
	return sum
}

// startStores runs the servers that were not named and are installed, on the core of the load: what
// they spend is not the gateway's. Both are set as they are delivered, so PostgreSQL calls fsync.
func (r *rig) startStores(named stores) (err error) {
	r.stores = named
	if path, missing := exec.LookPath("redis-server"); r.stores.redis == "" && missing == nil {
		if err := r.startRedis(path); err != nil {
			return err
		}
	}
	if path := installedPostgres(); r.stores.postgres == "" && path != "" {
		if err := r.startPostgres(path); err != nil {
			return err
		}
	}
	if r.stores.postgres == "" {
		return nil
	}
	return r.stores.each("CREATE DATABASE %s")
}

// stopStores drops what a named server was given; one that the run started ends with all it has.
func (r *rig) stopStores() {
	if r.stores.postgres != "" && r.stores.servers[0] == nil {
		_ = r.stores.each("DROP DATABASE IF EXISTS %s WITH (FORCE)")
	}
}

func (r *rig) startRedis(path string) (err error) {
	addr := free()
	host, port, _ := strings.Cut(addr, ":")
	p, err := program{name: "redis", core: 1, serves: func() bool { return listens(addr) }, path: path, args: []string{
		"--bind", host, "--port", port, "--save", "", "--appendonly", "no", "--dir", r.dir, "--loglevel", "warning",
	}}.launch()
	if err != nil {
		return err
	}
	r.others = append(r.others, p)
	r.stores.redis, r.stores.servers[1] = "redis://"+addr, p
	return nil
}

// nobody runs PostgreSQL where this is root, which it refuses.
const nobody = 65534

func (r *rig) startPostgres(path string) error {
	folder, err := os.MkdirTemp("", "bench-postgres")
	if err != nil {
		return err
	}
	r.folders = append(r.folders, folder)
	as := &syscall.SysProcAttr{}
	if os.Geteuid() == 0 {
		as.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
		if err := os.Chown(folder, nobody, nobody); err != nil {
			return err
		}
	}
	data := filepath.Join(folder, "data")
	initdb := exec.Command(filepath.Join(filepath.Dir(path), "initdb"), "-D", data, "-U", "bench", "--auth=trust", "-E", "UTF8", "--locale=C") //nolint:gosec // an installed program
	initdb.SysProcAttr, initdb.Dir = as, "/"
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	addr := free()
	_, port, _ := strings.Cut(addr, ":")
	address := "postgres://bench@" + addr + "/postgres?sslmode=disable"
	p, err := program{name: "postgres", core: 1, as: as, serves: func() bool { return connects(address) }, path: path, args: []string{
		"-D", data, "-p", port, "-h", "127.0.0.1", "-c", "unix_socket_directories=", "-c", "shared_buffers=256MB", "-c", "log_min_messages=panic",
	}}.launch()
	if err != nil {
		return err
	}
	r.others = append(r.others, p)
	r.stores.postgres, r.stores.servers[0] = address, p
	return nil
}

func connects(address string) bool {
	conn, err := pgx.Connect(context.Background(), address)
	if err != nil {
		return false
	}
	_ = conn.Close(context.Background())
	return true
}

func listens(addr string) bool {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// installedPostgres gives the server's path, "" where there is none: Debian keeps it off the PATH.
func installedPostgres() string {
	if path, err := exec.LookPath("postgres"); err == nil {
		return path
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if len(found) == 0 {
		return ""
	}
	return found[len(found)-1]
}

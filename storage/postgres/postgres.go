// Package postgres keeps the nouns, the ledger and, for nodes without a disk, the journal in one
// PostgreSQL database that many gateways share. It must never hold up a start because the server
// is down, and never shows the password in its URL.
package postgres

import (
	"context"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/ledger"
)

// Options say which database, and how long to wait for it.
type Options struct {
	// URL is postgres://user:password@host:port/database?…. The tables stand in the schema
	// "aistrale", or in the first one of its search_path parameter.
	URL storage.Secret
	// Log is told when the server is gone, and when it is back. nil: nobody is told.
	Log *slog.Logger
	// ConnectTimeout bounds one attempt to connect, where the URL has no connect_timeout: 0 is 5 s.
	ConnectTimeout time.Duration
}

// Store is a database, reached or not. It is safe for concurrent use.
type Store struct {
	config     *pgx.ConnConfig
	schema     string
	migrations fs.FS
	log        *slog.Logger

	nouns   *pgxpool.Pool
	writer  *pgxpool.Pool // of the ledger and the journal
	queries *pgxpool.Pool // of people, who may ask for long ones

	contact contact
	sql     *statements
	arrays  sync.Pool // of *arrays
	wires   sync.Pool // of *wire
	series  seriesIDs
	// How many series the store takes before it folds new ones.
	mostTagged, mostUntagged int

	end  context.CancelFunc
	done sync.WaitGroup
}

// Open prepares the database and brings its schema up to date. A URL that is wrong, a server
// that refuses the user, and a schema that is not ours or is too new are errors. A server that
// cannot be reached is not: calls fail until it can, and a goroutine that ends with Close goes
// on trying.
func Open(ctx context.Context, o Options) (*Store, error) {
	return open(ctx, o, embedded())
}

func open(ctx context.Context, o Options, migrations fs.FS) (*Store, error) {
	config, schema, err := parse(o)
	if err != nil {
		return nil, err
	}
	s := &Store{
		config: config.ConnConfig, schema: schema, migrations: migrations, log: o.Log,
		contact: newContact(), sql: newStatements(),
		mostTagged: ledger.MostTagged, mostUntagged: ledger.MostUntagged,
	}
	s.wires.New = func() any { return new(wire) }
	s.arrays.New = func() any { return newArrays(s.sql) }
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if err := s.connect(ctx, config); err != nil {
		return nil, err
	}
	var own context.Context
	own, s.end = context.WithCancel(context.WithoutCancel(ctx))
	if err := s.Ready(ctx); err != nil {
		if !unreachable(err) {
			s.Close()
			return nil, err
		}
		s.log.Warn("storage.postgres: the server cannot be reached, trying on", "error", err)
	}
	s.done.Go(func() { s.tend(own) })
	return s, nil
}

// Close closes all connections. Calls that are under way are waited for.
func (s *Store) Close() error {
	s.end()
	s.done.Wait()
	for _, pool := range []*pgxpool.Pool{s.nouns, s.writer, s.queries} {
		if pool != nil {
			pool.Close()
		}
	}
	return nil
}

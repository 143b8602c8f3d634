package postgres

import (
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/aistrale/aistrale/storage"
)

// Pools says how the pools of connections stand.
func (s *Store) Pools() []storage.Pool {
	var all []storage.Pool
	for _, p := range []struct {
		name string
		*pgxpool.Pool
	}{{"nouns", s.nouns}, {"writer", s.writer}, {"queries", s.queries}} {
		stat := p.Stat()
		all = append(all, storage.Pool{
			Store: "postgres", Name: p.name, InUse: int(stat.AcquiredConns()), Idle: int(stat.IdleConns()), Limit: int(stat.MaxConns()),
			Waits: stat.EmptyAcquireCount(), Waited: stat.EmptyAcquireWaitTime(),
		})
	}
	return all
}

package sqlite

import (
	"database/sql"

	"github.com/aistrale/aistrale/storage"
)

// Pools says how the pools of connections stand.
func (s *Store) Pools() []storage.Pool { return s.pools("nouns") }

// Pools says how the pools of connections stand.
func (l *Ledger) Pools() []storage.Pool { return l.pools("ledger") }

func (f *file) pools(name string) []storage.Pool {
	return []storage.Pool{pool(name+"_read", f.read.DB), pool(name+"_write", f.write)}
}

func pool(name string, db *sql.DB) storage.Pool {
	stat := db.Stats()
	return storage.Pool{
		Store: "sqlite", Name: name, InUse: stat.InUse, Idle: stat.Idle, Limit: stat.MaxOpenConnections,
		Waits: stat.WaitCount, Waited: stat.WaitDuration,
	}
}

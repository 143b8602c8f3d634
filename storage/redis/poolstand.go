package redis

import (
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/aistrale/aistrale/storage"
)

// Pools says how the counters' connections stand; in a cluster those to all its nodes together.
func (c *Counters) Pools() []storage.Pool { return []storage.Pool{pool("counters", c.client)} }

// Pools says how the connections for kept replies stand.
func (r *Replies) Pools() []storage.Pool { return []storage.Pool{pool("replies", r.client)} }

// Pools says how the connections of the bell stand.
func (b *Bell) Pools() []storage.Pool { return []storage.Pool{pool("bell", b.client)} }

func pool(name string, client goredis.UniversalClient) storage.Pool {
	stat := client.PoolStats()
	return storage.Pool{
		Store: "redis", Name: name, InUse: int(stat.TotalConns) - int(stat.IdleConns), Idle: int(stat.IdleConns), Limit: connections,
		Waits: int64(stat.WaitCount), Waited: time.Duration(stat.WaitDurationNs),
	}
}

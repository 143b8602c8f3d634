package main

import (
	"log/slog"

	"github.com/aistrale/aistrale/proxy"
	"github.com/aistrale/aistrale/storage/redis"
)

// replies owns the answers that are kept: in this process, or in Redis.
type replies struct {
	shared *redis.Replies // nil: in this process
	own    *proxy.MemoryReplies
}

func openReplies(config *Config, log *slog.Logger) (*replies, error) {
	if !config.Cache.Redis {
		return &replies{own: proxy.NewMemoryReplies(int(config.Cache.Memory))}, nil
	}
	shared, err := redis.OpenReplies(config.Storage.Redis, log)
	if err != nil {
		return nil, err
	}
	return &replies{shared: shared}, nil
}

func (r *replies) kept() proxy.Replies {
	if r.shared != nil {
		return r.shared
	}
	return r.own
}

// dropped counts what could not be kept.
func (r *replies) dropped() int64 {
	if r == nil || r.shared == nil {
		return 0
	}
	return r.shared.Dropped()
}

func (r *replies) close() error {
	if r == nil || r.shared == nil {
		return nil
	}
	return r.shared.Close()
}

package main

import (
	"context"
	"time"
)

// forgetExpired drops, now and every hour, the stored objects that have expired at their
// providers, the turns and payloads whose time has ended, and of the control plane the sessions, and the answers
// kept for requests that are sent again. It returns when ctx ends.
func (s *service) forgetExpired(ctx context.Context) {
	tick := time.NewTicker(trimEvery)
	defer tick.Stop()
	for {
		s.forget(ctx, "objects", s.store.ExpireObjects)
		s.forget(ctx, "turns", s.store.ExpireTurns)
		s.forget(ctx, "payloads", s.store.ExpirePayloads)
		s.forget(ctx, "sessions", s.store.ExpireDocuments)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (s *service) forget(ctx context.Context, what string, expire func(context.Context, time.Time) (int64, error)) {
	n, err := expire(ctx, time.Now())
	switch {
	case ctx.Err() != nil:
	case err != nil:
		s.log.Warn("expired "+what+" cannot be forgotten", "error", err.Error())
	case n > 0:
		s.log.Info("expired "+what+" are forgotten", what, n)
	}
}

package main

import (
	"context"
	"time"
)

// forgetObjects drops, now and every hour, the stored objects that have expired at their
// providers. It returns when ctx ends.
func (s *service) forgetObjects(ctx context.Context) {
	tick := time.NewTicker(trimEvery)
	defer tick.Stop()
	for {
		n, err := s.store.ExpireObjects(ctx, time.Now())
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.log.Warn("expired objects cannot be forgotten", "error", err.Error())
		case n > 0:
			s.log.Info("expired objects are forgotten", "objects", n)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

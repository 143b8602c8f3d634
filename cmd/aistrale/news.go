package main

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aistrale/aistrale/storage/postgres"
	"github.com/aistrale/aistrale/storage/redis"
)

// lookSlowly is how often the store is looked at where it tells of its changes. It is what a
// message that was lost costs, and less than the second in which a revoked key is refused.
const lookSlowly = 500 * time.Millisecond

// news is how a gateway hears that the store has changed: from its own control plane, and from the
// servers that it shares with others. Whatever they lose is looked for.
type news struct {
	heard    chan struct{} // of capacity 1
	lines    []line
	standing atomic.Int32
	bell     *redis.Bell // nil without Redis
	stands   func(line string, up bool)
}

// line is a server that tells of changes until ctx ends.
type line struct {
	name   string
	listen func(ctx context.Context, heard func(), up func(bool))
}

// openNews finds the lines. A store that is on this machine has none, and needs none.
func openNews(config *Config, nouns nounStore, stands func(line string, up bool), log *slog.Logger) (*news, error) {
	n := &news{heard: make(chan struct{}, 1), stands: stands}
	shared, ok := nouns.(*postgres.Store)
	if !ok {
		return n, nil
	}
	n.lines = append(n.lines, line{"postgres", shared.Listen})
	if config.Storage.Redis.Empty() {
		return n, nil
	}
	var err error
	if n.bell, err = redis.OpenBell(config.Storage.Redis, log); err != nil {
		return nil, err
	}
	n.lines = append(n.lines, line{"redis", n.bell.Listen})
	return n, nil
}

// changed is told of a change that this process has made.
func (n *news) changed() {
	n.hear()
	if n.bell != nil {
		n.bell.Ring()
	}
}

func (n *news) hear() {
	select {
	case n.heard <- struct{}{}:
	default: // one look sees all changes
	}
}

// run listens until ctx ends.
func (n *news) run(ctx context.Context) {
	var listening sync.WaitGroup
	for _, l := range n.lines {
		n.stands(l.name, false)
		up := false
		listening.Go(func() {
			l.listen(ctx, n.hear, func(now bool) {
				switch {
				case now == up:
					return
				case now:
					n.standing.Add(1)
				default:
					n.standing.Add(-1)
				}
				up = now
				n.stands(l.name, now)
			})
		})
	}
	if n.bell != nil {
		listening.Go(func() { n.bell.Run(ctx) })
	}
	listening.Wait()
}

// every is how often the store is to be looked at.
func (n *news) every() time.Duration {
	if n.standing.Load() > 0 {
		return lookSlowly
	}
	return look
}

// unrung counts changes that Redis was not told of.
func (n *news) unrung() int64 {
	if n == nil || n.bell == nil {
		return 0
	}
	return n.bell.Unrung()
}

func (n *news) close() error {
	if n == nil || n.bell == nil {
		return nil
	}
	return n.bell.Close()
}

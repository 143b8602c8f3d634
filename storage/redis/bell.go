package redis

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/aistrale/aistrale/storage"
)

const (
	// bellChannel is where a change of the store is told of. Who shares a Redis and not the store
	// looks in vain, which costs one row.
	bellChannel = prefix + "nouns"
	ringTimeout = time.Second
	// quietFor is how long nothing is heard before the line is tried.
	quietFor      = 15 * time.Second
	firstBellWait = 200 * time.Millisecond
	longBellWait  = 10 * time.Second
)

// Bell tells other gateways that the store has changed, and is told. What it loses, the store's
// Version tells.
type Bell struct {
	client goredis.UniversalClient
	log    *slog.Logger
	due    chan struct{} // of capacity 1: many changes are one ring
	unrung atomic.Int64
}

// OpenBell connects when it is first used. Its error names the setting.
func OpenBell(url storage.Secret, log *slog.Logger) (*Bell, error) {
	client, _, err := connect(Options{URL: url, Timeout: ringTimeout})
	if err != nil {
		return nil, err
	}
	return &Bell{client: client, log: log, due: make(chan struct{}, 1)}, nil
}

// Ring has Run tell the others. It never blocks.
func (b *Bell) Ring() {
	select {
	case b.due <- struct{}{}:
	default:
	}
}

// Unrung counts rings that Redis did not take.
func (b *Bell) Unrung() int64 { return b.unrung.Load() }

// Run rings until ctx ends.
func (b *Bell) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.due:
		}
		limit, cancel := context.WithTimeout(ctx, ringTimeout)
		if err := b.client.Publish(limit, bellChannel, "").Err(); err != nil {
			b.unrung.Add(1)
		}
		cancel()
	}
}

// Listen calls heard for each ring, and once whenever the line stands anew, as one may have been
// missed; up says whether the line stands. It returns when ctx ends.
func (b *Bell) Listen(ctx context.Context, heard func(), up func(bool)) {
	wait, told := firstBellWait, false
	for ctx.Err() == nil {
		err := b.listen(ctx, heard, func() {
			wait, told = firstBellWait, false
			up(true)
		})
		up(false)
		if ctx.Err() != nil {
			return
		}
		if !told {
			told = true
			b.log.Warn("storage.redis: changes of the store are not told of; they are looked for", "error", err.Error())
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait/2 + rand.N(wait)): //nolint:gosec // nodes that lost one server must only not stay in step
		}
		wait = min(2*wait, longBellWait)
	}
}

// listen is Listen on one connection, until it fails.
func (b *Bell) listen(ctx context.Context, heard, up func()) error {
	line := b.client.Subscribe(ctx, bellChannel)
	defer line.Close()
	defer context.AfterFunc(ctx, func() { _ = line.Close() })() // the driver waits for answers only
	for tried := false; ; {
		said, err := line.ReceiveTimeout(ctx, quietFor)
		var slow net.Error
		switch {
		case err != nil && (tried || !errors.As(err, &slow) || !slow.Timeout()):
			return err
		case err != nil:
			if err := line.Ping(ctx); err != nil {
				return err
			}
			tried = true // what comes next is its answer, or the line is dead
			continue
		}
		tried = false
		switch said.(type) {
		case *goredis.Subscription:
			up()
			heard()
		case *goredis.Message:
			heard()
		}
	}
}

// Close lets go of the connections. Nobody may be listening.
func (b *Bell) Close() error { return b.client.Close() }

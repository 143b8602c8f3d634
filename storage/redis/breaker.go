package redis

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sony/gobreaker/v2"
)

// probeAfter is how long after a failure Redis is tried again, off the path of any call.
const probeAfter = 20 * time.Millisecond

// errNotSent is ErrDown where nothing can have been done.
var errNotSent = fmt.Errorf("%w, and are not asked", ErrDown)

// newBreaker makes the breaker that lets no call wait for a Redis that the call before it waited
// for in vain. It opens at the first failure, because closing it again costs no call anything:
// keep probes.
func (c *Counters) newBreaker() *gobreaker.CircuitBreaker[struct{}] {
	return gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Name:        "redis",
		Timeout:     probeAfter,
		ReadyToTrip: func(n gobreaker.Counts) bool { return n.ConsecutiveFailures > 0 },
		OnStateChange: func(_ string, from, to gobreaker.State) {
			switch {
			case from == gobreaker.StateClosed:
				wake(c.tripped)
				c.options.Log.Warn("storage.redis: the counters do not answer")
			case to == gobreaker.StateClosed:
				c.options.Log.Info("storage.redis: the counters answer again")
			}
		},
	})
}

// Up reports whether Redis answered when it was last asked.
func (c *Counters) Up() bool { return c.breaker.State() == gobreaker.StateClosed }

// guarded does one round trip, unless the one before failed.
func (c *Counters) guarded(ctx context.Context, trip func(context.Context) error) error {
	if !c.Up() {
		return errNotSent
	}
	return c.probe(ctx, c.options.Timeout, trip)
}

// probe does one round trip, also where the breaker waits for one to say whether it may close.
func (c *Counters) probe(ctx context.Context, timeout time.Duration, trip func(context.Context) error) error {
	_, err := c.breaker.Execute(func() (struct{}, error) {
		bounded, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		return struct{}{}, trip(bounded)
	})
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return errNotSent
	}
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrDown, err)
}

// wake rings a bell that may be ringing already.
func wake(bell chan struct{}) {
	select {
	case bell <- struct{}{}:
	default:
	}
}

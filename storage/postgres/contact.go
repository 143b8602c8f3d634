package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// contact is the first talk with the server, in which the schema is brought up to date.
type contact struct {
	made atomic.Bool
	turn chan struct{} // of capacity 1: whoever puts something in talks
}

func newContact() contact { return contact{turn: make(chan struct{}, 1)} }

// errRefused is wrapped where the server answered and what it says is for an operator to mend.
var errRefused = errors.New("it is not to be used")

// Ready says whether the server has been reached and has our schema, and tries where that has
// not been so yet. Having been reached once it stays ready: of later trouble each call tells.
func (s *Store) Ready(ctx context.Context) error {
	if s.contact.made.Load() {
		return nil
	}
	select {
	case s.contact.turn <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("storage.postgres: not reached yet: %w", ctx.Err())
	}
	defer func() { <-s.contact.turn }()
	if s.contact.made.Load() {
		return nil
	}
	if err := s.migrate(ctx); err != nil {
		return fmt.Errorf("storage.postgres: %w", err)
	}
	s.contact.made.Store(true)
	return nil
}

// unreachable reports whether waiting may help: no answer, or that of a server which starts,
// stops, is full, or is a replica that has not taken over yet.
func unreachable(err error) bool {
	if errors.Is(err, errRefused) {
		return false
	}
	code := refusal(err)
	if code == "" {
		return true
	}
	for _, class := range []string{"08", "53", "57", "58", "25006", "40", "55P03"} {
		if strings.HasPrefix(code, class) {
			return true
		}
	}
	return false
}

// outage wraps storage.ErrLedgerUnavailable around the error of a question that may be answered
// later.
func outage(err error) error {
	if !unreachable(err) {
		return err
	}
	return fmt.Errorf("%w: %w", storage.ErrLedgerUnavailable, err)
}

const (
	firstWait   = 200 * time.Millisecond
	longestWait = 10 * time.Second
)

// tend is the store's own goroutine: it makes the first contact where Open could not, and then
// each hour the partitions of the days that come.
func (s *Store) tend(ctx context.Context) {
	s.reach(ctx)
	hourly := time.NewTicker(time.Hour)
	defer hourly.Stop()
	for ctx.Err() == nil {
		if err := s.prepareDays(ctx, time.Now()); err != nil && ctx.Err() == nil {
			s.log.Warn("storage.postgres: no partition for the days that come, they are made as they begin", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-hourly.C:
		}
	}
}

// reach tries until there was a first contact, longer and longer apart.
func (s *Store) reach(ctx context.Context) {
	wait, told := firstWait, ""
	for !s.contact.made.Load() {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait/2 + rand.N(wait)): //nolint:gosec // nodes that start at once must only not stay in step
		}
		wait = min(2*wait, longestWait)
		err := s.Ready(ctx)
		switch {
		case err == nil:
			s.log.Info("storage.postgres: the server is reached")
		case ctx.Err() == nil && err.Error() != told:
			told = err.Error()
			s.log.Warn("storage.postgres: still not reached", "error", err)
		}
	}
}

package postgres

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

const (
	// echoEvery is how often a listener makes sure that it still hears, and echoIn how long it
	// waits to hear itself.
	echoEvery = 30 * time.Second
	echoIn    = 5 * time.Second
)

// errDeaf is what a pooler that hands connections around makes of LISTEN, or a line that is dead.
var errDeaf = errors.New("what the server is told to say does not come back")

// channel is where changes of nouns are told of. Each schema has its own, whose name is no longer
// than the server takes.
func (s *Store) channel() string {
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(s.schema)) // never fails
	return fmt.Sprintf("aistrale_nouns_%016x", sum.Sum64())
}

// Listen tells of changes of nouns, by whichever process, the moment they are made: heard is called
// for each, and once whenever the line stands anew, as something may have been missed; up says
// whether the line stands. What is lost, Version tells. It returns when ctx ends.
func (s *Store) Listen(ctx context.Context, heard func(), up func(bool)) {
	wait, told := firstWait, ""
	for ctx.Err() == nil {
		stood := false
		err := s.listen(ctx, heard, func() { stood = true; up(true) })
		up(false)
		if ctx.Err() != nil {
			return
		}
		if stood {
			wait, told = firstWait, ""
		}
		if err.Error() != told {
			told = err.Error()
			s.log.Warn("storage.postgres: changes are not told of at once; they are looked for", "error", told)
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait/2 + rand.N(wait)): //nolint:gosec // nodes that lost one server must only not stay in step
		}
		wait = min(2*wait, longestWait)
	}
}

// listen is Listen on one connection, until it fails.
func (s *Store) listen(ctx context.Context, heard, up func()) error {
	if err := s.Ready(ctx); err != nil {
		return err
	}
	conn, err := pgx.ConnectConfig(ctx, s.config.Copy())
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(ctx) // it is gone either way
	}()
	echo := "aistrale_echo_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	for _, channel := range []string{echo, s.channel()} {
		if _, err := conn.Exec(ctx, `LISTEN `+pgx.Identifier{channel}.Sanitize()); err != nil {
			return err
		}
	}
	for standing := false; ; {
		if _, err := s.exec(ctx, `SELECT pg_notify($1, '')`, echo); err != nil {
			return err
		}
		if err := s.untilEcho(ctx, conn, echo, heard); err != nil {
			return err
		}
		if !standing {
			standing = true
			up()
			heard()
		}
		if err := s.untilQuiet(ctx, conn, heard); err != nil {
			return err
		}
	}
}

// untilEcho passes on what is heard until it is oneself.
func (s *Store) untilEcho(ctx context.Context, conn *pgx.Conn, echo string, heard func()) error {
	limit, cancel := context.WithTimeout(ctx, echoIn)
	defer cancel()
	for {
		n, err := conn.WaitForNotification(limit)
		switch {
		case err != nil && limit.Err() != nil && ctx.Err() == nil:
			return errDeaf
		case err != nil:
			return err
		case n.Channel == echo:
			return nil
		}
		heard()
	}
}

// untilQuiet passes on what is heard, for as long as an echo is good.
func (s *Store) untilQuiet(ctx context.Context, conn *pgx.Conn, heard func()) error {
	limit, cancel := context.WithTimeout(ctx, echoEvery)
	defer cancel()
	for {
		if _, err := conn.WaitForNotification(limit); err != nil {
			if limit.Err() != nil && ctx.Err() == nil && !conn.IsClosed() {
				return nil
			}
			return err
		}
		heard()
	}
}

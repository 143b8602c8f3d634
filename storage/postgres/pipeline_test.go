package postgres

import (
	"context"
	"errors"
	"testing"

	"github.com/aistrale/aistrale/storage"
)

// A write that is cut off while the server works on it is either done or not, and what it leaves
// behind is no connection that the next one stumbles over.
func TestWriteCutOff(t *testing.T) {
	s := fresh(t)
	entries := entriesAt(noon, 0, 30)
	do(t, s.Write(t.Context(), entries[:10]))
	for round := range int(writerPool.most) + 1 { // what was cut off may be done all the same
		batch := entries[:14+4*round]
		blocker, err := s.nouns.Begin(t.Context())
		do(t, err)
		_, err = blocker.Exec(t.Context(), `LOCK TABLE usage_day`)
		do(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		cut := make(chan error, 1)
		go func() { cut <- s.Write(ctx, batch) }()
		until(t, func() bool {
			var waits bool
			do(t, s.queries.QueryRow(t.Context(), `SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)`).Scan(&waits))
			return waits
		})
		cancel()
		if err := <-cut; !errors.Is(err, context.Canceled) || !errors.Is(err, storage.ErrLedgerUnavailable) {
			t.Errorf("error %v; want one that wraps Canceled and ErrLedgerUnavailable", err)
		}
		do(t, blocker.Rollback(t.Context()))
	}
	do(t, s.Write(t.Context(), entries))
	wantUsage(t, s, entries)
}

// A step that the server refuses fails those behind it, and nothing else.
func TestPipelineRefused(t *testing.T) {
	s := fresh(t)
	conn, err := s.writer.Acquire(t.Context())
	do(t, err)
	defer conn.Release()
	one, bad := step{statement{"one", `SELECT 1::int4`}, nil}, step{statement{"bad", `SELECT 1 / (SELECT 0)`}, nil}
	for range 2 {
		var rows []int
		err := s.pipeline(t.Context(), conn.Conn(), []step{one, bad, one}, func(i int, _ [][]byte) error {
			rows = append(rows, i)
			return nil
		})
		if refusal(err) != "22012" || len(rows) != 1 || rows[0] != 0 {
			t.Errorf("error %v after rows of %v; want 22012 after a row of the first", err, rows)
		}
	}
	var n int
	do(t, conn.QueryRow(t.Context(), `SELECT 2`).Scan(&n)) // the driver still knows where it stands
	if n != 2 || conn.Conn().PgConn().TxStatus() != 'I' {
		t.Errorf("got %d, status %c", n, conn.Conn().PgConn().TxStatus())
	}
	stop := errors.New("enough")
	err = s.pipeline(t.Context(), conn.Conn(), []step{one, one}, func(int, [][]byte) error { return stop })
	if !errors.Is(err, stop) {
		t.Errorf("error %v, want the reader's", err)
	}
}

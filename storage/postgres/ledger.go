package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/ledger"
)

const (
	// mostAtOnce bounds the entries of one transaction.
	mostAtOnce = 2000
	// writeTimeout bounds a transaction, for servers that neither answer nor hang up.
	writeTimeout = 30 * time.Second
	// rollbackTimeout bounds what is done for a connection after a failure.
	rollbackTimeout = 2 * time.Second
	// mostTries bounds how often a transaction is tried that the server gave up.
	mostTries = 5
)

// Write adds entries to the ledger and to the roll-ups, in transactions of up to 2,000. An entry
// that is there already changes nothing, so what failed can be written again whole. It wraps
// ledger.ErrEntry where an entry can never be kept, and storage.ErrLedgerUnavailable where
// waiting may help.
func (s *Store) Write(ctx context.Context, entries []storage.Entry) error {
	for some := range slices.Chunk(entries, mostAtOnce) {
		ordered, err := ledger.Order(some)
		if err != nil {
			return err
		}
		if err := s.keep(ctx, &deposit{settled: ordered}); err != nil {
			return err
		}
	}
	return nil
}

// keep writes a deposit, again where another transaction was in its way.
func (s *Store) keep(ctx context.Context, d *deposit) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	err := s.Ready(ctx)
	for try := 1; err == nil; try++ {
		err = s.writer.AcquireFunc(ctx, func(conn *pgxpool.Conn) error { return d.write(ctx, s, conn.Conn()) })
		code := refusal(err)
		switch {
		case err == nil:
			return nil
		case try == mostTries:
		case code == codeNoPartition:
			err = s.addPartitions(ctx, days(d.settled))
		case code == codeDeadlock || code == codeSerialization:
			err = nil
		}
	}
	return unavailable(fmt.Errorf("ledger: %w", err))
}

// unavailable wraps storage.ErrLedgerUnavailable around what may pass: all but what the server,
// or the check before it, finds wrong with an entry.
func unavailable(err error) error {
	if poison(err) || errors.Is(err, storage.ErrLedgerUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %w", storage.ErrLedgerUnavailable, err)
}

// poison reports whether it is for an entry itself that it was not kept: by the ledger's check,
// or by the server as wrong data, against a constraint or over a limit.
func poison(err error) bool {
	code := refusal(err)
	return errors.Is(err, ledger.ErrEntry) || len(code) > 2 && slices.Contains([]string{"22", "23", "54"}, code[:2])
}

// rollback ends a transaction that failed, so that the connection can be used again.
func rollback(ctx context.Context, conn *pgx.Conn) {
	if conn.IsClosed() || conn.PgConn().TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	if _, err := conn.Exec(ctx, `ROLLBACK`); err != nil {
		_ = conn.Close(ctx)
	}
}

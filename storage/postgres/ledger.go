package postgres

import (
	"context"
	"encoding/binary"
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

// unavailable wraps storage.ErrLedgerUnavailable around what may pass.
func unavailable(err error) error {
	if unreachable(err) {
		return fmt.Errorf("%w: %w", storage.ErrLedgerUnavailable, err)
	}
	return err
}

// deposit is what one transaction writes.
type deposit struct {
	settled []*storage.Entry // by key, each once

	inserted []*storage.Entry // of settled, those that were not there
	known    map[attempt]*storage.Entry
}

// attempt names an attempt.
type attempt struct {
	request [16]byte
	number  int
}

func attemptOf(e *storage.Entry) attempt { return attempt{e.RequestID, e.Attempt} }

// write runs the transaction: one round trip that inserts the entries and says which of them
// were new, one that adds what those make to the roll-ups.
func (d *deposit) write(ctx context.Context, s *Store, conn *pgx.Conn) (err error) {
	defer func() {
		if err != nil {
			rollback(ctx, conn)
		}
	}()
	set := s.arrays.Get().(*arrays)
	defer func() {
		set.shrink()
		s.arrays.Put(set)
	}()
	batch, err := d.insert(ctx, s, conn, set)
	if err != nil {
		return err
	}
	if len(d.inserted) < len(d.settled) || len(d.known) > 0 {
		batch = new(ledger.Batch)
		for _, e := range d.inserted {
			batch.Add(e, d.known[attemptOf(e)])
		}
	}
	numbers, err := s.number(ctx, conn, batch.Series())
	if err != nil {
		return err
	}
	steps := set.rollups(batch.Rows(numbers))
	return pipeline(ctx, conn, append(steps, step{commit, nil}), nil)
}

// rollbackTimeout bounds what is done for a connection after a failure.
const rollbackTimeout = 2 * time.Second

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

// insert opens the transaction and inserts the entries. The batch that it gives is right where
// all of them were new.
func (d *deposit) insert(ctx context.Context, s *Store, conn *pgx.Conn, set *arrays) (*ledger.Batch, error) {
	batch, own := new(ledger.Batch), make([]int, len(d.settled))
	corrects := false
	for i, e := range d.settled {
		own[i] = batch.Add(e, nil)
		corrects = corrects || e.Revision > 1
	}
	numbers, err := s.number(ctx, conn, batch.Series())
	if err != nil {
		return nil, err
	}
	set.fill(d.settled, func(i int) int64 { return numbers[own[i]] })
	params := set.params()
	look := []step{{s.sql.shared, nil}, {s.sql.corrected, params[:lookColumns]}}
	if corrects {
		look = []step{{s.sql.exclusive, nil}, {s.sql.revisions, params[:lookColumns]}}
	}
	steps := append([]step{{begin, nil}}, append(look, step{s.sql.insert, params})...)
	d.inserted, d.known = d.inserted[:0], nil
	next := 0
	err = pipeline(ctx, conn, steps, func(i int, row [][]byte) error {
		switch i {
		case 2:
			return d.learn(row[0])
		case 3:
			for ; next < len(d.settled); next++ {
				if sameKey(d.settled[next], row) {
					d.inserted = append(d.inserted, d.settled[next])
					next++
					return nil
				}
			}
			return errors.New("BUG: an entry was inserted that is not of the batch")
		}
		return nil
	})
	return batch, err
}

// learn notes the highest revision of an attempt that the ledger has.
func (d *deposit) learn(encoded []byte) error {
	e := new(storage.Entry)
	if err := e.Parse(encoded); err != nil {
		return err
	}
	if d.known == nil {
		d.known = make(map[attempt]*storage.Entry)
	}
	d.known[attemptOf(e)] = e
	return nil
}

// sameKey reports whether a row that the insert gave back is an entry's.
func sameKey(e *storage.Entry, row [][]byte) bool {
	return string(row[0]) == string(e.RequestID[:]) &&
		binary.BigEndian.Uint32(row[1]) == uint32(e.Attempt) && binary.BigEndian.Uint32(row[2]) == uint32(e.Revision)
}

package postgres

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/ledger"
)

// deposit is what one transaction writes, and what it learns.
type deposit struct {
	settled []*storage.Entry // by key, each once

	// Of a journal: attempts that instance opens, and those that are no longer open.
	instance uuid.UUID
	opened   []*storage.Entry
	closed   []attempt

	inserted []*storage.Entry           // of settled, those that were not there
	known    map[attempt]*storage.Entry // what was there of their attempts: the highest revision
}

// attempt names an attempt.
type attempt struct {
	request uuid.UUID
	number  int
}

func attemptOf(e *storage.Entry) attempt { return attempt{e.RequestID, e.Attempt} }

func compareAttempts(a, b attempt) int {
	return cmp.Or(bytes.Compare(a.request[:], b.request[:]), cmp.Compare(a.number, b.number))
}

// rejected gives the settled entries that were there already.
func (d *deposit) rejected() []*storage.Entry {
	var rest []*storage.Entry
	next := 0
	for _, e := range d.settled {
		if next < len(d.inserted) && d.inserted[next] == e {
			next++
			continue
		}
		rest = append(rest, e)
	}
	return rest
}

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
	if len(d.settled) == 0 {
		return s.pipeline(ctx, conn, d.openSteps(s), nil)
	}
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
	return s.pipeline(ctx, conn, append(steps, commit()), nil)
}

// The places of steps in the first round trip whose rows are read.
const (
	stepLook   = 2
	stepInsert = 3
)

// insert opens the transaction and inserts the entries. The batch that it gives is right where
// all of them were new, and nothing of their attempts was there.
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
	steps := []step{begin(), {s.sql.shared, nil}, {s.sql.corrected, params[:lookColumns]}, {s.sql.insert, params}}
	if corrects {
		steps[1].statement, steps[2].statement = s.sql.exclusive, s.sql.revisions
	}
	steps = append(steps, d.openSteps(s)...)
	d.inserted, d.known = d.inserted[:0], nil
	next := 0
	err = s.pipeline(ctx, conn, steps, func(i int, row [][]byte) error {
		switch i {
		case stepLook:
			return d.learn(row[0])
		case stepInsert:
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

// openSteps write the journal's part of a deposit. What is closed goes first: an attempt that was
// refused may be opened again.
func (d *deposit) openSteps(s *Store) []step {
	var steps []step
	if len(d.closed) > 0 {
		var requests, numbers array
		requests.reset(pgtype.UUIDOID)
		numbers.reset(pgtype.Int4OID)
		slices.SortFunc(d.closed, compareAttempts)
		for _, a := range d.closed {
			requests.uuid(a.request)
			numbers.int4(a.number)
		}
		steps = append(steps, step{s.sql.close, [][]byte{requests.done(), numbers.done()}})
	}
	if len(d.opened) > 0 {
		var requests, numbers, entries array
		requests.reset(pgtype.UUIDOID)
		numbers.reset(pgtype.Int4OID)
		entries.reset(pgtype.ByteaOID)
		slices.SortFunc(d.opened, func(a, b *storage.Entry) int { return compareAttempts(attemptOf(a), attemptOf(b)) })
		for _, e := range d.opened {
			requests.uuid(e.RequestID)
			numbers.int4(e.Attempt)
			entries.entry(e)
		}
		steps = append(steps, step{s.sql.open, [][]byte{requests.done(), numbers.done(), d.instance[:], entries.done()}})
	}
	return steps
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

// latest gives of each entry's attempt the highest revision that the ledger has.
func (s *Store) latest(ctx context.Context, entries []*storage.Entry) (map[attempt]*storage.Entry, error) {
	var d deposit
	var days, requests array
	days.reset(pgtype.DateOID)
	requests.reset(pgtype.UUIDOID)
	for _, e := range entries {
		days.date(e.Day())
		requests.uuid(e.RequestID)
	}
	look := []step{{s.sql.revisions, [][]byte{days.done(), requests.done()}}}
	err := s.writer.AcquireFunc(ctx, func(conn *pgxpool.Conn) error {
		return s.pipeline(ctx, conn.Conn(), look, func(_ int, row [][]byte) error { return d.learn(row[0]) })
	})
	return d.known, err
}

package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// statement is SQL that a connection prepares once, under a name of its own.
type statement struct{ name, sql string }

// The statements around a transaction's own.
func begin() step  { return step{statement{"begin", `BEGIN`}, nil} }
func commit() step { return step{statement{"commit", `COMMIT`}, nil} }

// step is a statement with its parameters, in binary form.
type step struct {
	statement
	params [][]byte
}

// wire is the memory that messages are made in. The driver's own is made anew for each batch,
// and grows from nothing to hundreds of kilobytes: that costs more than all the rest of a row.
type wire struct{ buf []byte }

// pipeline sends steps in one round trip, and hands the rows of each to read, which may be nil; a
// row is good until the next. Without BEGIN in it or before it, it is a transaction of its own.
func (s *Store) pipeline(ctx context.Context, conn *pgx.Conn, steps []step, read func(step int, row [][]byte) error) error {
	for _, step := range steps {
		if _, err := conn.Prepare(ctx, step.name, step.sql); err != nil {
			return fmt.Errorf("prepare %s: %w", step.name, err)
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	w := s.wires.Get().(*wire)
	defer s.wires.Put(w)
	if err := w.encode(steps); err != nil {
		return err
	}
	// The end of ctx ends the exchange wherever it is; the connection is then of no more use.
	raw := conn.PgConn().Conn()
	stop := context.AfterFunc(ctx, func() { _ = raw.SetDeadline(time.Unix(1, 0)) })
	err := w.exchange(conn.PgConn(), raw, steps, read)
	if !stop() || broken(err) {
		_ = raw.SetDeadline(time.Unix(1, 0)) // no farewell on a line that is stuck
		_ = conn.Close(context.WithoutCancel(ctx))
		if ctx.Err() != nil {
			err = errors.Join(ctx.Err(), err)
		}
	}
	return err
}

// encode makes the messages of the steps.
func (w *wire) encode(steps []step) (err error) {
	if cap(w.buf) > mostKept {
		w.buf = nil
	}
	w.buf = w.buf[:0]
	binary := []int16{pgx.BinaryFormatCode}
	for _, s := range steps {
		bind := pgproto3.Bind{PreparedStatement: s.name, ParameterFormatCodes: binary, Parameters: s.params, ResultFormatCodes: binary}
		if w.buf, err = bind.Encode(w.buf); err != nil {
			return err
		}
		if w.buf, err = (&pgproto3.Execute{}).Encode(w.buf); err != nil {
			return err
		}
	}
	w.buf, err = (&pgproto3.Sync{}).Encode(w.buf)
	return err
}

// errLine is wrapped where it is not known what the server has done or will say next.
var errLine = errors.New("the connection broke")

func broken(err error) bool { return errors.Is(err, errLine) }

// exchange sends what was encoded, and reads until the server has answered all of it.
func (w *wire) exchange(conn *pgconn.PgConn, raw net.Conn, steps []step, read func(step int, row [][]byte) error) error {
	if _, err := raw.Write(w.buf); err != nil {
		return fmt.Errorf("%w: %w", errLine, err)
	}
	var failed error
	for done := 0; ; {
		// Without a context: the driver would start a goroutine for each message.
		message, err := conn.ReceiveMessage(context.Background())
		if err != nil {
			return errors.Join(failed, fmt.Errorf("%w: %w", errLine, err))
		}
		switch m := message.(type) {
		case *pgproto3.DataRow:
			if read != nil && failed == nil {
				failed = read(done, m.Values)
			}
		case *pgproto3.CommandComplete, *pgproto3.EmptyQueryResponse:
			done++
		case *pgproto3.ErrorResponse: // the server skips the other steps
			failed = errors.Join(failed, fmt.Errorf("%s: %w", steps[min(done, len(steps)-1)].name, pgconn.ErrorResponseToPgError(m)))
		case *pgproto3.ReadyForQuery:
			return failed
		}
	}
}

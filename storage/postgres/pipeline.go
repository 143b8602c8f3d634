package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// statement is SQL that a connection prepares once, under a name of its own.
type statement struct{ name, sql string }

// The statements around a transaction's own.
var (
	begin  = statement{"begin", `BEGIN`}
	commit = statement{"commit", `COMMIT`}
)

// step is a statement with its parameters, in binary form.
type step struct {
	statement
	params [][]byte
}

// pipeline sends steps in one round trip, below the driver's own encoding of arguments, and hands
// the rows of each to read, which may be nil; a row is good until the next. Without BEGIN in it
// or before it, it is a transaction of its own.
func pipeline(ctx context.Context, conn *pgx.Conn, steps []step, read func(step int, row [][]byte) error) error {
	var batch pgconn.Batch
	binary := []int16{pgx.BinaryFormatCode}
	for _, s := range steps {
		prepared, err := conn.Prepare(ctx, s.name, s.sql)
		if err != nil {
			return fmt.Errorf("prepare %s: %w", s.name, err)
		}
		batch.ExecStatement(prepared, s.params, binary, binary)
	}
	results := conn.PgConn().ExecBatch(ctx, &batch)
	var failed error
	for i := 0; results.NextResult(); i++ {
		rows := results.ResultReader()
		for rows.NextRow() {
			if read != nil && failed == nil {
				failed = read(i, rows.Values())
			}
		}
		if _, err := rows.Close(); err != nil && failed == nil {
			failed = fmt.Errorf("%s: %w", steps[i].name, err)
		}
	}
	if err := results.Close(); err != nil && failed == nil {
		failed = err
	}
	return failed
}

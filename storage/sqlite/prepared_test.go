package sqlite

import (
	"errors"
	"fmt"
	"sync"
	"testing"
)

// What is asked again is prepared once, by however many at a time, and as many are kept as there
// is room for; the others are answered all the same.
func TestPrepared(t *testing.T) {
	p := fresh(t).read
	before := len(p.kept)
	var all sync.WaitGroup
	for range 2 * readers {
		all.Go(func() {
			for n := range 50 {
				var got int
				if err := p.QueryRowContext(t.Context(), `SELECT ?+1`, n).Scan(&got); err != nil || got != n+1 {
					t.Errorf("%d after %d, %v", got, n, err)
				}
			}
		})
	}
	all.Wait()
	if len(p.kept) != before+1 {
		t.Errorf("%d statements are kept, want one more than %d", len(p.kept), before)
	}
	for n := range 2 * keptStatements {
		var got int
		if err := p.QueryRowContext(t.Context(), fmt.Sprintf(`SELECT %d`, n)).Scan(&got); err != nil || got != n {
			t.Errorf("%d, want %d, %v", got, n, err)
		}
	}
	if len(p.kept) != keptStatements {
		t.Errorf("%d statements are kept, want %d", len(p.kept), keptStatements)
	}
}

// A kept statement sees a schema that has changed since, and one that cannot be prepared is an
// error each time.
func TestPrepared_Schema(t *testing.T) {
	s := fresh(t)
	const asks = `SELECT * FROM later`
	for range 2 {
		if _, err := s.read.QueryContext(t.Context(), asks); err == nil { //nolint:rowserrcheck,sqlclosecheck // there are none
			t.Fatal("a table that is not there was read")
		}
		if err := s.read.QueryRowContext(t.Context(), asks).Scan(new(int)); err == nil {
			t.Fatal("a table that is not there was read")
		}
	}
	for i, change := range []string{`CREATE TABLE later AS SELECT 1 AS a`, `ALTER TABLE later ADD COLUMN b DEFAULT 2`} {
		if _, err := s.write.ExecContext(t.Context(), change); err != nil {
			t.Fatal(err)
		}
		if got := columns(t, s.read, asks); got != i+1 {
			t.Errorf("after %q it gives %d columns", change, got)
		}
	}
}

func columns(t *testing.T, p *prepared, query string) int {
	t.Helper()
	rows, err := p.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err := errors.Join(err, rows.Err()); err != nil {
		t.Fatal(err)
	}
	return len(names)
}

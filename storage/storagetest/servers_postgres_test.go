package storagetest

import (
	"testing"
)

func TestPostgresServer(t *testing.T) {
	s := PostgresServer(t)
	do(t, command(t.Context(), s.URL, "CREATE TABLE kept (n int)"))
	for _, end := range []func(testing.TB){s.Kill, s.Stop} {
		end(t)
		if err := command(t.Context(), s.URL, "SELECT 1"); err == nil {
			t.Fatal("it serves after its end")
		}
		s.Start(t)
		do(t, command(t.Context(), s.URL, "INSERT INTO kept VALUES (1)"))
	}
	do(t, command(t.Context(), s.URL, "SELECT 1/(count(*) - 1) FROM kept"))
}

package mock

import (
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// lent is a connection that the library takes back, to lend it to the next session.
type lent struct {
	net.Conn
	back bool
	late int // deadlines set after that
}

func (l *lent) Write(p []byte) (int, error) { return len(p), nil }
func (l *lent) Read([]byte) (int, error)    { return 0, net.ErrClosed }

func (l *lent) SetReadDeadline(time.Time) error {
	if l.back {
		l.late++
	}
	return nil
}

// A session that ends while the server shuts down leaves its connection alone from then on.
func TestRealtime_endsWithItsConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		close(s.done)
		for range 200 {
			conn := &lent{}
			(&realtime{server: s, conn: conn}).run()
			conn.back = true
			synctest.Wait()
			if conn.late > 0 {
				t.Fatal("a deadline was set on a connection that was given back")
			}
		}
	})
}

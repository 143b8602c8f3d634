package mock

import (
	"errors"
	"io"
	"net"
	"time"
)

// batch is about how many bytes of an unpaced stream are written at once.
const batch = 64 << 10

// patience is how long a client may leave its window closed.
const patience = time.Minute

var errCut = errors.New("the connection is dropped as x-mock asks")

// A stream is the body of one streamed reply. Each event goes out as an HTTP chunk of its own,
// but an unpaced stream writes many chunks with one call of the system. fasthttp flushes
// whatever it is given, so only the first event, which takes the head along, goes through it;
// the others are framed beforehand and written to the connection.
type stream struct {
	film    *film
	conn    net.Conn
	client  *presence
	account *account
	pause   time.Duration // before the first event
	chunk   time.Duration // between events
	stall   bool          // stay silent behind the last event
	cut     bool          // drop the connection behind the last event
	failed  bool          // the last event tells of an error
	settled bool
}

// SupportsBodyWriteTo tells fasthttp to call WriteTo.
func (s *stream) SupportsBodyWriteTo() bool { return true }

// Read is never called for a chunked body.
func (s *stream) Read([]byte) (int, error) { return 0, io.ErrNoProgress }

// Close ends the account; fasthttp calls it however the writing ended.
func (s *stream) Close() error {
	if !s.settled {
		s.settle(CallAborted, 0)
	}
	s.account.server.films.Put(s.film)
	s.account.close()
	return nil
}

// WriteTo writes the events. An error makes fasthttp close the connection.
func (s *stream) WriteTo(w io.Writer) (int64, error) {
	return 0, s.play(func() error {
		_, err := w.Write(s.film.data(0))
		return err
	})
}

// play writes all events, the first one by a function of its own.
func (s *stream) play(first func() error) error {
	if err := s.client.wait(s.pause); err != nil {
		s.settle(CallAborted, 0)
		return err
	}
	if len(s.film.marks) > 0 {
		s.finishBefore(1)
		if err := first(); err != nil {
			s.settle(CallAborted, 0)
			return err
		}
	}
	written, err := s.rest(min(1, len(s.film.marks)))
	if err == nil && s.stall {
		err = s.client.forever()
	}
	if err == nil && s.cut {
		err = errCut
	}
	if err != nil {
		s.settle(CallAborted, written)
	}
	return err
}

// rest writes the events from the given one on, and gives how many are out.
func (s *stream) rest(from int) (written int, err error) {
	defer func() { err = errors.Join(err, s.conn.SetWriteDeadline(time.Time{})) }()
	for from < len(s.film.marks) {
		if err := s.client.wait(s.chunk); err != nil {
			return from, err
		}
		to := from + 1
		for s.chunk == 0 && to < len(s.film.marks) && s.film.at(to)-s.film.at(from) < batch {
			to++
		}
		s.finishBefore(to)
		if err := s.conn.SetWriteDeadline(time.Now().Add(patience)); err != nil {
			return from, err
		}
		n, err := s.conn.Write(s.film.frames[s.film.at(from):s.film.at(to)])
		if err != nil {
			for sent := s.film.at(from) + n; from < to && s.film.at(from+1) <= sent; {
				from++
			}
			return from, err
		}
		from = to
	}
	return from, nil
}

// finishBefore settles a stream whose last event is about to be written.
func (s *stream) finishBefore(to int) {
	switch {
	case to < len(s.film.marks) || s.stall || s.cut:
	case s.failed:
		s.settle(CallAborted, to)
	default:
		s.settle(CallFinished, to)
	}
}

// settle bills what the first n events said.
func (s *stream) settle(state CallState, n int) {
	var m mark
	if n > 0 {
		m = s.film.marks[n-1]
	}
	s.settled = true
	s.account.settle(state, m.content, m.pieces)
}

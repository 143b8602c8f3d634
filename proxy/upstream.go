package proxy

import (
	"errors"
	"io"
	"time"

	"github.com/aistrale/aistrale/providers"
)

// Upstream sends requests to one provider's address. fasthttp's pool carries it over HTTP/1.1
// (hostpool.go); an HTTP/2 transport can stand beside it.
type Upstream interface {
	// Exchange prepares one request and its answer; nothing is sent yet.
	Exchange() Exchange
	// Close closes idle connections. Exchanges under way finish.
	Close()
}

// Exchange is one request and its answer. Cancel may be called from any goroutine until Finish
// has been; the other methods belong to one goroutine.
type Exchange interface {
	// Send writes the request, whose body is the request's own or, where it is not nil, body,
	// and reads the head of the answer.
	Send(req *providers.UpstreamRequest, body Source, limits Timeouts) (Head, error)
	// Read reads the body; it may give nothing, where what had come was no part of it. It returns
	// errSilent, and can be called again, where nothing came for limits.Pause; a stall longer than
	// limits.Idle is errIdle.
	Read(p []byte) (int, error)
	// Buffered reports whether Read would return at once.
	Buffered() bool
	// Cancel ends the exchange at once: a blocked Send or Read returns cause.
	Cancel(cause error)
	// Finish lets go of the connection: back to the pool where the answer was read to its end,
	// else closed.
	Finish()
}

// Timeouts bound the waits of one exchange.
type Timeouts struct {
	FirstByte time.Duration // from the request to the first byte of the answer
	Pause     time.Duration // a silence of this length is told, as errSilent
	Idle      time.Duration // a silence of this length ends the exchange
}

// Headers are an answer's header lines. They hold until Finish.
type Headers interface {
	// Header gives a line's value, whatever the case of its name; "" where it is absent.
	Header(name string) string
	// Headers yields every line.
	Headers(yield func(name, value []byte))
}

// Head is the head of an upstream's answer.
type Head struct {
	Status int
	Headers
	// Stream is set for an event stream.
	Stream bool
	// Length is the body's length, -1 where it is not known.
	Length int
	// Sent is when the request's first byte was about to leave.
	Sent time.Time
	// Came is when the head had come.
	Came time.Time
	// Reused says that the connection had been idle before.
	Reused bool
}

// Reasons for which an exchange ends early.
var (
	errClientGone = errors.New("the client has gone")
	errDraining   = errors.New("the gateway is shutting down and drain_timeout has passed")
	errHedged     = errors.New("another attempt at the same call was faster")
	errOvertime   = errors.New("the call took longer than it may (timeouts.total)")
	errSilent     = errors.New("nothing came for a while")
	errIdle       = errors.New("the upstream fell silent inside its answer (timeouts.stream_idle)")
	errFirstByte  = errors.New("the upstream sent no first byte in time (timeouts.first_byte)")
)

// readAll reads a whole answer into dst, which grows up to limit bytes.
func readAll(x Exchange, dst []byte, length, limit int) ([]byte, error) {
	if length > limit {
		return dst, errTooLong
	}
	if length > cap(dst) {
		dst = make([]byte, 0, length)
	}
	for {
		if len(dst) == cap(dst) {
			if len(dst) >= limit {
				return dst, errTooLong
			}
			grown := make([]byte, len(dst), min(max(4096, 2*cap(dst)), limit+1))
			copy(grown, dst)
			dst = grown
		}
		n, err := x.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		switch {
		case err == nil, errors.Is(err, errSilent):
		case errors.Is(err, io.EOF):
			return dst, nil
		default:
			return dst, err
		}
		if length >= 0 && len(dst) == length {
			return dst, nil
		}
	}
}

var errTooLong = errors.New("the upstream's answer is longer than the limit (max_reply)")

package proxy

import (
	"bufio"
	"cmp"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/aistrale/aistrale/providers"
)

// exchange implements Exchange on one pooled connection.
type exchange[C pooled] struct {
	pool  *hostPool[C]
	out   *providers.UpstreamRequest
	body  Source    // of the request; nil where it is in memory
	told  bool      // body was read to its end
	parts [4][]byte // room for a large request's
	resp  fasthttp.ResponseHeader

	// mu guards what Cancel and the owner share: while conn is set it is this exchange's own,
	// so a late cancel can never touch another request's connection.
	mu     sync.Mutex
	conn   net.Conn
	cause  error
	cc     C
	reused bool

	br       *bufio.Reader // nil once what came with the head is read
	half     bool          // the request was not written to its end, or more came than the answer
	begun    bool          // a byte of the answer has come
	framing  framing
	limits   Timeouts
	silent   bool      // the last read gave up waiting
	lastByte time.Time // when a byte last came
	armed    time.Time // when the read deadline was last set
}

// Send implements Exchange. A connection that had been idle and dies before the answer's first
// byte was stale: the request is sent once more on a fresh one.
func (x *exchange[C]) Send(out *providers.UpstreamRequest, body Source, limits Timeouts) (Head, error) {
	x.out, x.limits, x.body, x.told = out, limits, body, false
	for fresh := false; ; fresh = true {
		if err := x.take(fresh); err != nil {
			return Head{}, err
		}
		reused, sent := x.reused, time.Now()
		err := x.trip(sent.Add(limits.FirstByte))
		if err == nil {
			return x.head(sent, reused), nil
		}
		x.drop()
		var unfinished *sourceError
		if errors.As(err, &unfinished) {
			return Head{}, cmp.Or(x.cancelled(), unfinished.cause)
		}
		if body != nil && !x.told {
			sent = time.Time{} // no upstream acts on a request that does not end
		}
		if cause := x.cancelled(); cause != nil {
			return Head{Sent: sent}, cause
		}
		if timedOut(err) {
			return Head{Sent: sent}, errFirstByte
		}
		if !reused || x.begun || !died(err) || body != nil && !body.Rewind() {
			return Head{Sent: sent}, err
		}
	}
}

// died reports whether err says that a connection was closed before it gave an answer.
func died(err error) bool {
	var op *net.OpError
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &op) ||
		errors.Is(err, fasthttp.ErrConnectionClosed)
}

func timedOut(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// take gets a live connection, a new one where fresh is set, and makes it this exchange's own.
func (x *exchange[C]) take(fresh bool) error {
	for {
		cc, err := x.pool.acquire(x.pool.connect, false)
		if err != nil {
			return err
		}
		reused := !cc.LastUseTime().IsZero()
		if reused && (fresh || stale(cc.Conn())) {
			x.pool.discard(cc)
			continue
		}
		x.mu.Lock()
		if cause := x.cause; cause != nil {
			x.mu.Unlock()
			x.pool.discard(cc)
			return cause
		}
		x.cc, x.conn, x.reused = cc, cc.Conn(), reused
		x.mu.Unlock()
		return nil
	}
}

func (x *exchange[C]) trip(deadline time.Time) error {
	if err := x.arm(deadline, true); err != nil {
		return err
	}
	bw := x.pool.client.AcquireWriter(x.conn)
	err := x.write(bw)
	if err == nil {
		err = bw.Flush()
	}
	x.pool.client.ReleaseWriter(bw)
	if x.half = err != nil; x.half && x.hopeless(err) {
		return err
	}
	if x.body != nil { // the wait for the answer begins here
		if err := x.arm(time.Now().Add(x.limits.FirstByte), true); err != nil {
			return err
		}
	}
	return x.answer()
}

// write gives the request, which goes past the buffer where it is larger.
func (x *exchange[C]) write(bw *bufio.Writer) error {
	size := int64(x.out.Size())
	if x.body != nil {
		size = x.body.Length()
	}
	head := x.pool.head.append(bw.AvailableBuffer(), x.out, size)
	if socket, plain := x.conn.(*net.TCPConn); plain && x.body == nil && int64(len(head))+size > int64(bw.Size()) {
		return x.writeParts(socket, head)
	}
	if _, err := bw.Write(head); err != nil {
		return err
	}
	if x.body != nil {
		return writeSource(bw, pacedBody[C]{x}, size)
	}
	return x.out.WriteBody(bw)
}

// writeParts writes a large request to a socket in one call, which wakes its reader once.
func (x *exchange[C]) writeParts(socket *net.TCPConn, head []byte) error {
	parts := net.Buffers(append(x.parts[:0], head, x.out.Body))
	parts = append(parts, x.out.Rest...)
	_, err := parts.WriteTo(socket)
	x.parts = [4][]byte{}
	return err
}

// hopeless reports whether no answer is to be waited for where a request was not written to its end.
func (x *exchange[C]) hopeless(err error) bool {
	var unfinished *sourceError
	return timedOut(err) || x.cancelled() != nil || errors.As(err, &unfinished)
}

// arm sets the connection's deadline unless the exchange was cancelled.
func (x *exchange[C]) arm(deadline time.Time, both bool) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.cause != nil {
		return x.cause
	}
	if both {
		return x.conn.SetDeadline(deadline)
	}
	return x.conn.SetReadDeadline(deadline)
}

// past is a deadline that has long passed.
var past = time.Unix(1, 0)

// Cancel implements Exchange.
func (x *exchange[C]) Cancel(cause error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.cause != nil {
		return
	}
	x.cause = cause
	if x.conn != nil {
		_ = x.conn.SetDeadline(past) // a closed connection is cancelled already
	}
}

func (x *exchange[C]) cancelled() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.cause
}

// letGo takes the connection out of Cancel's reach; it reports whether it may be pooled.
func (x *exchange[C]) letGo() (cc C, held, sound bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	held, sound = x.conn != nil, x.cause == nil
	cc = x.cc
	var none C
	x.cc, x.conn = none, nil
	return cc, held, sound
}

// drop closes the connection of a failed try.
func (x *exchange[C]) drop() {
	cc, held, _ := x.letGo()
	x.releaseReader()
	if held {
		x.pool.discard(cc)
	}
}

// Finish implements Exchange. A cancelled or half-read connection is closed, never drained.
func (x *exchange[C]) Finish() {
	reusable := x.framing.done() && !x.half && x.resp.StatusCode() >= fasthttp.StatusOK && !x.resp.ConnectionClose() &&
		(x.br == nil || x.br.Buffered() == 0)
	cc, held, sound := x.letGo()
	x.releaseReader()
	switch {
	case !held:
	case reusable && sound:
		x.pool.release(cc)
	default:
		x.pool.discard(cc)
	}
	x.cause, x.out, x.body, x.framing, x.half, x.begun = nil, nil, nil, framing{}, false, false
	x.pool.spare.Put(x)
}

func (x *exchange[C]) releaseReader() {
	if x.br != nil && x.br.Size() < maxAnswerHead { // else it is widen's, and not the pool's
		x.pool.client.ReleaseReader(x.br)
	}
	x.br = nil
}

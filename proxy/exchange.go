package proxy

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/aistrale/aistrale/providers"
)

// exchange implements Exchange on one pooled connection.
type exchange[C pooled] struct {
	pool *hostPool[C]
	req  *fasthttp.Request
	body Source // of the request; nil where it is in memory
	told bool   // body was read to its end
	resp *fasthttp.Response

	// mu guards what Cancel and the owner share: while conn is set it is this exchange's own,
	// so a late cancel can never touch another request's connection.
	mu     sync.Mutex
	conn   net.Conn
	cause  error
	cc     C
	reused bool

	br       *bufio.Reader
	half     bool // the request was not written to its end
	begun    bool // a byte of the answer has come
	left     int  // bytes of the body still to come, -1 unknown
	chunk    int  // bytes of the chunk being read still to come, 0 before a chunk's size line
	whole    bool
	limits   Timeouts
	lastByte time.Time // when a byte last came
	armed    time.Time // when the read deadline was last set
}

// Send implements Exchange. A connection that had been idle and dies before the answer's first
// byte was stale: the request is sent once more on a fresh one.
func (x *exchange[C]) Send(out *providers.UpstreamRequest, body Source, limits Timeouts) (Head, error) {
	x.prepare(out)
	x.limits, x.body, x.told = limits, body, false
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

func (x *exchange[C]) prepare(out *providers.UpstreamRequest) {
	x.req.Reset()
	h := &x.req.Header
	h.DisableNormalizing()
	h.SetNoDefaultContentType(true)
	h.SetMethod(cmp.Or(out.Method, fasthttp.MethodPost))
	h.SetRequestURI(providers.Under(x.pool.base, out.Path))
	x.req.UseHostHeader = true
	h.SetHost(x.pool.host)
	h.SetUserAgent(x.pool.agent)
	for i := range out.Headers {
		h.Set(out.Headers[i].Name, out.Headers[i].Value)
	}
	x.req.SetBodyRaw(out.Body)
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
	if x.body != nil {
		x.req.SetBodyStream(pacedBody[C]{x}, int(x.body.Length()))
	}
	err := x.req.Write(bw)
	if err == nil {
		err = bw.Flush()
	}
	x.pool.client.ReleaseWriter(bw)
	x.half = err != nil
	var unfinished *sourceError
	if x.half && (timedOut(err) || x.cancelled() != nil || errors.As(err, &unfinished)) {
		return err
	}
	if x.body != nil { // the wait for the answer begins here
		if err := x.arm(time.Now().Add(x.limits.FirstByte), true); err != nil {
			return err
		}
	}
	return x.answer()
}

// pacedBody is the body of a request that is sent as it comes: each piece has a wait of its own.
type pacedBody[C pooled] struct{ x *exchange[C] }

// Read implements io.Reader.
func (p pacedBody[C]) Read(b []byte) (int, error) {
	n, err := p.x.body.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		return n, &sourceError{err}
	}
	p.x.told = err != nil
	if armed := p.x.arm(time.Now().Add(p.x.limits.FirstByte), true); armed != nil {
		return n, armed
	}
	return n, err
}

// sourceError is why a request's body did not come to its end.
type sourceError struct{ cause error }

// Error implements error.
func (e *sourceError) Error() string { return "read the request's body: " + e.cause.Error() }

// Unwrap gives the cause.
func (e *sourceError) Unwrap() error { return e.cause }

// answer reads the head of the answer. An upstream may answer, and hang up, before it has read
// the whole request: what it said then counts for more than the failed write.
func (x *exchange[C]) answer() error {
	x.br = x.pool.client.AcquireReader(x.conn)
	x.resp.Reset()
	x.resp.StreamBody = true
	x.resp.Header.DisableNormalizing()
	x.resp.Header.SetNoDefaultContentType(true)
	_, err := x.br.Peek(1)
	if x.begun = err == nil; !x.begun {
		return err
	}
	return x.resp.ReadLimitBody(x.br, 0)
}

func (x *exchange[C]) head(sent time.Time, reused bool) Head {
	h := &x.resp.Header
	x.left, x.whole = h.ContentLength(), false
	if x.left < 0 && x.left != -1 {
		x.left = -1
	}
	if x.resp.BodyStream() == nil { // a status without a body
		x.left = 0
	}
	x.lastByte, x.armed, x.chunk = time.Now(), time.Time{}, 0
	return Head{
		Status: h.StatusCode(), Length: x.left, Sent: sent, Reused: reused,
		Stream:  isStream(h.ContentType()),
		Headers: x,
	}
}

func isStream(contentType []byte) bool {
	const want = "text/event-stream"
	return len(contentType) >= len(want) && bytes.EqualFold(contentType[:len(want)], []byte(want))
}

// Headers implements Headers.
func (x *exchange[C]) Headers(yield func(name, value []byte)) {
	for name, value := range x.resp.Header.All() {
		yield(name, value)
	}
}

// Header implements Headers.
func (x *exchange[C]) Header(name string) string {
	for k, v := range x.resp.Header.All() {
		if len(k) == len(name) && strings.EqualFold(string(k), name) {
			return string(v)
		}
	}
	return ""
}

// Buffered implements Exchange.
func (x *exchange[C]) Buffered() bool {
	return x.whole || x.left == 0 || x.framed()
}

// framed reports whether a byte of the body is at hand: between two chunks the size line of the
// next one, which the library would wait for, must be there too.
func (x *exchange[C]) framed() bool {
	if x.chunk > 0 || !x.chunked() {
		return x.br.Buffered() > 0
	}
	at, _ := x.br.Peek(x.br.Buffered()) // never more than there is, so it cannot fail
	line := bytes.IndexByte(at, '\n') + 1
	if line == 0 || line == len(at) {
		return false
	}
	for _, c := range at {
		digit := strings.IndexByte("0123456789abcdef", c|0x20)
		if digit < 0 || x.chunk > 1<<32 {
			break
		}
		x.chunk = x.chunk<<4 | digit
	}
	return true
}

// Read implements Exchange. It waits with Peek, which takes nothing from the reader where the
// pause runs out, so that a chunk's size line is never read by half.
func (x *exchange[C]) Read(p []byte) (int, error) {
	if x.whole || x.left == 0 {
		x.whole = true
		return 0, io.EOF
	}
	if !x.framed() {
		if err := x.await(); err != nil {
			return 0, err
		}
	}
	n, err := x.resp.BodyStream().Read(p)
	if x.left > 0 {
		x.left -= n
	}
	x.chunk = max(0, x.chunk-n)
	switch {
	case errors.Is(err, io.EOF) && n > 0 && x.chunked():
		err = io.ErrUnexpectedEOF // the end of a chunked body comes alone
	case errors.Is(err, io.EOF):
		x.whole = true
		if n > 0 {
			err = nil
		}
	case err != nil:
		if cause := x.cancelled(); cause != nil {
			return n, cause
		}
		if timedOut(err) {
			err = errIdle
		}
	}
	return n, err
}

// await waits for a byte to come. Deadlines are set anew at most once a second, so a pause may
// end up to a second early.
func (x *exchange[C]) await() error {
	now := time.Now()
	if now.Sub(x.armed) > time.Second {
		if err := x.arm(now.Add(min(x.limits.Pause, x.limits.Idle)), false); err != nil {
			return err
		}
		x.armed = now
	}
	var err error
	for err == nil && !x.framed() {
		_, err = x.br.Peek(x.br.Buffered() + 1)
	}
	if err == nil {
		x.lastByte = time.Now()
		return nil
	}
	if cause := x.cancelled(); cause != nil {
		return cause
	}
	if timedOut(err) {
		x.armed = time.Time{}
		if time.Since(x.lastByte) >= x.limits.Idle {
			return errIdle
		}
		return errSilent
	}
	if errors.Is(err, io.EOF) {
		if x.chunked() || x.left > 0 {
			return io.ErrUnexpectedEOF // the library takes a cut between two chunks for the end
		}
		x.whole = true
	}
	return err
}

func (x *exchange[C]) chunked() bool { return x.resp.Header.ContentLength() == -1 }

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
	reusable := x.whole && !x.half && x.resp.StatusCode() >= fasthttp.StatusOK && !x.resp.ConnectionClose() &&
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
	x.req.ResetBody()
	x.cause, x.br, x.body, x.whole, x.half, x.begun, x.left = nil, nil, nil, false, false, false, 0
	x.pool.spare.Put(x)
}

func (x *exchange[C]) releaseReader() {
	_ = x.resp.CloseBodyStream() // its error is the body's, told by Read already
	if x.br != nil {
		x.pool.client.ReleaseReader(x.br)
		x.br = nil
	}
}

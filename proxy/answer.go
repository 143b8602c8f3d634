package proxy

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/aistrale/aistrale/providers"
)

// answer reads the head of the answer. An upstream may answer, and hang up, before it has read
// the whole request: what it said then counts for more than the failed write.
func (x *exchange[C]) answer() error {
	x.br = x.pool.client.AcquireReader(x.conn)
	x.resp.Reset()
	x.resp.DisableNormalizing()
	x.resp.SetNoDefaultContentType(true)
	_, err := x.br.Peek(1)
	if x.begun = err == nil; !x.begun {
		return err
	}
	for range maxInterim {
		err := x.resp.Read(x.br)
		if isSmallBuffer(err) && x.br.Size() < maxAnswerHead {
			x.widen()
			err = x.resp.Read(x.br)
		}
		if err != nil {
			return err
		}
		if code := x.resp.StatusCode(); code/100 != 1 || code == fasthttp.StatusSwitchingProtocols {
			return nil
		}
	}
	return errInterim
}

// maxInterim bounds the answers of a status 1xx, the one that counts included.
const maxInterim = 8

var errInterim = errors.New("the upstream gave interim answers only")

// maxAnswerHead bounds the head of an answer, in bytes.
const maxAnswerHead = 16 << 10

// widen goes on with a larger reader, that takes the head in which the pool's has no room for.
func (x *exchange[C]) widen() {
	at, _ := x.br.Peek(x.br.Buffered()) // never more than there is, so it cannot fail
	come := io.MultiReader(bytes.NewReader(bytes.Clone(at)), x.conn)
	x.pool.client.ReleaseReader(x.br)
	x.br = bufio.NewReaderSize(come, maxAnswerHead)
}

func (x *exchange[C]) head(sent time.Time, reused bool) Head {
	length := x.resp.ContentLength()
	if bodiless(x.resp.StatusCode()) {
		length = 0
	}
	x.framing = newFraming(length)
	x.lastByte, x.armed, x.silent = time.Now(), time.Time{}, false
	return Head{
		Status: x.resp.StatusCode(), Length: max(length, -1), Sent: sent, Came: x.lastByte, Reused: reused,
		Stream:  isStream(x.resp.ContentType()),
		Headers: x,
	}
}

// bodiless reports whether an answer of a status has no body, whatever its head says.
func bodiless(status int) bool {
	return status < fasthttp.StatusOK || status == fasthttp.StatusNoContent || status == fasthttp.StatusNotModified
}

func isStream(contentType []byte) bool {
	const want = "text/event-stream"
	return len(contentType) >= len(want) && bytes.EqualFold(contentType[:len(want)], []byte(want))
}

// Headers implements Headers.
func (x *exchange[C]) Headers(yield func(name, value []byte)) {
	for name, value := range x.resp.All() {
		yield(name, value)
	}
}

// Header implements Headers.
func (x *exchange[C]) Header(name string) string {
	for k, v := range x.resp.All() {
		if len(k) == len(name) && strings.EqualFold(string(k), name) {
			return providers.KnownWord(v, "application/json")
		}
	}
	return ""
}

// Buffered implements Exchange.
func (x *exchange[C]) Buffered() bool {
	return x.framing.done() || x.br != nil && x.br.Buffered() > 0
}

// Read implements Exchange. Where all that had come were the lines between two chunks it gives
// nothing: more may be long in coming.
func (x *exchange[C]) Read(p []byte) (int, error) {
	for !x.framing.done() {
		came := x.Buffered()
		n, err := x.receive(p[:x.framing.room(len(p))])
		if err != nil {
			return 0, err
		}
		if n, err = x.framing.take(p[:n]); errors.Is(err, errSurplus) {
			x.half, err = true, nil // the answer is whole, and its connection not to be trusted
		}
		if n > 0 || err != nil || came {
			return n, err
		}
	}
	return 0, io.EOF
}

// receive reads what comes next on the connection, after what came with the head. Nobody waits
// with a buffer but the caller's: each open stream would have one.
func (x *exchange[C]) receive(p []byte) (int, error) {
	if x.br != nil {
		if x.br.Buffered() > 0 {
			return x.br.Read(p)
		}
		x.releaseReader()
	}
	if err := x.await(); err != nil {
		return 0, err
	}
	n, err := x.conn.Read(p)
	if n > 0 || err == nil {
		return n, nil // an error beside bytes comes again
	}
	return 0, x.broke(err)
}

// await sets the deadline of a read: anew at most once a second, so a pause may end up to a
// second early.
func (x *exchange[C]) await() error {
	now := time.Now()
	if !x.silent {
		x.lastByte = now // just before
	}
	x.silent = false
	if now.Sub(x.armed) <= time.Second {
		return nil
	}
	x.armed = now
	return x.arm(now.Add(min(x.limits.Pause, x.limits.Idle)), false)
}

// broke says what the error of a read means.
func (x *exchange[C]) broke(err error) error {
	if cause := x.cancelled(); cause != nil {
		return cause
	}
	if timedOut(err) {
		x.armed, x.silent = time.Time{}, true
		if time.Since(x.lastByte) >= x.limits.Idle {
			return errIdle
		}
		return errSilent
	}
	if !errors.Is(err, io.EOF) {
		return err
	}
	if x.framing.state != framingClose {
		return io.ErrUnexpectedEOF
	}
	x.framing.state = framingDone
	return io.EOF
}

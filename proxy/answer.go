package proxy

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/aistrale/aistrale/providers"
)

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
	err = x.resp.ReadLimitBody(x.br, 0)
	if isSmallBuffer(err) {
		x.widen()
		err = x.resp.ReadLimitBody(x.br, 0)
	}
	return err
}

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
		Status: h.StatusCode(), Length: x.left, Sent: sent, Came: x.lastByte, Reused: reused,
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
			return providers.KnownWord(v, "application/json")
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

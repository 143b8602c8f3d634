package proxy

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http/httputil"
	"time"
)

// writeSource gives a body of a known size, or in chunks (-1), each of which leaves as it comes.
func writeSource(bw *bufio.Writer, body io.Reader, size int64) error {
	if size < 0 {
		chunks := httputil.NewChunkedWriter(bw)
		if _, err := io.Copy(flushed{chunks, bw}, body); err != nil {
			return err
		}
		if err := chunks.Close(); err != nil {
			return err
		}
		_, err := bw.WriteString("\r\n") // no trailers
		return err
	}
	n, err := io.CopyN(bw, body, size)
	if errors.Is(err, io.EOF) {
		return &sourceError{fmt.Errorf("%d of %d bytes: %w", n, size, io.ErrUnexpectedEOF)}
	}
	if err != nil {
		return err
	}
	if _, err = io.ReadFull(body, make([]byte, 1)); !errors.Is(err, io.EOF) {
		return cmp.Or(err, error(&sourceError{fmt.Errorf("more than %d bytes", size)}))
	}
	return nil
}

// flushed sends each chunk at once.
type flushed struct {
	chunks io.Writer
	bw     *bufio.Writer
}

// Write implements io.Writer.
func (f flushed) Write(p []byte) (int, error) {
	n, err := f.chunks.Write(p)
	if err == nil {
		err = f.bw.Flush()
	}
	return n, err
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

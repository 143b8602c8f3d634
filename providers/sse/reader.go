// Package sse reads server-sent events: whole events, as they stand on the wire and as their
// data, however the bytes were cut on the way. It keeps no goroutine and writes nothing.
package sse

import (
	"bytes"
	"errors"
	"io"
)

// ErrTooLong is returned for an event past the reader's limit.
var ErrTooLong = errors.New("event is longer than the limit")

// Event is one event. Its slices hold until the next call of Next.
type Event struct {
	Raw  []byte // the event as it came, blank line included
	Data []byte // the data lines, joined by newlines; nil for a comment or an event without data
}

// Reader reads events from an upstream's body.
// Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
type Reader struct {
	src        io.Reader
	buf        []byte
	start, end int // unread bytes
	line       int // of the unread bytes: where the first line that is not yet whole begins
	looked     int // of the unread bytes: no line ends between line and here
	limit      int
	filled     bool // the last read took all the room there was
	err        error
	joined     []byte
	begun      bool
}

// NewReader reads from src with the given buffer, which grows up to limit bytes.
func NewReader(src io.Reader, buf []byte, limit int) *Reader {
	r := &Reader{}
	r.Reset(src, buf, limit)
	return r
}

// Reset makes r read from src anew.
func (r *Reader) Reset(src io.Reader, buf []byte, limit int) {
	*r = Reader{src: src, buf: buf[:cap(buf)], limit: limit, joined: r.joined[:0]}
}

// Buffer gives the reader's buffer back for reuse.
func (r *Reader) Buffer() []byte { return r.buf[:0] }

// Next gives the next event. The bytes behind the last blank line are an event too, so that no
// byte is lost; io.EOF follows.
func (r *Reader) Next() (Event, error) {
	for {
		if n := r.find(); n > 0 {
			return r.take(n), nil
		}
		if r.err != nil {
			if r.end > r.start && errors.Is(r.err, io.EOF) {
				return r.take(r.end - r.start), nil
			}
			return Event{}, r.failure()
		}
		r.fill()
	}
}

// failure gives the source's error. Only the end of the source lasts: after any other error, a
// timeout say, Next may be called again.
func (r *Reader) failure() error {
	err := r.err
	if !errors.Is(err, io.EOF) {
		r.err = nil
	}
	return err
}

// Buffered reports whether a whole event is at hand without reading.
func (r *Reader) Buffered() bool { return r.find() > 0 }

// find gives the length of the first whole event in the buffer, 0 where there is none yet.
func (r *Reader) find() int {
	b := r.buf[r.start:r.end]
	for {
		length, next := line(b[r.line:], r.looked-r.line, errors.Is(r.err, io.EOF))
		if next == 0 {
			// A CR in the last place is looked at again, with what follows it.
			r.looked = max(r.line, len(b)-1)
			return 0
		}
		r.line += next
		r.looked = r.line
		if length == 0 {
			n := r.line
			r.line, r.looked = 0, 0
			return n
		}
	}
}

// line gives the length of the first line of b and of the line with its end; 0, 0 where the
// line's end is not in b. A line ends with LF, CRLF or CR; none is in b[:from].
func line(b []byte, from int, atEOF bool) (length, next int) {
	i := lineBreak(b, from)
	switch {
	case i < 0:
		return 0, 0
	case b[i] == '\n':
		return i, i + 1
	case i+1 < len(b) && b[i+1] == '\n':
		return i, i + 2
	case i+1 == len(b) && !atEOF:
		return 0, 0 // the LF of a CRLF may follow
	}
	return i, i + 1
}

// lineBreak finds the first CR or LF at or behind from, -1 where there is none. It looks in
// windows, so that a body with only one of the two is not searched to its end for the other
// once per line.
func lineBreak(b []byte, from int) int {
	for size := 512; from < len(b); size *= 2 {
		window := b[from:min(from+size, len(b))]
		lf := bytes.IndexByte(window, '\n')
		if lf >= 0 {
			window = window[:lf]
		}
		if cr := bytes.IndexByte(window, '\r'); cr >= 0 {
			return from + cr
		}
		if lf >= 0 {
			return from + lf
		}
		from += len(window)
	}
	return -1
}

func (r *Reader) take(n int) Event {
	raw := r.buf[r.start : r.start+n]
	r.start += n
	r.line, r.looked = 0, 0
	return Event{Raw: raw, Data: r.data(raw)}
}

var byteOrderMark = []byte("\ufeff")

func (r *Reader) data(raw []byte) []byte {
	if !r.begun {
		r.begun = true
		raw = bytes.TrimPrefix(raw, byteOrderMark)
	}
	var first []byte
	lines := 0
	for len(raw) > 0 {
		length, next := line(raw, 0, true)
		if next == 0 {
			length, next = len(raw), len(raw)
		}
		value, ok := dataOf(raw[:length])
		raw = raw[next:]
		if !ok {
			continue
		}
		if lines++; lines == 1 {
			first = value
			continue
		}
		if lines == 2 {
			r.joined = append(r.joined[:0], first...)
		}
		r.joined = append(append(r.joined, '\n'), value...)
	}
	if lines > 1 {
		return r.joined
	}
	return first
}

func dataOf(line []byte) ([]byte, bool) {
	rest, ok := bytes.CutPrefix(line, []byte("data"))
	if !ok {
		return nil, false
	}
	if len(rest) == 0 {
		return rest, true
	}
	if rest[0] != ':' {
		return nil, false
	}
	return bytes.TrimPrefix(rest[1:], []byte(" ")), true
}

// roomy is the size up to which the buffer grows for who says much at once, in bytes.
const roomy = 16 << 10

func (r *Reader) fill() {
	switch {
	case r.filled && len(r.buf) < min(roomy, r.limit):
		r.grow(2 * len(r.buf))
	case r.start > 0 && (r.start == r.end || r.end == len(r.buf)):
		r.end = copy(r.buf, r.buf[r.start:r.end])
		r.start = 0
	case r.end < len(r.buf):
	case len(r.buf) >= r.limit:
		r.err = ErrTooLong
		return
	default:
		r.grow(max(2*len(r.buf), 4096))
	}
	// As bufio does: a reader may give nothing a few times, but not for ever.
	for range 100 {
		n, err := r.src.Read(r.buf[r.end:])
		r.end += n
		r.err, r.filled = err, r.end == len(r.buf)
		if n > 0 || err != nil {
			return
		}
	}
	r.err = io.ErrNoProgress
}

func (r *Reader) grow(size int) {
	grown := make([]byte, min(size, r.limit))
	r.end = copy(grown, r.buf[r.start:r.end])
	r.buf, r.start = grown, 0
}

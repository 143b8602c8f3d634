// Package aws has what AWS's services share: signatures, the frames of their streams, and their
// exceptions. It must never open a connection, hold a key or read a clock.
package aws

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/sse"
)

// Frames reads AWS's event stream as the server-sent events it would be. Of an event that holds
// another provider's own, as "bytes", the data is that one's; of any other it is the event's
// payload under the event's name: {"contentBlockDelta":{…}}. An exception in the stream is a
// *providers.Fault, as the error of Next.
//
// Source: https://smithy.io/2.0/aws/amazon-eventstream.html
type Frames struct {
	src        io.Reader
	buf        []byte
	start, end int // unread bytes
	limit      int
	err        error
	data, raw  []byte
}

// Frame lengths, in bytes. The protocol bounds its frames to 24 MB and headers to 128 KB.
const (
	preludeSize = 12
	leastFrame  = preludeSize + 4
	mostHeaders = 128 << 10
)

var errFrame = errors.New("aws: the stream's frames are damaged")

// Reset makes f read from src anew, with the given buffer, which grows up to limit bytes.
func (f *Frames) Reset(src io.Reader, buf []byte, limit int) {
	*f = Frames{src: src, buf: buf[:cap(buf)], limit: limit, data: f.data[:0], raw: f.raw[:0]}
}

// Next gives the next event, whose slices hold until the next call. A source that fails for a
// while, by a timeout say, may be asked again.
func (f *Frames) Next() (sse.Event, error) {
	for {
		size, err := f.size()
		if err != nil {
			return sse.Event{}, err
		}
		if size > 0 && f.end-f.start >= size {
			frame := f.buf[f.start : f.start+size]
			f.start += size
			return f.event(frame)
		}
		if err := f.err; err != nil {
			if !errors.Is(err, io.EOF) {
				f.err = nil
			} else if f.end > f.start {
				err = io.ErrUnexpectedEOF
			}
			return sse.Event{}, err
		}
		f.fill(size)
	}
}

// Buffered reports whether a whole event is at hand without reading.
func (f *Frames) Buffered() bool {
	size, err := f.size()
	return err != nil || size > 0 && f.end-f.start >= size
}

// size gives the length of the frame that begins the unread bytes, 0 where too few are there.
func (f *Frames) size() (int, error) {
	b := f.buf[f.start:f.end]
	if len(b) < preludeSize {
		return 0, nil
	}
	total, headers := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	switch {
	case crc32.ChecksumIEEE(b[:8]) != binary.BigEndian.Uint32(b[8:]):
		return 0, errFrame
	case total < leastFrame, headers > mostHeaders, headers > total-leastFrame:
		return 0, errFrame
	case int64(total) > int64(f.limit):
		return 0, sse.ErrTooLong
	}
	return int(total), nil
}

// fill reads more, into room for a frame of the given size where that is known.
func (f *Frames) fill(size int) {
	if f.start > 0 {
		f.end = copy(f.buf, f.buf[f.start:f.end])
		f.start = 0
	}
	if f.end == len(f.buf) || size > len(f.buf) {
		grown := make([]byte, max(size, min(2*len(f.buf), f.limit), 4096))
		copy(grown, f.buf[:f.end])
		f.buf = grown
	}
	for range 100 { // a reader may give nothing a few times, but not for ever
		n, err := f.src.Read(f.buf[f.end:])
		f.end += n
		f.err = err
		if n > 0 || err != nil {
			return
		}
	}
	f.err = io.ErrNoProgress
}

// event says a frame as a server-sent event.
func (f *Frames) event(frame []byte) (sse.Event, error) {
	body := len(frame) - 4
	if crc32.ChecksumIEEE(frame[:body]) != binary.BigEndian.Uint32(frame[body:]) {
		return sse.Event{}, errFrame
	}
	split := preludeSize + int(binary.BigEndian.Uint32(frame[4:]))
	h, err := readHeaders(frame[preludeSize:split])
	if err != nil {
		return sse.Event{}, err
	}
	payload := frame[split:body]
	if len(payload) == 0 {
		payload = []byte("{}")
	}
	switch string(h.message) {
	case "exception":
		return sse.Event{}, Exception(string(h.exception), payload)
	case "error":
		return sse.Event{}, Exception(string(h.code), append(providers.AppendString([]byte(`{"message":`), string(h.text)), '}'))
	}
	if inner := gjson.GetBytes(payload, "bytes"); inner.Type == gjson.String {
		f.data, err = base64.StdEncoding.AppendDecode(f.data[:0], []byte(inner.Str))
		if err != nil {
			return sse.Event{}, fmt.Errorf("%w: %w", errFrame, err)
		}
	} else {
		f.data = providers.AppendString(append(f.data[:0], '{'), string(h.event))
		f.data = append(append(append(f.data, ':'), payload...), '}')
	}
	return f.tell(), nil
}

// tell puts the data on the lines of a server-sent event, named by its type where it says one.
func (f *Frames) tell() sse.Event {
	f.raw = f.raw[:0]
	if kind := gjson.GetBytes(f.data, "type"); kind.Type == gjson.String && oneLine(kind.Str) {
		f.raw = append(append(append(f.raw, "event: "...), kind.Str...), '\n')
	}
	f.raw = append(f.raw, "data: "...)
	for _, c := range f.data {
		if c == '\n' || c == '\r' { // white space between JSON's tokens: inside a string it is escaped
			c = ' '
		}
		f.raw = append(f.raw, c)
	}
	f.raw = append(f.raw, "\n\n"...)
	return sse.Event{Raw: f.raw, Data: f.data}
}

func oneLine(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' {
			return false
		}
	}
	return true
}

// frameHeaders are the headers that say what a frame is.
type frameHeaders struct{ message, event, exception, code, text []byte }

// readHeaders reads a frame's headers; of other names and types it reads how long they are.
func readHeaders(b []byte) (h frameHeaders, err error) {
	for len(b) > 0 {
		nameLength := int(b[0])
		if len(b) < nameLength+2 {
			return h, errFrame
		}
		name, kind := b[1:1+nameLength], b[1+nameLength]
		b = b[2+nameLength:]
		length := 0
		switch kind {
		case 0, 1: // true and false
		case 2:
			length = 1
		case 3:
			length = 2
		case 4:
			length = 4
		case 5, 8: // a long, a time
			length = 8
		case 9: // a UUID
			length = 16
		case 6, 7: // bytes, a string
			if len(b) < 2 {
				return h, errFrame
			}
			length, b = int(binary.BigEndian.Uint16(b)), b[2:]
		default:
			return h, errFrame
		}
		if len(b) < length {
			return h, errFrame
		}
		if kind == 7 {
			h.set(string(name), b[:length])
		}
		b = b[length:]
	}
	return h, nil
}

func (h *frameHeaders) set(name string, value []byte) {
	switch name {
	case ":message-type":
		h.message = value
	case ":event-type":
		h.event = value
	case ":exception-type":
		h.exception = value
	case ":error-code":
		h.code = value
	case ":error-message":
		h.text = value
	}
}

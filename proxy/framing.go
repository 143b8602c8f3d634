package proxy

import (
	"errors"
	"math"
)

// framing is how the body of an answer stands on its connection: so many bytes, chunks, or all
// that comes before the connection ends.
// Source: https://www.rfc-editor.org/rfc/rfc9112#section-7.1
type framing struct {
	state framingState
	left  int // of the body, or of the chunk, still to come
	line  int // bytes of a line that are not a size, or of the trailers, so far; of a size its digits
}

type framingState uint8

const (
	framingLength  framingState = iota // left says how much is to come
	framingClose                       // all that comes is the body's
	framingSize                        // a chunk's size
	framingPad                         // blanks behind it
	framingExt                         // what an extension says
	framingSizeEnd                     // the line feed behind it
	framingData                        // the chunk
	framingDataEnd                     // its carriage return
	framingDataLF                      // and line feed
	framingTrailer                     // the beginning of a line behind the last chunk
	framingInside                      // within such a line
	framingEndLF                       // the very last line feed
	framingDone
)

var (
	errFraming = errors.New("the upstream's chunks are damaged")
	errSurplus = errors.New("the upstream said more than its answer")
)

// newFraming takes the length as fasthttp gives it: -1 are chunks, less is unknown.
func newFraming(length int) framing {
	switch {
	case length == 0:
		return framing{state: framingDone}
	case length > 0:
		return framing{left: length}
	case length == -1:
		return framing{state: framingSize}
	default:
		return framing{state: framingClose}
	}
}

func (f *framing) done() bool { return f.state == framingDone }

// room gives how many bytes are to be read at once, of so many that there is room for: none of
// what may come behind a body of known length.
func (f *framing) room(size int) int {
	if f.state == framingLength {
		return min(size, f.left)
	}
	return size
}

// take makes b, which came next, the bytes of the body that are in it: n at its beginning. It
// gives errSurplus where b goes on behind the body's end, and errFraming.
func (f *framing) take(b []byte) (n int, err error) {
	for at := 0; at < len(b); {
		switch f.state {
		case framingClose:
			return len(b), nil
		case framingLength, framingData:
			part := min(f.left, len(b)-at)
			if n != at {
				copy(b[n:], b[at:at+part])
			}
			n, at, f.left = n+part, at+part, f.left-part
			if f.left == 0 {
				f.state = after[f.state]
			}
		case framingDone:
			return n, errSurplus
		default:
			if !f.step(b[at]) {
				return n, errFraming
			}
			at++
		}
	}
	return n, nil
}

// after is what follows on bytes of the body.
var after = [...]framingState{framingLength: framingDone, framingData: framingDataEnd}

// step takes a byte that is none of the body's, and reports whether it may stand there.
func (f *framing) step(c byte) bool {
	switch f.state {
	case framingSize:
		return f.size(c)
	case framingPad:
		return f.pad(c)
	case framingExt:
		return f.extension(c)
	case framingSizeEnd:
		if f.line, f.state = 0, framingData; f.left == 0 {
			f.state = framingTrailer
		}
		return c == '\n'
	case framingDataEnd:
		f.state = framingDataLF
		return c == '\r'
	case framingDataLF:
		f.state = framingSize
		return c == '\n'
	case framingTrailer:
		if c == '\r' {
			f.state = framingEndLF
			return true
		}
		f.state = framingInside
		return c != '\n' && f.inside(c)
	case framingInside:
		return f.inside(c)
	default: // framingEndLF
		if c == '\n' {
			f.state = framingDone
		}
		return c == '\n'
	}
}

// mostDigits bounds a chunk's size, which may begin with zeros.
const mostDigits = 16

// size takes a byte of a chunk's size, or what ends it.
func (f *framing) size(c byte) bool {
	if digit := hexDigit(c); digit >= 0 {
		f.left, f.line = f.left<<4|digit, f.line+1
		return f.left <= math.MaxInt>>4 && f.line <= mostDigits
	}
	if f.line == 0 {
		return false
	}
	f.line, f.state = 0, framingPad
	return f.pad(c)
}

// pad takes what stands behind a size.
func (f *framing) pad(c byte) bool {
	switch c {
	case ' ', '\t':
		f.line++
		return f.line < maxAnswerHead
	case ';':
		f.state = framingExt
		return true
	}
	f.state = framingSizeEnd
	return c == '\r'
}

// extension takes a byte of what nobody reads. A line feed alone would end it for some.
func (f *framing) extension(c byte) bool {
	if f.line++; c == '\r' {
		f.state = framingSizeEnd
	}
	return c != '\n' && f.line < maxAnswerHead
}

// inside takes a byte of the trailers.
func (f *framing) inside(c byte) bool {
	if f.line++; f.line >= maxAnswerHead {
		return false
	}
	if c == '\n' {
		f.state = framingTrailer
	}
	return true
}

func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

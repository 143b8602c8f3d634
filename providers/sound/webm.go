package sound

import (
	"bytes"
	"encoding/binary"
	"math"
)

// The elements of Matroska that tell a length.
// Source: RFC 9559
var (
	elementScale    = []byte{0x2a, 0xd7, 0xb1}
	elementDuration = []byte{0x44, 0x89}
	elementCluster  = []byte{0x1f, 0x43, 0xb6, 0x75}
)

const (
	elementTime  = 0xe7
	elementBlock = 0xa3
)

// webm reads the film's length, or where it was made as it came, the time of its last block.
func (f *file) webm() int64 {
	scale := uint64(1_000_000) // nanoseconds
	if b := behind(f.head, elementScale); b != nil {
		if n := number(b); n > 0 {
			scale = n
		}
	}
	if b := behind(f.head, elementDuration); b != nil {
		var ticks float64
		switch len(b) {
		case 4:
			ticks = float64(math.Float32frombits(binary.BigEndian.Uint32(b)))
		case 8:
			ticks = math.Float64frombits(binary.BigEndian.Uint64(b))
		}
		if ms := ticks * float64(scale) / 1e6; ms >= 1 && ms < 1e11 {
			return int64(ms)
		}
	}
	ticks := f.lastBlock()
	if ticks > 1<<40 || scale > 1<<20 {
		return 0
	}
	return int64(ticks * scale / 1_000_000)
}

// behind gives the content of an element of a size of one byte.
func behind(b, element []byte) []byte {
	i := bytes.Index(b, element)
	if i < 0 || i+len(element) >= len(b) {
		return nil
	}
	b = b[i+len(element):]
	if size := int(b[0] &^ 0x80); b[0]&0x80 != 0 && 0 < size && size <= 8 && len(b) > size {
		return b[1 : 1+size]
	}
	return nil
}

func number(b []byte) (n uint64) {
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n
}

// lastBlock is when the last block of the last cluster begins.
func (f *file) lastBlock() uint64 {
	i := bytes.LastIndex(f.tail, elementCluster)
	if i < 0 {
		return 0
	}
	b := f.tail[i+len(elementCluster):]
	_, n := vint(b) // the cluster's size
	b = b[n:]
	var at, last uint64
	for len(b) > 2 {
		id := b[0]
		size, n := vint(b[1:])
		if n == 0 || size > uint64(len(b)) {
			break
		}
		body := b[1+n:]
		switch {
		case id == elementTime && size <= 8 && uint64(len(body)) >= size:
			at = number(body[:size])
			last = max(last, at)
		case id == elementBlock && len(body) >= 4:
			last = max(last, at+uint64(max(0, int16(binary.BigEndian.Uint16(body[1:])))))
		}
		if uint64(len(body)) < size {
			break
		}
		b = body[size:]
	}
	return last
}

// vint reads a number that says its own length; n is 0 where there is none.
func vint(b []byte) (v uint64, n int) {
	if len(b) == 0 || b[0] == 0 {
		return 0, 0
	}
	n = 1
	for mask := byte(0x80); b[0]&mask == 0; mask >>= 1 {
		n++
	}
	if len(b) < n {
		return 0, 0
	}
	v = uint64(b[0]) & (1<<(8-n) - 1)
	return v<<(8*(n-1)) | number(b[1:n]), n
}

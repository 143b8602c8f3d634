package redis

import (
	"encoding/binary"
	"fmt"
	"math"
)

// pack is a script's arguments as one MessagePack array, in as few allocations.
type pack struct {
	text  []byte
	count uint32
}

const packHead = 5

func newPack(room int) *pack { return &pack{text: make([]byte, packHead, packHead+room)} }

// add adds whole numbers.
func (p *pack) add(numbers ...int64) {
	for _, n := range numbers {
		if n >= 0 && n < 128 {
			p.text = append(p.text, byte(n))
		} else {
			p.text = binary.BigEndian.AppendUint64(append(p.text, 0xd3), uint64(n))
		}
	}
	p.count += uint32(len(numbers))
}

// word adds a text.
func (p *pack) word(text string) {
	p.text = binary.BigEndian.AppendUint32(append(p.text, 0xdb), uint32(len(text)))
	p.text = append(p.text, text...)
	p.count++
}

// bytes gives the array, which is not to be added to any more.
func (p *pack) bytes() []byte {
	p.text[0] = 0xdd
	binary.BigEndian.PutUint32(p.text[1:], p.count)
	return p.text
}

// unpack reads an array of whole numbers, as scripts pack them, into dst.
func unpack(text string, dst []int64) ([]int64, error) {
	n, text, ok := unpackHead(text)
	for ; ok && n > 0; n-- {
		var value int64
		if value, text, ok = unpackNumber(text); ok {
			dst = append(dst, value)
		}
	}
	if !ok || text != "" || len(dst) == 0 {
		return nil, fmt.Errorf("%w as they should: an answer that is not an array of numbers", ErrDown)
	}
	return dst, nil
}

func unpackHead(text string) (n int, rest string, ok bool) {
	switch {
	case len(text) > 0 && text[0]&0xf0 == 0x90:
		return int(text[0] & 0x0f), text[1:], true
	case len(text) > 2 && text[0] == 0xdc:
		return int(text[1])<<8 | int(text[2]), text[3:], true
	}
	return 0, "", false
}

func unpackNumber(text string) (n int64, rest string, ok bool) {
	if text == "" {
		return 0, "", false
	}
	kind, text := text[0], text[1:]
	if kind < 0x80 || kind >= 0xe0 {
		return int64(int8(kind)), text, true
	}
	if kind == 0xcb && len(text) >= 8 {
		f := math.Float64frombits(bigEndian(text[:8]))
		return int64(f), text[8:], !math.IsNaN(f) && math.Abs(f) < 1<<63
	}
	if kind < 0xcc || kind > 0xd3 {
		return 0, "", false
	}
	size := 1 << (kind & 3)
	if len(text) < size {
		return 0, "", false
	}
	value := bigEndian(text[:size])
	if kind >= 0xd0 { // signed: the first bit stands for all before it
		gone := 64 - 8*size
		return int64(value<<gone) >> gone, text[size:], true
	}
	return int64(value), text[size:], value <= math.MaxInt64
}

func bigEndian(text string) (value uint64) {
	for i := range len(text) {
		value = value<<8 | uint64(text[i])
	}
	return value
}

package redis

import (
	"encoding/binary"
	"fmt"
	"math"
)

// pack is a script's arguments as one MessagePack array, in as few allocations.
type pack struct {
	text   []byte
	count  uint32
	shared section // what comes first, of calls that share a script
}

// section is a part of a pack.
type section struct {
	text  []byte
	count uint32
}

const packHead = 5

func newPack(room int) pack { return pack{text: make([]byte, packHead, packHead+room)} }

// again empties the pack, and keeps its room.
func (p *pack) again() {
	*p = pack{text: append(p.text[:0], 0, 0, 0, 0, 0)}
}

// share notes that what was added so far is the same for all calls that share a script.
func (p *pack) share() { p.shared = section{p.text[packHead:], p.count} }

func (p *pack) head() section { return p.shared }

func (p *pack) rest() section {
	return section{p.text[packHead+len(p.shared.text):], p.count - p.shared.count}
}

// join adds a part of another pack.
func (p *pack) join(s section) {
	p.text = append(p.text, s.text...)
	p.count += s.count
}

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

var errNoNumbers = fmt.Errorf("%w as they should: an answer that is not an array of numbers", ErrDown)

// unpackNumbers reads an array of whole numbers, as scripts pack them, into dst, and gives what
// stands behind it. Where it is not ok, dst has the numbers before what is none.
func unpackNumbers(text string, dst []int64) (numbers []int64, rest string, ok bool) {
	n, text, ok := unpackHead(text)
	for ; ok && n > 0; n-- {
		var value int64
		value, rest, ok = unpackNumber(text)
		if ok {
			dst, text = append(dst, value), rest
		}
	}
	return dst, text, ok && len(dst) > 0
}

// unpackWord reads a text.
func unpackWord(text string) (word, rest string, ok bool) {
	if text == "" {
		return "", "", false
	}
	kind, text := text[0], text[1:]
	size := int(kind & 0x1f)
	if wide := int(kind) - 0xd9; kind&0xe0 != 0xa0 {
		if wide < 0 || wide > 2 || len(text) < 1<<wide {
			return "", "", false
		}
		size, text = int(bigEndian(text[:1<<wide])), text[1<<wide:]
	}
	if len(text) < size {
		return "", "", false
	}
	return text[:size], text[size:], true
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

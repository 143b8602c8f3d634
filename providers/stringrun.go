package providers

import (
	"encoding/binary"
	"math/bits"
)

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// stops marks, with the highest bit of a byte, those of eight that are a quote, a backslash or a
// control character.
func stops(w uint64) uint64 {
	// With bit 1 turned, a quote is the one byte above the control characters that is not above 0x20.
	seven := w &^ highs
	low, slash := seven^(ones*('"'^0x20)), seven^(ones*'\\')
	return ^((low+ones*(0x7f-0x20))&(slash+ones*0x7f) | w) & highs
}

// stringRun finds what ends or escapes in a string: quotes, backslashes and control characters.
// Most strings are short, and most bytes are in long ones: the first of a string are read 8 at a
// time, and those behind them in blocks of 64.
type stringRun struct {
	raw    []byte
	stride stride
	at     int    // where the block begins that was read last
	mask   uint64 // its stops
	seen   uint64 // all words, for their highest bits; some are of what stands behind the string
}

// stride is how a stringRun goes on.
type stride uint8

const (
	byWords stride = iota
	byBlocks
	toTheEnd // less than a block is left
)

// patience is how many bytes without a stop have blocks read.
const patience = 16

// next gives the place of the next stop, or one with less than 8 bytes behind it.
func (r *stringRun) next(i int) int {
	if ahead := r.mask >> uint(i-r.at); ahead != 0 {
		return i + bits.TrailingZeros64(ahead)
	}
	return r.find(i)
}

func (r *stringRun) find(i int) int {
	if r.stride == byWords {
		var found bool
		if i, found = r.words(i, min(i+patience, len(r.raw))); found {
			return i
		}
		r.stride, r.at = byBlocks, i-64
	}
	if r.stride == byBlocks {
		at, mask, ascii := stopMask(r.raw, max(i, r.at+64))
		if r.at, r.mask = at, mask; !ascii {
			r.seen |= highs
		}
		if mask != 0 {
			return at + bits.TrailingZeros64(mask)
		}
		i, r.stride = at, toTheEnd
	}
	i, _ = r.words(i, len(r.raw))
	return i
}

func (r *stringRun) words(i, end int) (at int, found bool) {
	for ; i+8 <= end; i += 8 {
		w := binary.LittleEndian.Uint64(r.raw[i:])
		r.seen |= w
		if stop := stops(w); stop != 0 {
			return i + bits.TrailingZeros64(stop)>>3, true
		}
	}
	return i, false
}

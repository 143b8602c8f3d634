//go:build !amd64

package providers

import "encoding/binary"

// stopMask goes on from i, 64 bytes at a time, to the block that has a stop of stringRun's in it:
// where it begins, and a bit for each of its bytes that is one. The mask is 0 where less than 64
// bytes are left. ascii is false where bytes outside of ASCII have been seen.
func stopMask(b []byte, i int) (at int, mask uint64, ascii bool) {
	var seen uint64
	for ; i+64 <= len(b) && mask == 0; i += 64 {
		for k := 56; k >= 0; k -= 8 {
			w := binary.LittleEndian.Uint64(b[i+k:])
			seen |= w
			const gather = 0x0102040810204080 // the highest bits of eight bytes into the highest byte
			mask = mask<<8 | stops(w)>>7*gather>>56
		}
		at = i
	}
	if mask == 0 {
		at = i
	}
	return at, mask, seen&highs == 0
}

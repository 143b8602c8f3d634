package providers

import "encoding/binary"

// stopMaskInWords is stopMask, in words of 8 bytes.
func stopMaskInWords(b []byte, i int) (at int, mask uint64, ascii bool) {
	var seen uint64
	for at = i; at+64 <= len(b); at += 64 {
		for k := 56; k >= 0; k -= 8 {
			w := binary.LittleEndian.Uint64(b[at+k:])
			seen |= w
			const gather = 0x0102040810204080 // the highest bits of eight bytes into the highest byte
			mask = mask<<8 | stops(w)>>7*gather>>56
		}
		if mask != 0 {
			break
		}
	}
	return at, mask, seen&highs == 0
}

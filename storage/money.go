package storage

import "strconv"

// formatNano prints nano-USD as dollars without rounding: 1500 is 0.0000015.
func formatNano(nano int64) string { return string(appendNano(nil, nano)) }

func appendNano(dst []byte, nano int64) []byte {
	if nano < 0 {
		dst, nano = append(dst, '-'), -nano
	}
	const unit = 1_000_000_000
	dst = strconv.AppendInt(dst, nano/unit, 10)
	dot := len(dst)
	// The leading 1 keeps the fraction's zeros, and the dot takes its place.
	dst = strconv.AppendInt(dst, unit+nano%unit, 10)
	dst[dot] = '.'
	for len(dst)-dot > 3 && dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	return dst
}

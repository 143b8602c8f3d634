package storage

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// formatNano prints nano-USD as dollars without rounding: 1500 is 0.0000015.
func formatNano(nano int64) string {
	var room [24]byte
	return string(appendNano(room[:0], nano))
}

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

// FormatUSD prints nano-USD as dollars in the fewest digits: 3, 0.15, 0.000000001.
func FormatUSD(nano int64) string { return string(appendFew(nil, nano)) }

func appendFew(dst []byte, nano int64) []byte {
	from := len(dst)
	dst = appendNano(dst, nano)
	for dst[len(dst)-1] == '0' && bytes.IndexByte(dst[from:], '.') >= 0 {
		dst = dst[:len(dst)-1]
	}
	return bytes.TrimSuffix(dst, []byte("."))
}

// ParseUSD reads dollars as people and JSON write them ("0.15", "1.5e-06") into nano-USD. What
// is finer than a nano-USD is an error: nothing is rounded.
func ParseUSD(text string) (nano int64, err error) {
	nano, exact, err := ParseDecimal(text, 9)
	if err == nil && !exact {
		return 0, fmt.Errorf("%q is finer than a nano-USD", text)
	}
	return nano, err
}

// ParseDecimal reads a decimal number times ten to the power of shift, rounded half away from
// zero to a whole one, and says whether it is exact. No binary floating point is on the way.
func ParseDecimal(text string, shift int) (n int64, exact bool, err error) {
	digits, point, negative, ok := scanDecimal(text)
	if !ok {
		return 0, false, fmt.Errorf("%q is no decimal number", text)
	}
	point += shift // where the decimal point stands among the digits
	var whole uint64
	for i := range max(point, 0) {
		digit := uint64(0)
		if i < len(digits) {
			digit = uint64(digits[i] - '0')
		}
		if whole > (math.MaxInt64-digit)/10 {
			return 0, false, fmt.Errorf("%q is too large", text)
		}
		whole = whole*10 + digit
		if whole == 0 && i >= len(digits) {
			break // zero stays zero, whatever its exponent
		}
	}
	exact = true
	if point < len(digits) {
		rest := digits[max(point, 0):]
		exact = strings.Trim(rest, "0") == ""
		if point >= 0 && rest[0] >= '5' && whole < math.MaxInt64 {
			whole++
		}
	}
	if n = int64(whole); negative {
		n = -n
	}
	return n, exact, nil
}

// scanDecimal takes a number apart: its digits without a point, and how many of them stand
// before it.
func scanDecimal(text string) (digits string, point int, negative, ok bool) {
	const longest = 400 // a float64 in full
	mantissa, exponent, hasExponent := strings.Cut(strings.ReplaceAll(text, "E", "e"), "e")
	mantissa, negative = strings.CutPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits = whole + fraction
	if digits == "" || len(text) > longest || strings.Trim(digits, "0123456789") != "" {
		return "", 0, false, false
	}
	point = len(whole)
	if hasExponent {
		e, err := strconv.Atoi(exponent)
		if err != nil || e > longest || e < -longest {
			return "", 0, false, false
		}
		point += e
	}
	return digits, point, negative, true
}

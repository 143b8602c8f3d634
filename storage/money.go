package storage

import "strconv"

// formatNano prints nano-USD as dollars without rounding: 1500 is 0.0000015.
func formatNano(nano int64) string {
	sign := ""
	if nano < 0 {
		sign, nano = "-", -nano
	}
	const unit = 1_000_000_000
	frac := strconv.FormatInt(unit+nano%unit, 10)[1:]
	for len(frac) > 2 && frac[len(frac)-1] == '0' {
		frac = frac[:len(frac)-1]
	}
	return sign + strconv.FormatInt(nano/unit, 10) + "." + frac
}

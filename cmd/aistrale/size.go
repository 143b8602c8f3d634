package main

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// Size is a number of bytes, written as 32MiB, 16KiB, 1GB or 4096.
type Size int64

var errSize = errors.New("not a size")

func parseSize(text string) (Size, error) {
	number := strings.TrimRight(text, "BKMGTikmgtb")
	unit, ok := map[string]int64{
		"": 1, "b": 1,
		"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40,
		"kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12,
	}[strings.ToLower(text[len(number):])]
	n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
	if !ok || err != nil || n < 0 || n > math.MaxInt64/unit {
		return 0, errSize
	}
	return Size(n * unit), nil
}
